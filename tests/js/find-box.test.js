import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { findBox } from '../../static/js/components/find-box.js';

/** As much of a search box as is asked of it. */
class Box extends EventTarget {
  value = '';
  blurred = 0;
  blur = () => { this.blurred += 1; };

  fires(name, value = this.value) {
    this.value = value;
    this.dispatchEvent(new Event(name));
  }

  pressed(key) {
    const event = Object.assign(new Event('keydown', { cancelable: true }), { key, isComposing: false });
    this.dispatchEvent(event);
    return event;
  }
}

let box;
let told;

beforeEach(() => {
  box = new Box();
  told = [];
  findBox(box, 'core', (words) => told.push(words));
});

test('a find box begins with the words of the address', () => {
  assert.equal(box.value, 'core');
  assert.deepEqual(told, []);
});

test('each change is told once, without the blanks around it', () => {
  box.fires('input', 'et-0 ');
  box.fires('input', 'et-0');
  box.fires('change');
  assert.deepEqual(told, ['et-0']);
});

test('Escape takes the words away and with them the filter', () => {
  const event = box.pressed('Escape');
  assert.deepEqual([box.value, told, box.blurred], ['', [''], 1]);
  assert.ok(event.defaultPrevented, 'the browser has nothing left to empty');
});

test('the cross of the box takes the filter away too', () => {
  box.fires('search', '');
  assert.deepEqual(told, ['']);
});

test('Escape in an empty box only leaves it', () => {
  box.fires('input', '');
  box.pressed('Escape');
  assert.deepEqual([told, box.blurred], [[''], 1]);
});
