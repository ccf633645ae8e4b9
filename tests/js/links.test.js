import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceUrl, placesOf, wallUrl, windowOf, windowText } from '../../static/js/links.js';

test('an address keeps names with slashes, colons, commas, percent signs and spaces', () => {
  const places = ['et-0/0/2', 'Gi1:0,5', '100% up', 'a&b=c#d', 'ü 1'].map((name) => ({ device: 'fra1-pe1', name }));
  const url = new URL(wallUrl('/lw', places), 'http://host');
  assert.equal(url.pathname, '/lw/wall');
  assert.deepEqual(placesOf(url.search).places, places);
});

test('an address typed by hand needs no encoding', () => {
  assert.deepEqual(placesOf('?t=5m&i=fra1-pe1:et-0/0/2,ams2-pe1:ae1:0').places, [
    { device: 'fra1-pe1', name: 'et-0/0/2' },
    { device: 'ams2-pe1', name: 'ae1:0' },
  ]);
  assert.deepEqual(placesOf('?i=a:100%').places, [{ device: 'a', name: '100%' }]);
});

test('an address that a chat program encoded once more still works', () => {
  assert.deepEqual(placesOf('?i=fra1%3Aet-0%2F0%2F2%2Cfra1%3Axe-1').places, [
    { device: 'fra1', name: 'et-0/0/2' },
    { device: 'fra1', name: 'xe-1' },
  ]);
});

test('doubles and broken parts are left out, and so is what is beyond 24', () => {
  assert.deepEqual(placesOf('?i=a:1,a:1,:2,b,c:').places, [{ device: 'a', name: '1' }]);
  assert.deepEqual(placesOf('').places, []);
  const many = Array.from({ length: 30 }, (_, at) => `a:${at}`).join(',');
  assert.equal(placesOf(`?i=${many}`).places.length, 24);
  assert.equal(placesOf(`?i=${many}`).dropped, 6);
});

test('windows read and write as they stand in addresses', () => {
  assert.deepEqual(['1m', '5m', '15m', '7m', null].map((text) => windowOf(text, 300)), [60, 300, 900, 300, 300]);
  assert.deepEqual([60, 900].map(windowText), ['1m', '15m']);
});

test('a device address is encoded', () => {
  assert.equal(deviceUrl('', 'a b'), '/device/a%20b');
});
