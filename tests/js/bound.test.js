import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bound, mirroredMarks, timeMarks } from '../../static/js/components/bound.js';

test('a bound grows at once', () => {
  const bound = new Bound(1000);
  assert.equal(bound.fit(0, 0), 1000);
  assert.equal(bound.fit(9e9, 1), 10e9);
  assert.equal(bound.fit(41e9, 2), 50e9);
});

test('a bound shrinks only after 30 s below 70 percent', () => {
  const bound = new Bound(1000);
  bound.fit(9e9, 0);
  assert.equal(bound.fit(3e9, 1), 10e9);
  assert.equal(bound.fit(3e9, 30), 10e9);
  assert.equal(bound.fit(3e9, 31), 4e9);
});

test('one high value within the 30 s keeps a bound up', () => {
  const bound = new Bound(1000);
  bound.fit(9e9, 0);
  bound.fit(3e9, 1);
  bound.fit(8e9, 20);
  assert.equal(bound.fit(3e9, 35), 10e9);
  assert.equal(bound.fit(3e9, 64), 10e9);
  assert.equal(bound.fit(3e9, 66), 4e9);
});

test('marks have one step on both sides and always a zero', () => {
  assert.deepEqual(mirroredMarks(-30, 60, 2).map((mark) => mark + 0), [-25, 0, 25, 50]);
  assert.deepEqual(mirroredMarks(-1500, 10e9, 1).map((mark) => mark + 0), [0, 5e9, 10e9]);
});

test('time marks are round moments that have room', () => {
  assert.deepEqual(timeMarks(1000, 1060, 4), [1005, 1020, 1035, 1050]);
  assert.equal(timeMarks(0, 3600, 6).length, 7);
});
