import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashes, totalTexts } from '../../static/js/components/totals.js';
import { Ring, emptyLines, fillLines, peaksOf } from '../../static/js/ring.js';

const totals = {
  time: 1000, in_bps: 790e9, out_bps: 717e9, interfaces: 1200, counted: 1100, up: 1104, down: 16, no_data: 80, attention: 4,
  devices: 6, devices_up: 5, devices_late: 1, devices_lost: 0, interval_s: 1.01, reply_p99_ms: 39.4, oldest_sample_s: 1,
};

test('the strip tells the sums with their units', () => {
  const texts = totalTexts(totals);
  assert.deepEqual([texts['total-in'], texts['total-in-unit'], texts['total-out'], texts['total-out-unit']], ['790', 'Gb/s', '717', 'Gb/s']);
  assert.deepEqual([texts.interfaces, texts.interval, texts.reply, texts.oldest], ['1,200', '1.01', '39\u2009ms', '1.0\u2009s']);
});

test('sums that are not known are a dash without a unit, and never a number', () => {
  const texts = totalTexts({
    ...totals, in_bps: null, out_bps: null, interval_s: null, reply_p99_ms: null, oldest_sample_s: null,
  });
  for (const name of ['total-in', 'total-out', 'interval', 'reply', 'oldest']) assert.equal(texts[name], '–', name);
  assert.deepEqual([texts['total-in-unit'], texts['total-out-unit']], ['', '']);
  for (const text of Object.values(texts)) assert.doesNotMatch(text, /NaN|null|undefined/);
});

test('where nothing is known of now no number of the strip stays', () => {
  const texts = dashes(totals);
  assert.deepEqual(Object.keys(texts), Object.keys(totalTexts(totals)));
  for (const [name, text] of Object.entries(texts)) assert.equal(text, name.endsWith('-unit') ? '' : '–', name);
});

/** The lines of a ring with these values of the direction in; the direction out is not known. */
function linesOf(values) {
  const ring = new Ring(10, 2);
  values.forEach((value, at) => ring.push(1000 + at, (column) => (column ? null : value)));
  return fillLines(emptyLines(), ring, 0, 1, 0, 12);
}

test('seconds whose sum is not known are a gap in the chart', () => {
  assert.deepEqual(linesOf([5, null, 7]).up, [5, null, 7]);
});

test('a direction without a sample has no peak, one that carries nothing has a peak of zero', () => {
  assert.deepEqual(peaksOf(linesOf([null, null])), { up: null, down: null });
  assert.deepEqual(peaksOf(linesOf([null, 0])), { up: 0, down: null });
});
