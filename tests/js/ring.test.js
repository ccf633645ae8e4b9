import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring, emptyLines, fillLines, means } from '../../static/js/ring.js';

/** A ring of in and out, from samples [time, in, out]. */
function ringOf(samples, capacity = 100) {
  const ring = new Ring(capacity, 2);
  for (const [time, ...values] of samples) ring.push(time, (column) => values[column]);
  return ring;
}

test('a full ring forgets the oldest sample and keeps the order', () => {
  const ring = ringOf([[1, 10, 1], [2, 20, 2], [3, 30, 3], [4, 40, 4]], 3);
  assert.equal(ring.length, 3);
  assert.deepEqual([0, 1, 2].map((at) => ring.time(at)), [2, 3, 4]);
  assert.deepEqual([0, 1, 2].map((at) => ring.value(0, at)), [20, 30, 40]);
});

test('a missed sample is NaN, whether it was null or undefined', () => {
  const ring = ringOf([[1, null, undefined]]);
  assert.ok(Number.isNaN(ring.value(0, 0)));
  assert.ok(Number.isNaN(ring.value(1, 0)));
});

test('a clock that was set back takes away what it covers anew', () => {
  const ring = ringOf([[100, 1, 1], [101, 2, 2], [102, 3, 3], [101, 9, 9]]);
  assert.deepEqual([0, 1].map((at) => [ring.time(at), ring.value(0, at)]), [[100, 1], [101, 9]]);
  assert.equal(ring.length, 2);
});

test('pushing the past again replaces it without doubles, as a new snapshot does', () => {
  const ring = ringOf([[1, 1, 0], [2, 2, 0], [3, 3, 0]], 4);
  for (const time of [2, 3, 4]) ring.push(time, () => time * 10);
  assert.deepEqual([0, 1, 2, 3].map((at) => ring.time(at)), [1, 2, 3, 4]);
  assert.deepEqual([0, 1, 2, 3].map((at) => ring.value(0, at)), [1, 20, 30, 40]);
});

test('firstSince finds the first sample at or after a moment', () => {
  const ring = ringOf([[1, 1, 1], [3, 1, 1], [5, 1, 1]]);
  assert.deepEqual([0, 3, 4, 6].map((time) => ring.firstSince(time)), [0, 1, 2, 3]);
});

test('newestValid skips missed samples', () => {
  const ring = ringOf([[1, 5, null], [2, 6, null], [3, null, null]]);
  assert.equal(ring.newestValid(0), 1);
  assert.equal(ring.newestValid(1), -1);
});

test('lines have out negated, missed samples as null, and the largest of each direction', () => {
  const lines = fillLines(emptyLines(), ringOf([[1, 10, 5], [2, null, 7], [3, 30, null]]), 0, 1, 0, 1.75);
  assert.deepEqual(lines.times, [1, 2, 3]);
  assert.deepEqual(lines.up, [10, null, 30]);
  assert.deepEqual(lines.down, [-5, -7, null]);
  assert.equal(lines.maxUp, 30);
  assert.equal(lines.maxDown, 7);
});

test('a hole in time becomes one gap, though no missed sample was told', () => {
  const lines = fillLines(emptyLines(), ringOf([[1, 10, 5], [2, 11, 5], [6, 12, 5]]), 0, 1, 0, 1.75);
  assert.deepEqual(lines.times, [1, 2, 4, 6]);
  assert.deepEqual(lines.up, [10, 11, null, 12]);
});

test('lines take one sample before the left edge along, and their arrays shrink again', () => {
  const ring = ringOf([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]]);
  const lines = fillLines(emptyLines(), ring, 0, 1, 0, 1.75);
  assert.equal(lines.times.length, 4);
  assert.deepEqual(fillLines(lines, ring, 0, 1, 3, 1.75).times, [2, 3, 4]);
  assert.equal(lines.up.length, 3);
});

test('means are taken over slots that end at the given moment, null where no sample was', () => {
  const ring = ringOf([[0, 10, 0], [1, 20, 0], [12, 50, 0], [13, null, 0]]);
  assert.deepEqual(means(ring, 0, 15, 5, 3), [15, null, 50]);
});
