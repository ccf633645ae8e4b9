import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapsOf } from '../../static/js/components/chart-marks.js';
import { TimeAxis } from '../../static/js/time-axis.js';

const series = (newestTime, interval_s = 1) => ({ ring: { newestTime }, interval_s });

test('devices polled at different moments share one end, at or after the newest sample', () => {
  const axis = new TimeAxis();
  const ends = [];
  for (let second = 1000; second < 1010; second += 1) {
    const one = axis.end([series(second), series(second - 0.15)], second + 0.05);
    const other = axis.end([series(second), series(second + 0.85)], second + 0.9);
    assert.ok(one >= second && other >= second + 0.85 && other < second + 2, `${one} ${other}`);
    ends.push(one, other);
  }
  const steps = ends.slice(1).map((end, at) => Math.round((end - ends[at]) * 1e6) / 1e6);
  assert.ok(steps.every((step) => step === 0 || step === 1), String(steps));
  assert.ok(ends.at(-1) - ends[0] <= 10);
});

test('samples that jitter move the axis one second a second', () => {
  const axis = new TimeAxis();
  const first = axis.end([series(1000)], 1000);
  const jitter = [0.03, -0.04, 0.05, -0.05, 0];
  jitter.forEach((late, at) => assert.equal(axis.end([series(1001 + at + late)], 1001 + at + late), first + 1 + at));
});

test('a device that is overdue does not hold the others, nor end the axis', () => {
  const axis = new TimeAxis();
  const end = axis.end([series(900), series(1000)], 1000);
  assert.ok(end >= 1000 && end < 1001);
});

test('where all are overdue, or none has a sample, the axis ends now', () => {
  for (const all of [[series(900), series(950, 5)], [{ ring: null, interval_s: 1 }], [series(NaN)], []]) {
    const end = new TimeAxis().end(all, 1000);
    assert.ok(end >= 1000 && end < 1001, String(end));
  }
});

test('a device that answers every 5 s by design is not overdue between its samples', () => {
  const end = new TimeAxis().end([series(990, 5)], 1000);
  assert.ok(end >= 990 && end < 991, String(end));
});

test('the axis follows a server clock that was set back', () => {
  const axis = new TimeAxis();
  axis.end([series(5000)], 5000);
  const end = axis.end([series(1000)], 1000);
  assert.ok(end >= 1000 && end < 1001, String(end));
});

test('a sample that is still to come is no gap, one that is overdue or was missed is', () => {
  assert.deepEqual(gapsOf([1, 2, 3], [5, 5, 5], [5, 5, 5], 3.8, false), []);
  assert.deepEqual(gapsOf([1, 2, 3], [5, 5, 5], [5, 5, 5], 8, true), [[3, 8]]);
  assert.deepEqual(gapsOf([1, 2, 3], [5, 5, null], [5, 5, null], 3.8, false), [[2, 3.8]]);
  assert.deepEqual(gapsOf([1, 2, 3, 4], [5, null, 5, 5], [5, null, 5, 5], 4.5, false), [[1, 3]]);
});
