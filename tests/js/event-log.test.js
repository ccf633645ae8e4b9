import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { missedText } from '../../static/js/components/rail.js';
import { EventLog } from '../../static/js/event-log.js';

let log;

beforeEach(() => {
  log = new EventLog();
});

const event = (time, device = 'r1') => ({
  time, kind: 'k', severity: 'info', device, interface: '', text: `at ${time}`, author: '',
});
const take = (...times) => times.forEach((time) => log.take(event(time)));
const shown = (device = '', most = 100) =>
  log.lines(device, most).map((line) => ('text' in line ? line.time : `${line.count} missed`));

test('events that were lost stand between those before and those after them', () => {
  take(1, 2);
  log.lose(12, 4);
  take(5, 6);
  assert.deepEqual(shown(), [6, 5, '12 missed', 2, 1]);
});

test('losses without an event between them are one line', () => {
  take(1);
  log.lose(12, 4);
  log.lose(3, 5);
  take(6);
  log.lose(1, 7);
  assert.deepEqual(shown(), ['1 missed', 6, '15 missed', 1]);
});

test('the first event after a loss is none of the lost, even where our estimate of the server clock runs ahead', () => {
  take(1);
  log.lose(2, 4.2);
  take(4.1);
  assert.deepEqual(shown(), [4.1, '2 missed', 1]);
});

test('lost events that come with the replay after a reconnect are lost no longer', () => {
  take(1);
  log.lose(3, 4);
  log.replay();
  take(1, 2, 3, 5);
  assert.deepEqual(shown(), [5, 3, 2, '1 missed', 1]);
  take(3.5);
  assert.deepEqual(shown(), [5, 3.5, 3, 2, 1]);
});

test('events lost before the first one came stand below it', () => {
  log.lose(4, 9);
  assert.deepEqual(shown(), ['4 missed']);
  take(10);
  assert.deepEqual(shown(), [10, '4 missed']);
});

test('on the page of one device the loss shows too, for the lost may have been its own', () => {
  log.take(event(1, 'r1'));
  log.take(event(2, 'r2'));
  log.lose(4, 3);
  log.take(event(4, 'r1'));
  assert.deepEqual(shown('r1'), [4, '4 missed', 1]);
  assert.deepEqual(shown('r1', 2), [4, '4 missed']);
});

test('losses older than the oldest event kept are forgotten', () => {
  take(1);
  log.lose(4, 2);
  for (let at = 0; at < 250; at += 1) take(10 + at);
  assert.equal(log.missed.length, 0);
  assert.equal(log.events.length, 200);
});

test('a loss is told in words', () => {
  assert.equal(missedText({ after: 0, before: 1, count: 12 }), '12 events were not shown here: this page read too slowly');
  assert.equal(missedText({ after: 0, before: 1, count: 1 }), '1 event was not shown here: this page read too slowly');
});
