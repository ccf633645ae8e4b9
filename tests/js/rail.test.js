import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventText } from '../../static/js/components/rail.js';

const told = (text, afterSubject, place = '') => eventText({ text, device: 'par2-pe1', interface: place }, afterSubject);

test('an event reads the same whether its text begins with the device or not', () => {
  assert.deepEqual(['par2-pe1 is up', 'is up'].map((text) => told(text, true)), ['is up', 'is up']);
  assert.deepEqual(['par2-pe1 is late: 2 of 10', 'late: 2 of 10'].map((text) => told(text, false)), ['Late: 2 of 10', 'Late: 2 of 10']);
  assert.equal(told('par2-pe1: 18 of 18 interfaces', true), '18 of 18 interfaces');
  assert.equal(told('is up', false), 'Up');
});

test('an event of an interface does not name it twice, and another that begins alike is left as it is', () => {
  assert.equal(told('par2-pe1 et-0/0/1 is down', true, 'et-0/0/1'), 'is down');
  assert.equal(told('et-0/0/11 is down', true, 'et-0/0/1'), 'et-0/0/11 is down');
  assert.equal(told('par2-pe10 is down', true), 'par2-pe10 is down');
});
