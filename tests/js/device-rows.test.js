import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceRows } from '../../static/js/components/device-rows.js';
import { Stream } from '../../static/js/stream.js';

const plain = (text) => text.replace(/\u2009/g, ' ');
const kit = { prefix: '', store: { now_ms: () => 1000, serverNow: () => 1000 } };

/** What the rows of a device say of themselves, its interfaces refreshed so often. */
function abouts(...cadences_s) {
  const stream = new Stream(1, 'r1', 60);
  const interfaces = cadences_s.map((cadence_s, row) => ({
    name: `eth${row}`, alias: 'to fra2', description: '', circuit: '', speed_bps: 1e9, oper_status: 'up', admin_status: 'up', cadence_s,
  }));
  const values = [interfaces.map(() => [1])];
  stream.take({ metrics: ['in_bps'], interfaces, times: [999], values, not_due: [[]], interval_s: 1, seq: 1 }, 1000, 1000);
  const rows = new DeviceRows(kit, 'r1');
  rows.take(stream, 'name', false, false);
  return cadences_s.map((_, row) => plain(rows.lineAt(row).view.about));
}

test('where interfaces differ in how often they are refreshed, each slow one says so', () => {
  assert.deepEqual(abouts(3, null, 10), [
    'to fra2 · 1 G · updates every 3.0 s', 'to fra2 · 1 G', 'to fra2 · 1 G · updates every 10.0 s',
  ]);
});

test('where all are alike the head of the page says it once', () => {
  assert.deepEqual(abouts(3, 3), ['to fra2 · 1 G', 'to fra2 · 1 G']);
  assert.deepEqual(abouts(null, null), ['to fra2 · 1 G', 'to fra2 · 1 G']);
});
