import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { snapshot, wired } from './fakes.js';

let clock;
let sockets;
let store;
let socket;

beforeEach(() => {
  ({ clock, sockets, store, socket } = wired());
});

const resync = (id) => ({ type: 'resync', id, missed: 3 });
const refused = (id, code = 'unknown_device') => ({ type: 'error', id, code, message: `There is no ${id}.` });
const device = (id) => ({ type: 'device', id, device: 'r1', state: 'starting', interval_s: 1, last_sample: null });
const idsOf = (messages) => messages.map((message) => message.id);

/** Ids 10, 11, 12, followed with a past, and a socket that was greeted; the subscriptions are not in what it sent. */
function followThree() {
  for (const id of [10, 11, 12]) socket.subscribe({ id, device: `r${id}`, history_s: 60 });
  socket.connect();
  sockets[0].hello();
  for (const id of [10, 11, 12]) sockets[0].says({ ...snapshot, id });
  clock.advance(1_001);
  sockets[0].sent.length = 0;
}

test('frames that were dropped are fetched from history, not oftener than each five seconds', () => {
  socket.subscribe({ id: 7, device: 'r1', history_s: 60 });
  socket.connect();
  sockets[0].hello();
  sockets[0].says(snapshot);
  sockets[0].says({ type: 'resync', id: 7, missed: 3 });
  sockets[0].says({ type: 'resync', id: 7, missed: 1 });
  clock.advance(0);
  assert.deepEqual(sockets[0].sent.slice(1), [{ type: 'subscribe', id: 7, device: 'r1', history_s: 60 }]);
  clock.advance(5_000);
  sockets[0].says({ type: 'resync', id: 7, missed: 1 });
  clock.advance(0);
  assert.equal(sockets[0].sent.length, 3);
});

test('of many charts that lost frames each is fetched once, those that come too soon when five seconds are over', () => {
  followThree();
  sockets[0].says(resync(10));
  clock.advance(100);
  for (const id of [11, 12, 11]) sockets[0].says(resync(id));
  assert.deepEqual(idsOf(sockets[0].sent), [10]);
  clock.advance(4_899);
  assert.deepEqual(idsOf(sockets[0].sent), [10]);
  clock.advance(1);
  assert.deepEqual(idsOf(sockets[0].sent), [10, 11, 12]);
  assert.ok(sockets[0].sent.every((message) => message.history_s === 60 && message.since_seq === undefined));
  clock.advance(5_000);
  assert.equal(sockets[0].sent.length, 3);
});

test('a snapshot that comes for another reason is not fetched a second time', () => {
  followThree();
  for (const id of [10, 11]) {
    sockets[0].says(resync(id));
    clock.advance(100);
  }
  sockets[0].says({ ...snapshot, id: 11 });
  clock.advance(5_000);
  assert.deepEqual(idsOf(sockets[0].sent), [10]);
});

test('a chart that is no longer wanted is not fetched', () => {
  followThree();
  for (const id of [10, 11, 12]) {
    sockets[0].says(resync(id));
    clock.advance(100);
  }
  socket.unsubscribe(11);
  clock.advance(5_000);
  assert.deepEqual(sockets[0].sent.map(({ type, id }) => `${type} ${id}`), ['subscribe 10', 'unsubscribe 11', 'subscribe 12']);
});

test('after a loss a chart that lacks frames is fetched whole, the others go on after their last frame', () => {
  followThree();
  sockets[0].says(resync(10));
  clock.advance(100);
  sockets[0].says({ ...snapshot, id: 10 });
  sockets[0].says(resync(11));
  sockets[0].onclose();
  clock.advance(500);
  sockets[1].hello();
  assert.deepEqual(sockets[1].sent.map((message) => message.since_seq), [41, undefined, 41]);
  clock.advance(10_000);
  assert.equal(sockets[1].sent.length, 3);
});

test('what the server does not know is asked for again every fifteen seconds, until it is there', () => {
  followThree();
  sockets[0].says(refused(10));
  clock.advance(2_000);
  sockets[0].says(refused(12, 'unknown_interface'));
  clock.advance(12_999);
  assert.deepEqual(sockets[0].sent, []);
  clock.advance(1);
  assert.deepEqual(sockets[0].sent, [10, 12].map((id) => ({ type: 'subscribe', id, device: `r${id}`, history_s: 60 })));
  assert.equal(store.streams.get(10).failure.message, 'There is no 10.', 'the reader is told meanwhile');
  sockets[0].says(refused(10));
  sockets[0].says({ ...snapshot, id: 12 });
  assert.equal(store.streams.get(12).failure, null);
  clock.advance(15_000);
  assert.deepEqual(idsOf(sockets[0].sent), [10, 12, 10]);
  sockets[0].says(device(10));
  assert.equal(store.streams.get(10).failure, null, 'a device that is starting is there');
  sockets[0].says({ type: 'heartbeat', server_time: 1030 });
  clock.advance(30_000);
  assert.equal(sockets[0].sent.length, 3);
});

test('what was refused and came by another question is not asked for once more', () => {
  for (const answer of [snapshot, device(7)]) {
    socket.subscribe({ id: 7, device: 'r1', history_s: 60 });
    socket.connect();
    sockets.at(-1).hello();
    sockets.at(-1).says(refused(7));
    clock.advance(2_000);
    socket.subscribe({ id: 7, device: 'r1', history_s: 900 });
    sockets.at(-1).says(answer);
    clock.advance(20_000);
    assert.equal(sockets.at(-1).sent.length, 2, answer.type);
  }
});

test('a refusal that time does not mend is not asked for again', () => {
  followThree();
  sockets[0].says(refused(10, 'unknown_metric'));
  sockets[0].says(refused(null, 'unknown_device'));
  sockets[0].says(refused(99));
  clock.advance(40_000);
  assert.deepEqual(sockets[0].sent, []);
});

test('a refused subscription that ended is not asked for again, the other one still is', () => {
  followThree();
  sockets[0].says(refused(10));
  sockets[0].says(refused(11));
  socket.unsubscribe(10);
  clock.advance(15_000);
  assert.deepEqual(sockets[0].sent.map(({ type, id }) => `${type} ${id}`), ['unsubscribe 10', 'subscribe 11']);
});

test('a wall of refused charts is asked for again within the budget of messages', () => {
  for (let id = 10; id < 34; id += 1) socket.subscribe({ id, device: `r${id}` });
  socket.connect();
  sockets[0].hello();
  clock.advance(3_000);
  for (let id = 10; id < 34; id += 1) sockets[0].says(refused(id));
  clock.advance(15_000);
  assert.equal(sockets[0].sent.length, 24 + 8);
  clock.advance(2_010);
  assert.deepEqual(idsOf(sockets[0].sent.slice(24)), Array.from({ length: 24 }, (_, at) => at + 10));
});

test('after a loss a refused subscription begins anew, and the timer of the old socket is gone', () => {
  followThree();
  sockets[0].says(refused(10));
  sockets[0].onclose();
  clock.advance(500);
  sockets[1].hello();
  assert.deepEqual(sockets[1].sent.map((message) => message.since_seq), [undefined, 41, 41]);
  clock.advance(20_000);
  assert.equal(sockets[1].sent.length, 3);
});
