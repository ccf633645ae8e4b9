import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bound, legible, mirroredMarks, timeMarks } from '../../static/js/components/bound.js';

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

test('a side that the step passes over has a mark of its own', () => {
  assert.deepEqual(mirroredMarks(-0.8e12, 1e12, 1).map((mark) => mark + 0), [-0.5e12, 0, 0.5e12, 1e12]);
  assert.deepEqual(mirroredMarks(-0.8e12, 1.5e12, 1).map((mark) => mark + 0), [-0.6e12, 0, 1e12]);
  assert.deepEqual(mirroredMarks(-1.5e12, 0.8e12, 1).map((mark) => mark + 0), [-1e12, 0, 0.8e12]);
});

test('each side has a mark within it, whatever the bounds and the height', () => {
  const bounds = [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 60].map((value) => value * 1e9);
  for (const high of bounds) {
    for (const low of bounds) {
      if (Math.min(low, high) < 0.15 * Math.max(low, high)) continue;
      for (const wanted of [0.3, 1, 2, 4]) {
        const marks = mirroredMarks(-low, high, wanted).map((mark) => mark + 0);
        const told = `${low} ${high} ${wanted}: ${marks}`;
        assert.ok(marks[0] < 0 && marks.at(-1) > 0 && marks.some((mark) => mark === 0), told);
        assert.ok(marks[0] >= -low && marks.at(-1) <= high * 1.0002, told);
        assert.deepEqual([...new Set(marks)].sort((one, other) => one - other), marks, told);
      }
    }
  }
});

test('zero stays without text where the mark beside it has no room', () => {
  assert.deepEqual(legible([-1, 0, 10], 2), [-1, 10]);
  assert.deepEqual(legible([-5, 0, 5, 10], 2), [-5, 0, 5, 10]);
  assert.deepEqual(legible([-0], 2), [-0]);
});
