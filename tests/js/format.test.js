import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../static/js/format.js';

const plain = (text) => text.replace(/\u2009/g, ' ');

test('rates have three significant digits and the right SI step', () => {
  const cases = [[0, '0'], [999, '999'], [1000, '1.00 k'], [9_994, '9.99 k'], [9_996, '10.0 k'], [99_949, '99.9 k'],
    [99_950, '100 k'], [999_499, '999 k'], [999_500, '1.00 M'], [4.21e9, '4.21 G'], [1.5e14, '150 T']];
  for (const [value, text] of cases) assert.equal(plain(format.bps(value)), text, String(value));
});

test('a missing rate is a dash, never a zero', () => {
  for (const value of [null, undefined, NaN, Infinity]) assert.equal(format.bps(value), '–');
  assert.equal(format.rate(null), '–');
  assert.equal(plain(format.rate(41.8e9)), '41.8 Gb/s');
  assert.equal(plain(format.rate(12)), '12 b/s');
});

test('axis text is positive on both sides and as short as it is exact', () => {
  assert.deepEqual([0, -25e9, 2.5e6, 500].map(format.axisText).map(plain), ['0', '25 G', '2.5 M', '500']);
});

test('a percentage keeps one digit below ten and hides nothing above zero', () => {
  assert.deepEqual([null, 0, 0.04, 0.05, 9.94, 84.4].map(format.percent), ['', '0%', '0%', '0.1%', '9.9%', '84%']);
  for (let tenths = 1; tenths < 100; tenths += 1) assert.equal(format.percent(tenths / 10), `${(tenths / 10).toFixed(1)}%`);
});

test('a percentage that has not reached a limit does not say so', () => {
  assert.deepEqual([9.96, 79.6, 79.999, 80, 89.99, 90].map(format.percent), ['9.9%', '79%', '79%', '80%', '89%', '90%']);
});

test('counts have thousands', () => {
  assert.deepEqual([0, 999, 2016, 1234567].map(format.count), ['0', '999', '2,016', '1,234,567']);
  assert.equal(format.plural(1, 'interface'), '1 interface');
  assert.equal(format.plural(48, 'interface'), '48 interfaces');
});

test('ages count up each second until an hour', () => {
  const cases = [[0.4, '0 s'], [96.9, '96 s'], [119.9, '119 s'], [120, '2 m 00 s'], [245, '4 m 05 s'], [3600, '1 h 00 m'],
    [90000, '1 d 1 h']];
  for (const [seconds, text] of cases) assert.equal(plain(format.age(seconds)), text);
});

test('intervals are as exact as they are short, or as exact as asked', () => {
  const texts = [format.span(1), format.span(0.25), format.span(5, 1), format.span(300)];
  assert.deepEqual(texts.map(plain), ['1 s', '0.25 s', '5.0 s', '5 min']);
});

test('times are UTC', () => {
  const time = Date.UTC(2026, 10, 20, 18, 31, 4) / 1000;
  assert.equal(format.clock(time), '18:31:04');
  assert.equal(format.clock(time, false), '18:31');
  assert.equal(format.moment(time), '2026-11-20 18:31:04 UTC');
});

test('a value is late after two and a half intervals and gone after ten', () => {
  const level = (age_s, interval_s) => format.freshness(age_s, interval_s).level;
  assert.deepEqual([2.5, 2.6, 10, 10.1].map((age_s) => level(age_s, 1)), ['live', 'late', 'late', 'none']);
  assert.deepEqual([12, 13, 51].map((age_s) => level(age_s, 5)), ['live', 'late', 'none']);
  assert.equal(plain(format.freshness(3.2, 1).text), 'Late 3 s');
  assert.equal(plain(format.freshness(96, 1).text), 'No data 96 s');
  assert.equal(format.freshness(NaN, 1).text, 'No data');
});

test('an interface that passes no traffic is called the same everywhere', () => {
  const told = (oper_status, admin_status, role) => Object.values(format.outageOf({ oper_status, admin_status, role }));
  assert.deepEqual(told('down', 'down', 'core'), ['down', 'Switched off']);
  assert.deepEqual(told('down', 'up', 'core'), ['critical', 'Line down']);
  assert.deepEqual(told('down', 'up', ''), ['down', 'Down']);
  assert.deepEqual(told('lowerLayerDown', null, ''), ['down', 'Down']);
  for (const status of [null, 'up', 'unknown']) assert.deepEqual(told(status, 'up', 'core'), ['', '']);
});

test('the cadence of a device is told with how far its interfaces differ in it', () => {
  const told = (device_s, rows_s) => plain(format.cadenceText(device_s, rows_s));
  assert.equal(told(null, [null, null]), '');
  assert.equal(told(3, [3, 3]), 'Counters update every 3.0 s; means are shown.');
  assert.equal(told(3.04, []), 'Counters update every 3.0 s; means are shown.');
  assert.equal(told(10, [10, 3, 5]), 'Counters update every 3.0 s to 10.0 s; means are shown.');
  assert.equal(told(3, [3, null]), 'Some counters update every 3.0 s; means are shown of these.');
  assert.equal(told(10, [3, null, 10]), 'Some counters update every 3.0 s to 10.0 s; means are shown of these.');
  assert.equal(told(3, [null]), 'Counters update every 3.0 s; means are shown.', 'no interface is known to be slow yet');
});
