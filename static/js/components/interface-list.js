import { MOST_CHARTS, wallUrl } from '../links.js';
import { part, setAttribute, setText } from './dom.js';
import { InterfaceRow } from './interface-row.js';
import { RowPool } from './row-pool.js';

/** @typedef {import('./interface-row.js').RowView} RowView */
/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../links.js').Place} Place */
/** @typedef {'name'|'in'|'out'|'utilisation'|'attention'} Sort */
/** @typedef {{view: RowView, place: Place|null}} Line what a row says, and the interface that it is, if it is one */

/** A pointer that rests for so long was left there. */
const HELD_FOR_MS = 30_000;

/**
 * The table of interfaces that the overview and the device page share: virtual rows, sorting by the headings, rows picked
 * for a graph wall. Where the lines come from is its owner's business.
 */
export class InterfaceList {
  /** @type {Map<string, Place>} */ #picked = new Map();
  /** @type {Sort} */ sort = 'attention';
  descending = true;
  /** Index of the row that J and K are on. */ #cursor = -1;
  #sparkWidth = 160;
  #attended_ms = -Infinity;

  /**
   * @param {Kit} kit
   * @param {(index: number) => Line|null} lineAt null while it has not come
   * @param {{moved?: () => void, sorted: () => void}} tell
   */
  constructor(kit, lineAt, tell) {
    this.kit = kit;
    this.lineAt = lineAt;
    this.tell = tell;
    this.table = part('table');
    this.scroller = part('rows');
    this.pool = new RowPool(
      this.scroller,
      part('row-list'),
      () => this.#build(),
      (row, index) => this.#paint(row, index),
      tell.moved,
    );
    for (const button of this.#headings()) button.addEventListener('click', () => this.#sortBy(button));
    for (const sign of ['pointermove', 'keydown', 'focusin']) {
      this.scroller.addEventListener(sign, () => (this.#attended_ms = kit.store.now_ms()), { passive: true });
    }
    kit.theme.watch(() => this.pool.place());
    kit.keys.add('j', 'J', 'next row', () => this.#go(1));
    kit.keys.add('k', 'K', 'row before', () => this.#go(-1));
    kit.keys.add('x', 'X', 'pick the row for the graph wall', () => this.#pickAt(this.#cursor));
    kit.keys.add('g', 'G', 'graph wall of the picked rows', () => this.#openWall());
  }

  /** Whether somebody points at a row, or has one in focus, so that none may move away under them. */
  get held() {
    const attended = this.kit.store.now_ms() - this.#attended_ms < HELD_FOR_MS;
    return attended && (this.scroller.matches(':hover') || this.scroller.querySelector('a:focus') !== null);
  }

  /** @param {Sort} sort @param {boolean} descending */
  setSort(sort, descending) {
    this.sort = sort;
    this.descending = descending;
    for (const button of this.#headings()) {
      const active = button.dataset.sort === sort;
      const cell = /** @type {Element} */ (button.parentElement);
      setAttribute(cell, 'aria-sort', active ? (descending ? 'descending' : 'ascending') : 'none');
    }
  }

  /** @param {number} count rows of the whole list */
  show(count) {
    this.pool.count = count;
    setAttribute(this.table, 'aria-rowcount', String(count + 1));
    this.#sparkWidth = parseFloat(getComputedStyle(this.table).getPropertyValue('--spark-width')) || 160;
    this.pool.place();
  }

  scrollToTop() {
    this.scroller.scrollTop = 0;
    this.#cursor = -1;
  }

  /** @returns {HTMLButtonElement[]} */
  #headings() {
    return [...this.table.querySelectorAll('button')].filter((button) => button.dataset.sort);
  }

  #build() {
    const row = new InterfaceRow();
    row.element.addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('a')) return;
      if (String(getSelection())) return; // the click ended a selection of text
      for (const shown of this.pool.shown()) if (shown.element === row.element) this.#pickAt(shown.index);
    });
    return row;
  }

  /** @param {InterfaceRow} row @param {number} index */
  #paint(row, index) {
    const line = this.lineAt(index);
    if (!line) {
      row.wait(index);
      return;
    }
    const picked = line.place !== null && this.#picked.has(keyOf(line.place));
    row.show({ ...line.view, picked }, index, this.kit.theme, this.#sparkWidth);
  }

  /** @param {HTMLButtonElement} button */
  #sortBy(button) {
    const sort = /** @type {Sort} */ (button.dataset.sort);
    const descending = sort === this.sort ? !this.descending : sort !== 'name';
    this.setSort(sort, descending);
    this.scrollToTop();
    this.tell.sorted();
  }

  /** @param {number} step */
  #go(step) {
    if (this.pool.count === 0) return;
    this.#cursor = Math.min(this.pool.count - 1, Math.max(0, this.#cursor + step));
    this.pool.reveal(this.#cursor)?.link.focus();
  }

  /** @param {number} index */
  #pickAt(index) {
    const place = this.lineAt(index)?.place;
    if (!place) return;
    const key = keyOf(place);
    if (!this.#picked.delete(key) && this.#picked.size < MOST_CHARTS) this.#picked.set(key, place);
    const link = part('wall-link');
    link.hidden = this.#picked.size === 0;
    link.setAttribute('href', wallUrl(this.kit.prefix, [...this.#picked.values()]));
    setText(part('wall-count', link), String(this.#picked.size));
    this.pool.place();
  }

  #openWall() {
    const link = part('wall-link');
    if (!link.hidden) link.click();
  }
}

/** @param {Place} place */
function keyOf(place) {
  return `${place.device}\n${place.name}`;
}
