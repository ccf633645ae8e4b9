import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Store, rowAge } from '../../static/js/store.js';

let now_ms;
let store;

beforeEach(() => {
  now_ms = 50_000;
  store = new Store(() => now_ms, () => 1_000_000_000_000 + now_ms);
});

const hello = (server_time, epoch = 'e1') => ({ type: 'hello', protocol: 1, epoch, server_time, interval_s: 1, version: '0' });
const facts = (name) => ({ name, alias: '', oper_status: 'up', speed_bps: 1e9 });
const snapshot = (id, times, inValues, more = {}) => ({
  type: 'snapshot', id, seq: 10, device: 'r1', metrics: ['in_bps', 'out_bps'], interfaces: [facts('eth0')], times,
  values: [[inValues], [inValues.map((value) => (value === null ? null : value / 2))]],
  resumed: false, not_due: [[], []], interval_s: 1, ...more,
});
const samples = (id, seq, time, value) => ({
  type: 'samples', id, seq, time, span_s: 1, values: [[value], [value === null ? null : value / 2]], quality: [0],
});
const device = (id, more = {}) => ({
  type: 'device', id, device: 'r1', state: 'up', interval_s: 1, cadence_s: null, last_sample: null, ...more,
});
const totals = (time, in_bps = 1) => ({ time, in_bps, out_bps: 2 });
const summary = (more) => ({
  type: 'summary', id: 1, totals: totals(1000), devices: [], rows: [], offset: 0, matched: 0, movers: [], trend: null, ...more,
});

/** A store that follows eth0 of r1, with a past of three samples. */
function follow() {
  store.receive(hello(1000));
  store.asked({ type: 'subscribe', id: 7, device: 'r1', interfaces: ['eth0'], history_s: 60 });
  store.receive(snapshot(7, [997, 998, 999], [7e6, 8e6, 9e6]));
  return store.streams.get(7);
}

test('server time goes on by the monotonic clock, and the wall clock only tells the skew', () => {
  store.receive(hello(1000));
  now_ms += 2500;
  assert.equal(store.serverNow(), 1002.5);
  assert.ok(Math.abs(store.skew_s - (1_000_000_050 - 1000)) < 1e-6);
});

test('a fast message corrects a slow estimate of the server clock, a slow one does not', () => {
  store.receive(hello(1000));
  now_ms += 20_000;
  store.receive({ type: 'heartbeat', server_time: 1020.3 });
  assert.equal(store.serverNow(), 1020.3);
  store.receive({ type: 'heartbeat', server_time: 1020.1 });
  assert.equal(store.serverNow(), 1020.3);
});

test('a server clock that stepped is followed', () => {
  store.receive(hello(10_000));
  store.receive({ type: 'heartbeat', server_time: 6_400 });
  assert.equal(store.serverNow(), 6_400);
});

test('a snapshot and the samples after it make one past without holes or doubles', () => {
  const stream = follow();
  store.receive(samples(7, 11, 1000, 10e6));
  assert.deepEqual([0, 1, 2, 3].map((at) => stream.ring.time(at)), [997, 998, 999, 1000]);
  assert.equal(stream.newest('in_bps', 0), 10e6);
  assert.equal(stream.newest('out_bps', 0), 5e6);
  assert.deepEqual(store.resumeOf(7), { epoch: 'e1', since_seq: 11 });
});

test('a missed sample does not make the interface younger', () => {
  const stream = follow();
  now_ms += 1000;
  store.receive(samples(7, 11, 1000, null));
  now_ms += 1000;
  store.receive(samples(7, 12, 1001, null));
  assert.equal(stream.age_s(0, now_ms), 3);
  assert.equal(stream.youngest_s(now_ms), 3);
  assert.ok(Number.isNaN(stream.newest('in_bps', 0)), 'an old value is never shown');
  assert.equal(stream.ring.length, 5);
});

test('a row of an empty tick leaves no trace', () => {
  const stream = follow();
  store.receive({ ...samples(7, 11, 1000, 1), values: [[], []] });
  assert.equal(stream.ring.length, 3);
});

test('a tick at which nothing was due is no gap in a snapshot either', () => {
  const stream = follow();
  store.receive(snapshot(7, [1000, 1001, 1002], [1e6, null, null], { not_due: [[1], [1, 2]] }));
  assert.deepEqual([3, 4].map((at) => stream.ring.time(at)), [1000, 1002]);
  assert.equal(stream.ring.length, 5);
});

test('a device that fell silent before the past begins tells the age of its interfaces', () => {
  store.receive(hello(1000));
  store.asked({ type: 'subscribe', id: 7, device: 'r1', history_s: 60 });
  store.receive(device(7, { state: 'down', last_sample: 700 }));
  store.receive(snapshot(7, [998, 999], [null, null]));
  assert.equal(store.streams.get(7).age_s(0, now_ms), 300);
});

test('an interface that alone never had a value has no age', () => {
  store.receive(hello(1000));
  store.asked({ type: 'subscribe', id: 7, device: 'r1', history_s: 60 });
  store.receive(device(7, { last_sample: 999 }));
  store.receive(snapshot(7, [998, 999], [null, null]));
  assert.ok(Number.isNaN(store.streams.get(7).age_s(0, now_ms)));
});

test('after a reconnect what was missed is added to what was known', () => {
  const stream = follow();
  store.receive(snapshot(7, [1000, 1001], [10e6, 11e6], { seq: 12, resumed: true }));
  assert.deepEqual([0, 1, 2, 3, 4].map((at) => stream.ring.value(0, at)), [7e6, 8e6, 9e6, 10e6, 11e6].map(Math.fround));
});

test('a server that restarted and knows less takes no past away', () => {
  const stream = follow();
  store.receive(hello(1010, 'e2'));
  store.receive(snapshot(7, [1009], [5e6], { seq: 1 }));
  assert.deepEqual([stream.ring.length, stream.ring.time(0), stream.ring.newestTime], [4, 997, 1009]);
  assert.deepEqual(store.resumeOf(7), { epoch: 'e2', since_seq: 1 });
});

test('other interfaces begin a past of their own', () => {
  const stream = follow();
  store.receive(snapshot(7, [1000], [1e6], { interfaces: [facts('eth1')] }));
  assert.equal(stream.ring.length, 1);
  assert.equal(stream.row('eth1'), 0);
  assert.equal(stream.row('eth0'), -1);
});

test('an open socket without data is stale after three intervals', () => {
  follow();
  store.receive(samples(7, 11, 1000, 1));
  now_ms += 3000;
  assert.equal(store.staleFor_s(), 0);
  now_ms += 100;
  store.receive({ type: 'heartbeat', server_time: 1003.1 });
  assert.equal(store.staleFor_s(), 3.1);
  store.receive(samples(7, 12, 1003, null));
  assert.equal(store.staleFor_s(), 0);
});

test('a device that answers slowly by design is not stale between its samples', () => {
  follow();
  store.receive(device(7, { interval_s: 5 }));
  now_ms += 14_000;
  assert.equal(store.staleFor_s(), 0);
  now_ms += 2_000;
  assert.equal(store.staleFor_s(), 16);
});

test('a summary that was asked for and never comes makes the page stale', () => {
  store.asked({ type: 'subscribe', id: 1, device: '*', summary: true });
  store.receive(hello(1000));
  now_ms += 3100;
  assert.equal(store.staleFor_s(), 3.1);
});

test('a lost socket is lost, not stale', () => {
  follow();
  store.setLink({ phase: 'waiting' });
  now_ms += 60_000;
  assert.equal(store.staleFor_s(), 0);
});

test('the trend comes once and each summary adds to it', () => {
  store.receive(hello(1000));
  store.receive(summary({ trend: { times: [990, 995], in_bps: [5, null], out_bps: [6, 7] } }));
  store.receive(summary({ totals: totals(1001, null) }));
  const { trend } = store;
  assert.deepEqual([0, 1, 2, 3].map((at) => trend.time(at)), [990, 995, 1000, 1001]);
  assert.deepEqual([0, 1, 2, 3].map((at) => trend.value(0, at)), [5, NaN, 1, NaN]);
});

test('sparklines stay until the next ones come', () => {
  const row = { device: 'r1', name: 'eth0' };
  store.receive(hello(1000));
  store.receive(summary({ rows: [{ ...row, spark_in: [1, null], spark_out: [2, 3] }] }));
  store.receive(summary({ rows: [row] }));
  assert.deepEqual([...store.sparks.values()], [{ up: [1, null], down: [2, 3] }]);
});

test('sparklines of rows out of sight do not pile up', () => {
  store.receive(hello(1000));
  for (let at = 0; at < 1200; at += 1) {
    store.receive(summary({ rows: [{ device: 'r1', name: `eth${at}`, spark_in: [1], spark_out: [1] }] }));
  }
  assert.equal(store.sparks.size, 800);
  assert.ok(store.sparks.has('r1\neth1199') && !store.sparks.has('r1\neth0'));
});

test('events are newest first, each once, and not without end', () => {
  const event = (time, text) => ({
    type: 'event', id: 2, event: { time, kind: 'k', severity: 'info', device: 'r1', interface: '', text, author: '' },
  });
  for (const [time, text] of [[5, 'b'], [9, 'c'], [5, 'b'], [1, 'a']]) store.receive(event(time, text));
  assert.deepEqual(store.log.events.map((one) => one.text), ['c', 'b', 'a']);
  for (let at = 0; at < 300; at += 1) store.receive(event(10 + at, 'x'));
  assert.equal(store.log.events.length, 200);
  assert.equal(store.log.events[0].time, 309);
});

test('a refused subscription keeps the reason, and others are not told', () => {
  const told = [];
  store.asked({ type: 'subscribe', id: 7, device: 'nope' });
  store.watch('stream 7', () => told.push(7));
  store.watch('stream 8', () => told.push(8));
  store.receive({ type: 'error', id: 7, code: 'unknown_device', message: 'There is no device nope.' });
  assert.equal(store.streams.get(7).failure.code, 'unknown_device');
  assert.deepEqual(told, [7]);
});

test('a watcher that ended is told no more', () => {
  let told = 0;
  const end = store.watch('link', () => { told += 1; });
  store.setLink({ tries: 1 });
  end();
  store.setLink({ tries: 2 });
  assert.equal(told, 1);
});

test('the age of a summary row grows while no summary comes, until its values may not be shown', () => {
  const level = (age_s, since_s) => rowAge({ age_s }, since_s, 1).level;
  assert.deepEqual([level(0.5, 0), level(0.5, 3), level(0.5, 9.6), level(null, 0)], ['live', 'late', 'none', 'none']);
});

test('the past of a device that is polled often has room for all of the window from the start', () => {
  store.receive(hello(10_000));
  store.asked({ type: 'subscribe', id: 7, device: 'r1', history_s: 900 });
  const times = Array.from({ length: 240 }, (_, at) => 9_000 + at / 4);
  store.receive(snapshot(7, times, times.map(() => 1e6), { interval_s: 0.25 }));
  const stream = store.streams.get(7);
  assert.equal(stream.interval_s, 0.25);
  for (let at = 240; at < 3_700; at += 1) store.receive(samples(7, at, 9_000 + at / 4, 1e6));
  assert.ok(stream.ring.newestTime - stream.ring.time(0) >= 900, `${stream.ring.newestTime - stream.ring.time(0)} s are kept`);
});

test('a device that is polled oftener from now on gets room for the window and loses nothing of its past', () => {
  const stream = follow();
  store.receive(device(7, { interval_s: 0.25 }));
  assert.ok(stream.ring.capacity >= 60 / 0.25);
  assert.deepEqual([0, 1, 2].map((at) => [stream.ring.time(at), stream.ring.value(0, at)]), [[997, 7e6], [998, 8e6], [999, 9e6]]);
  assert.equal(stream.newest('in_bps', 0), 9e6);
  for (let at = 1; at <= 240; at += 1) store.receive(samples(7, 10 + at, 999 + at / 4, at));
  assert.equal(stream.ring.time(0), 997);
  const { capacity } = stream.ring;
  store.receive(device(7, { interval_s: 5 }));
  assert.deepEqual([stream.interval_s, stream.ring.capacity, stream.ring.length], [5, capacity, 243]);
});

test('a longer window takes nothing of what is held away', () => {
  const stream = follow();
  store.asked({ type: 'subscribe', id: 7, device: 'r1', interfaces: ['eth0'], history_s: 900 });
  store.receive(snapshot(7, [999], [9e6]));
  assert.ok(stream.ring.capacity >= 900);
  assert.deepEqual([0, 1, 2].map((at) => stream.ring.time(at)), [997, 998, 999]);
});

test('a subscription that the server refused has nothing to resume and no value, and does not make the page stale', () => {
  const stream = follow();
  store.receive({ type: 'error', id: 7, code: 'unknown_device', message: 'There is no device r1.' });
  assert.deepEqual(store.resumeOf(7), {});
  assert.ok(Number.isNaN(stream.newest('in_bps', 0)));
  assert.equal(stream.ring.length, 3, 'the past stays');
  now_ms += 10_000;
  assert.equal(store.staleFor_s(), 0);
});

test('events that were lost are told to those who watch events', () => {
  let told = 0;
  store.receive(hello(1000));
  store.asked({ type: 'subscribe', id: 3, events: true });
  store.watch('events', () => { told += 1; });
  store.receive({ type: 'resync', id: 3, missed: 12 });
  assert.equal(told, 1);
  assert.deepEqual(store.log.missed.map((one) => one.count), [12]);
  store.forget(3);
  store.receive({ type: 'resync', id: 3, missed: 1 });
  assert.equal(told, 1);
});

test('what was heard last is shown as old after two and a half intervals without the server, and not at all after ten', () => {
  follow();
  store.receive(samples(7, 11, 1000, 1));
  assert.equal(store.currency, 'live');
  store.setLink({ phase: 'waiting' });
  const after = (seconds) => {
    now_ms += seconds * 1000;
    return store.currency;
  };
  assert.deepEqual([after(2.4), after(0.2), after(7.3), after(0.2)], ['live', 'old', 'old', 'none']);
  store.setLink({ phase: 'open' });
  assert.equal(store.currency, 'none', 'the socket is open again, but nothing came yet');
  store.receive(samples(7, 12, 1010, 1));
  assert.equal(store.currency, 'live');
});

test('a stale page shows what it has as old, then not at all', () => {
  follow();
  now_ms += 3_100;
  assert.equal(store.currency, 'old');
  now_ms += 7_000;
  assert.equal(store.currency, 'none');
});

test('a page that never heard of the server waits at first, and then has nothing to show', () => {
  assert.equal(store.currency, 'live');
  store.setLink({ phase: 'waiting' });
  assert.equal(store.currency, 'none');
});

test('the charts of a page end at one moment', () => {
  follow();
  store.asked({ type: 'subscribe', id: 8, device: 'r2', interfaces: ['eth0'], history_s: 60 });
  store.receive(snapshot(8, [998.85, 999.85], [1e6, 1e6], { device: 'r2' }));
  const end = store.axisEnd();
  assert.ok(end >= 999.85 && end < 1000.85, String(end));
  assert.equal(store.axisEnd(), end);
});
