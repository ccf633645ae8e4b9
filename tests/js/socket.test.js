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

test('what was asked for before the hello is sent after it', () => {
  socket.subscribe({ id: 7, device: 'r1', history_s: 60 });
  socket.connect();
  assert.deepEqual(sockets[0].sent, []);
  sockets[0].hello();
  assert.deepEqual(sockets[0].sent, [{ type: 'subscribe', id: 7, device: 'r1', history_s: 60 }]);
  assert.equal(store.link.phase, 'open');
});

test('a lost socket comes back with growing pauses and goes on after the last frame', () => {
  socket.subscribe({ id: 7, device: 'r1', history_s: 60 });
  socket.connect();
  sockets[0].hello();
  sockets[0].says(snapshot);
  sockets[0].onclose();
  assert.deepEqual([store.link.phase, store.link.tries, store.link.next_ms], ['waiting', 1, 500]);
  clock.advance(500);
  assert.equal(sockets.length, 2);
  sockets[1].onclose();
  assert.equal(store.link.next_ms, 500 + 1000);
  clock.advance(1000);
  sockets[2].hello();
  assert.deepEqual(sockets[2].sent, [{ type: 'subscribe', id: 7, device: 'r1', history_s: 60, epoch: 'e1', since_seq: 41 }]);
  assert.deepEqual([store.link.phase, store.link.lost_ms], ['open', null]);
});

test('pauses grow to eight seconds, spread by half of that to each side', () => {
  socket.connect();
  const pauses = [];
  for (let at = 0; at < 8; at += 1) {
    sockets.at(-1).onclose();
    pauses.push(store.link.next_ms - clock.now_ms);
    clock.advance(pauses.at(-1));
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
  socket.around.random = () => 0;
  sockets.at(-1).onclose();
  assert.equal(store.link.next_ms - clock.now_ms, 4000);
});

test('a server that greets and hangs up does not bring the pause back to its start', () => {
  socket.connect();
  for (let at = 0; at < 3; at += 1) {
    sockets.at(-1).hello();
    sockets.at(-1).onclose();
    clock.advance(store.link.next_ms - clock.now_ms);
  }
  assert.equal(store.link.tries, 3);
  sockets.at(-1).hello();
  clock.advance(10_001);
  sockets.at(-1).onclose();
  assert.equal(store.link.tries, 1);
});

test('the viewer can retry at once', () => {
  socket.connect();
  sockets[0].onclose();
  socket.connect();
  assert.equal(sockets.length, 2);
  clock.advance(5_000);
  assert.equal(sockets.length, 2, 'the timer of the back-off is gone');
});

test('a socket that never greets is given up after ten seconds', () => {
  socket.connect();
  clock.advance(10_000);
  assert.ok(sockets[0].closed);
  assert.equal(store.link.phase, 'waiting');
});

test('a socket that says nothing for two and a half heartbeats is dead', () => {
  socket.connect();
  sockets[0].hello();
  clock.advance(30_000);
  sockets[0].says({ type: 'heartbeat', server_time: 1030 });
  clock.advance(49_999);
  assert.ok(!sockets[0].closed);
  clock.advance(1);
  assert.ok(sockets[0].closed);
  assert.equal(store.link.phase, 'waiting');
});

test('a socket that was let go is not heard any more', () => {
  socket.connect();
  const [first] = sockets;
  socket.connect();
  first.hello();
  first.onclose();
  assert.equal(store.hello, null);
  assert.equal(store.link.phase, 'connecting');
});

test('many wishes are spread so that the server does not refuse them', () => {
  for (let id = 10; id < 34; id += 1) socket.subscribe({ id, device: `r${id}` });
  socket.connect();
  sockets[0].hello();
  assert.equal(sockets[0].sent.length, 8);
  clock.advance(999);
  assert.equal(sockets[0].sent.length, 8);
  clock.advance(2);
  assert.equal(sockets[0].sent.length, 16);
  clock.advance(1001);
  assert.deepEqual(sockets[0].sent.map((message) => message.id), Array.from({ length: 24 }, (_, at) => at + 10));
});

test('of wishes that wait under one id only the newest is sent', () => {
  socket.connect();
  sockets[0].hello();
  for (let offset = 0; offset < 50; offset += 1) socket.subscribe({ id: 1, device: '*', summary: true, offset });
  clock.advance(1001);
  assert.deepEqual(sockets[0].sent.map((message) => message.offset), [0, 1, 2, 3, 4, 5, 6, 7, 49]);
});

test('an ended subscription is told to the server and not asked for again', () => {
  socket.subscribe({ id: 7, device: 'r1' });
  socket.connect();
  sockets[0].hello();
  socket.unsubscribe(7);
  assert.deepEqual(sockets[0].sent.at(-1), { type: 'unsubscribe', id: 7 });
  sockets[0].onclose();
  clock.advance(500);
  sockets[1].hello();
  assert.deepEqual(sockets[1].sent, []);
  assert.equal(store.streams.size, 0);
});
