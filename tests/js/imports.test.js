import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, dirname, relative, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../../static/js');
const FILES = readdirSync(ROOT, { recursive: true }).filter((name) => name.endsWith('.js'));

/** main → components, socket → store, stream, time-axis, event-log, again, wire, format, links → ring. */
function layer(name) {
  if (name === 'main.js') return 3;
  if (name.startsWith('components/') || name === 'socket.js') return 2;
  return name === 'ring.js' ? 0 : 1;
}

const text = (name) => readFileSync(join(ROOT, name), 'utf8');
const imports = (name) =>
  [...text(name).matchAll(/^import .*from '(\.[^']+)';$/gm)].map((found) => relative(ROOT, resolve(ROOT, dirname(name), found[1])));

test('modules import downwards only, and the socket and the components not one another', () => {
  let seen = 0;
  for (const name of FILES) {
    for (const other of imports(name)) {
      seen += 1;
      assert.ok(layer(other) <= layer(name), `${name} imports ${other}`);
      assert.ok((name === 'socket.js') === (other === 'socket.js') || layer(other) !== 2 || layer(name) !== 2, `${name} imports ${other}`);
    }
  }
  assert.ok(seen > 30, 'the imports were found');
});

test('only components and the start of the page touch the document', () => {
  for (const name of FILES.filter((candidate) => layer(candidate) < 2 || candidate === 'socket.js')) {
    assert.doesNotMatch(text(name), /\bdocument\.|\blocalStorage\b|querySelector/, name);
  }
});

test('text reaches the page as text alone', () => {
  for (const name of FILES) assert.doesNotMatch(text(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/, name);
});
