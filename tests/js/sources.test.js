import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Sources, inOrderOf } from '../../static/js/sources.js';
import { Store } from '../../static/js/store.js';
import { FakeClock } from './fakes.js';

const device = (name, state = 'up', more = {}) => ({
  name, address: '192.0.2.1:161', state, reason: '', since: 900, interfaces: 2, interval_s: 1, configured_interval_s: 1, cadence_s: null, reply_ms: 4,
  last_sample: 999, engine: 'batch', engine_why: '', note: '', ...more,
});
const names = (list) => list.map(({ name }) => name);

let clock;
let store;
let sources;
let told;
/** Requests that wait for an answer. */
let asked;

beforeEach(() => {
  clock = new FakeClock();
  store = new Store(() => clock.now_ms, () => 5_000_000 + clock.now_ms);
  told = 0;
  asked = [];
  const get = () => new Promise((answer, fail) => asked.push({ answer: (...devices) => answer({ devices }), fail }));
  sources = new Sources('/lw/api/v1/devices', store, () => { told += 1; }, { get, later: clock.later, cancel: clock.cancel });
  store.receive({ type: 'hello', protocol: 1, epoch: 'e1', server_time: 1000, interval_s: 1, version: '0' });
});

/** The server's answer to the newest request. */
async function answered(...devices) {
  asked.at(-1).answer(...devices);
  await new Promise(setImmediate);
}

async function refused(text) {
  asked.at(-1).fail(new Error(text));
  await new Promise(setImmediate);
}

test('what wants to be looked at comes first, then by name', async () => {
  sources.start();
  await answered(
    device('r10'), device('r9'), device('z', 'starting'), device('y', 'late'), device('x', 'bad_replies'),
    device('w', 'auth_failed'), device('v', 'down'), device('u', 'down'), device('t', 'of a newer server'),
  );
  assert.deepEqual(names(sources.all), ['t', 'u', 'v', 'w', 'x', 'y', 'z', 'r9', 'r10']);
});

test('the list is fetched again three seconds after it came, and never twice at once', async () => {
  sources.start();
  sources.start();
  clock.advance(20_000);
  assert.equal(asked.length, 1, 'the first answer is still waited for');
  await answered(device('r1'));
  sources.start();
  clock.advance(2_999);
  assert.equal(asked.length, 1);
  clock.advance(1);
  assert.equal(asked.length, 2);
});

test('it tells the moment at which the list was true, by the clock of the server', async () => {
  sources.start();
  assert.ok(Number.isNaN(sources.age_s));
  clock.advance(2_000);
  await answered(device('r1'));
  clock.advance(1_000);
  assert.deepEqual([sources.time, sources.age_s], [1002, 1]);
  store.hello = null;
  assert.ok(Number.isNaN(sources.time), 'the clock of the server is not known');
});

test('a try that fails says why, keeps the list and its age, and is followed by another', async () => {
  sources.start();
  await answered(device('r1'));
  clock.advance(3_000);
  await refused('the server answered 500');
  assert.deepEqual([sources.failure, names(sources.all), sources.age_s, told], ['the server answered 500', ['r1'], 3, 2]);
  clock.advance(3_000);
  await answered(device('r2'));
  assert.deepEqual([sources.failure, names(sources.all), sources.age_s], ['', ['r2'], 0]);
});

test('while nobody looks nothing is fetched, and an answer that comes then is not taken', async () => {
  sources.start();
  sources.stop();
  await answered(device('r1'));
  clock.advance(60_000);
  assert.deepEqual([sources.all, asked.length, told], [[], 1, 0]);
  sources.start();
  await answered(device('r2'));
  sources.stop();
  clock.advance(60_000);
  assert.deepEqual([names(sources.all), asked.length], [['r2'], 2]);
  sources.start();
  assert.equal(asked.length, 3, 'at once when somebody looks again');
});

test('an answer to a question of before is not taken for the one that is waited for', async () => {
  sources.start();
  sources.stop();
  sources.start();
  asked[0].answer(device('before'));
  await answered(device('now'));
  assert.deepEqual([names(sources.all), told], [['now'], 1]);
});

test('a page whose list does not come any more is stale', async () => {
  sources.start();
  await answered(device('r1'));
  clock.advance(3_000);
  await answered(device('r1'));
  clock.advance(9_000);
  assert.equal(store.staleFor_s(), 0);
  clock.advance(100);
  assert.equal(store.staleFor_s(), 9.1);
  assert.equal(store.currency, 'old');
  clock.advance(21_000);
  assert.equal(store.currency, 'none');
});

test('a page that fetches nothing because nobody looks is not stale as long as heartbeats come', async () => {
  sources.start();
  await answered(device('r1'));
  sources.stop();
  for (let minute = 0; minute < 3; minute += 1) {
    for (let beat = 0; beat < 3; beat += 1) {
      clock.advance(20_000);
      store.receive({ type: 'heartbeat', server_time: 1000 + clock.now_ms / 1000 });
    }
    assert.deepEqual([store.staleFor_s(), store.currency], [0, 'live']);
  }
  clock.advance(60_100);
  assert.equal(store.staleFor_s(), 60.1);
});

test('a heartbeat does not stand in for a list that should come', async () => {
  sources.start();
  await answered(device('r1'));
  clock.advance(20_000);
  store.receive({ type: 'heartbeat', server_time: 1020 });
  assert.equal(store.staleFor_s(), 20);
});

test('an order that is held stays, and what is new comes last', () => {
  const list = ['c', 'a', 'new', 'b'].map((name) => device(name));
  assert.deepEqual(names(inOrderOf(list, ['a', 'gone', 'b', 'c'])), ['a', 'b', 'c', 'new']);
});
