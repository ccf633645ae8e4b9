import { clock, count, freshness, plural } from '../format.js';
import { FETCH_EVERY_S, Sources, inOrderOf } from '../sources.js';
import { part, remember, remembered, setAttribute, setText } from './dom.js';
import { findBox } from './find-box.js';
import { SourceRow, matches, sourceView } from './source-row.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../sources.js').Source} Source */

/** Rows that one page draws: more of them nobody reads, and they would make it slow. */
const MOST_ROWS = 500;
/** A pointer that rests for so long was left there. */
const HELD_FOR_MS = 30_000;

/** All devices, those that want to be looked at first: how each answers, and what polls it how often and why. */
export class SourcesPage {
  /** @type {Map<string, SourceRow>} by name, in the order shown */ #rows = new Map();
  #attended_ms = -Infinity;
  #drawn = '';

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    this.filter = remembered('q') ?? '';
    this.body = part('source-rows');
    this.sources = new Sources(`${kit.prefix}/api/v1/devices`, kit.store, () => kit.painter.later(this.paint));
    const input = /** @type {HTMLInputElement} */ (part('filter'));
    findBox(input, this.filter, (words) => {
      this.filter = words;
      remember({ q: words });
      this.#attended_ms = -Infinity;
      kit.painter.later(this.paint);
    });
    kit.keys.add('/', '/', 'find a device', () => input.focus());
    for (const sign of ['pointermove', 'keydown', 'focusin']) {
      this.body.addEventListener(sign, () => (this.#attended_ms = kit.store.now_ms()), { passive: true });
    }
    document.addEventListener('visibilitychange', () => this.#look());
    this.#look();
    kit.painter.eachSecond(this.paint);
  }

  #look() {
    if (document.hidden) this.sources.stop();
    else this.sources.start();
  }

  paint = () => {
    const { version, time, failure } = this.sources;
    const fresh = freshness(this.sources.age_s, FETCH_EVERY_S);
    const known = !Number.isNaN(this.sources.age_s);
    setText(part('as-of'), known && !Number.isNaN(time) ? `as of ${clock(time)} UTC` : '');
    setText(part('overdue'), failure ? `Not fetched: ${failure}` : known ? fresh.text : '');
    const current = fresh.level !== 'none';
    const drawn = `${version} ${current} ${Number.isNaN(time)} ${this.filter}`;
    if (!known || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#show(current ? time : null);
  };

  /** @param {number|null} time at which the list is of now; null: it is too old */
  #show(time) {
    const found = this.sources.all.filter((source) => matches(source, this.filter));
    const held = this.#held;
    const shown = (held ? inOrderOf(found, [...this.#rows.keys()]) : found).slice(0, MOST_ROWS);
    const all = this.sources.all.length;
    setText(part('matched'), `${count(found.length)} of ${plural(all, 'device')}${held ? ', order held' : ''}`);
    part('no-rows').hidden = found.length > 0;
    setText(part('no-rows'), all === 0 ? 'No device is configured.' : 'No device matches.');
    part('more-rows').hidden = found.length <= MOST_ROWS;
    setText(part('more-rows'), `The first ${count(MOST_ROWS)} are shown; find narrows them down.`);
    this.#place(shown);
    for (const source of shown) {
      this.#rows.get(source.name)?.show(source.address, sourceView(time === null ? null : source, time ?? NaN));
    }
  }

  /** As many rows as there are devices, in their order; nothing is moved that stands where it should. @param {Source[]} shown */
  #place(shown) {
    const before = [...this.#rows.keys()];
    setAttribute(part('sources'), 'data-rows', String(shown.length));
    if (before.length === shown.length && shown.every((source, at) => source.name === before[at])) return;
    const old = this.#rows;
    this.#rows = new Map(shown.map(({ name }) => [name, old.get(name) ?? new SourceRow(this.kit.prefix, name)]));
    this.body.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
  }

  /** Whether somebody points at a row, or has one in focus. */
  get #held() {
    const attended = this.kit.store.now_ms() - this.#attended_ms < HELD_FOR_MS;
    return attended && this.body.matches(':hover, :focus-within');
  }
}
