import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, sourceView } from '../../static/js/components/source-row.js';

const source = {
  name: 'r1', address: '192.0.2.1:161', state: 'up', reason: '', since: 900, interfaces: 1048, interval_s: 1, configured_interval_s: 1, cadence_s: null,
  reply_ms: 44.4, last_sample: 999.6, engine: 'batch', engine_why: '', note: '',
};
/** What a row says at the server's time 1000. */
const told = (more, time = 1000) => {
  const view = sourceView({ ...source, ...more }, time);
  return Object.fromEntries(Object.entries(view).map(([name, text]) => [name, text.replace(/\u2009/g, ' ')]));
};

test('a device that is well says how it is polled, and nothing that need not be explained', () => {
  assert.deepEqual(told({}), {
    level: 'ok', state: 'Answering', since: 'since 1970-01-01 00:15:00 UTC', reason: '', engine: 'batch', why: '', pace: 'every 1 s',
    details: '', reply: '44 ms', interfaces: '1,048', age: '0.4 s', ageLevel: 'live',
  });
});

test('a device that is not polled as it would be by itself says why', () => {
  const { engine, why } = told({ engine: 'pysnmp', engine_why: 'the batch engine cannot read it: no usable values' });
  assert.deepEqual([engine, why], ['pysnmp', 'the batch engine cannot read it: no usable values']);
});

test('slow counters are told with their period, beside what else is to be known', () => {
  assert.equal(told({ cadence_s: 3.02 }).details, 'counters update every 3.0 s');
  assert.equal(told({ cadence_s: 3.02, note: '32-bit counters' }).details, 'counters update every 3.0 s, 32-bit counters');
  assert.equal(told({ interval_s: 4 }).pace, 'every 4 s, configured 1 s', 'a device that struggles is asked less often');
});

test('a device that does not answer says so in words, and gives the age of its newest sample but no reply time', () => {
  const view = told({ state: 'down', reason: 'no answer for 96 s', reply_ms: null, last_sample: 904 });
  assert.deepEqual([view.level, view.state, view.reason, view.reply], ['stale', 'Not answering', 'no answer for 96 s', '–']);
  assert.deepEqual([view.age, view.ageLevel], ['96 s', 'none']);
});

test('a sample is late after two and a half intervals of its device and old after ten', () => {
  const level = (age_s, interval_s) => told({ last_sample: 1000 - age_s, interval_s }).ageLevel;
  assert.deepEqual([2.5, 2.6, 10.1].map((age_s) => level(age_s, 1)), ['live', 'late', 'none']);
  assert.deepEqual([12, 13, 51].map((age_s) => level(age_s, 5)), ['live', 'late', 'none']);
});

test('what is not known is a dash or a word, never a number', () => {
  const unread = told({ last_sample: null, interfaces: 0, state: 'starting' });
  assert.deepEqual([unread.age, unread.interfaces], ['none yet', '–'], 'nobody knows yet how many it has');
  assert.equal(told({ interfaces: 0 }).interfaces, '0');
  assert.equal(told({}, NaN).age, '–', 'the clock of the server is not known yet');
  assert.deepEqual([told({ last_sample: 1000.4 }).age, told({ reply_ms: 0.31 }).reply], ['0.0 s', '0.3 ms']);
  assert.equal(told({ engine: '' }).engine, '–');
  assert.equal(told({ state: 'of a newer server' }).state, 'of a newer server');
});

test('of a list that is too old nothing is told', () => {
  const view = sourceView(null, NaN);
  assert.equal(view.state, 'Not known');
  for (const name of ['engine', 'pace', 'reply', 'interfaces', 'age']) assert.equal(view[name], '–', name);
  for (const name of ['reason', 'why', 'details', 'since']) assert.equal(view[name], '', name);
});

test('find looks for each word in all that the page says of a device', () => {
  const one = { ...source, name: 'fra1-pe1', state: 'down', reason: 'No answer for 20 s', engine: 'pysnmp', engine_why: 'set in the configuration' };
  for (const words of ['', 'FRA1', '192.0.2', 'pysnmp configuration', 'no answer', 'down', 'not answering']) assert.ok(matches(one, words), words);
  assert.ok(!matches(one, 'fra1 batch'));
});
