import { bps, percent } from '../format.js';
import { make, setAttribute, setText } from './dom.js';
import { icon, iconOf, setIcon } from './icons.js';
import { drawSparkline } from './sparkline.js';

/** @typedef {import('../store.js').Spark} Spark */

/**
 * What an interface row says. `level` is an attention level or empty; `silent` rows show no values.
 * @typedef {object} RowView
 * @property {string} href
 * @property {string} title
 * @property {string} about alias and the like
 * @property {string} level
 * @property {string} word in the last column
 * @property {boolean} late
 * @property {boolean} silent
 * @property {Spark|undefined} spark
 * @property {number|null} in_bps
 * @property {number|null} out_bps
 * @property {number|null} in_percent
 * @property {number|null} out_percent
 * @property {boolean} picked
 */

const STATE_WORDS = Object.freeze({
  ok: 'normal', warning: 'warning', critical: 'critical', stale: 'no data', down: 'down', note: 'note',
});
const SPARK_HEIGHT_PX = 28;

/** One line of an interface table: cells that are made once and lent to row after row. */
export class InterfaceRow {
  #icon = icon('ok');
  #stateWord = make('span', { class: 'only-read' });
  #title = document.createTextNode('');
  #about = make('span', { class: 'about' });
  link = make('a', { class: 'row-link' });
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #in = make('span', { class: 'number in', role: 'cell' });
  #out = make('span', { class: 'number out', role: 'cell' });
  #inBar = make('i', { class: 'bar in' });
  #outBar = make('i', { class: 'bar out' });
  #percent = make('span', { class: 'number' });
  #word = make('span', { class: 'word', role: 'cell' });
  /** @type {Spark|undefined} */ #drawn;
  #drawnWidth = 0;
  #drawnTheme = '';

  constructor() {
    this.link.append(this.#title);
    const bars = make('span', { class: 'bars', 'aria-hidden': 'true' }, this.#inBar, this.#outBar);
    this.element = make(
      'div',
      { class: 'row', role: 'row' },
      make('span', { class: 'state', role: 'cell' }, this.#icon, this.#stateWord),
      make('span', { class: 'title', role: 'cell' }, this.link, ' ', this.#about),
      make('span', { class: 'spark', role: 'cell' }, this.#canvas),
      this.#in,
      this.#out,
      make('span', { class: 'utilisation', role: 'cell' }, bars, this.#percent),
      this.#word,
    );
  }

  /**
   * @param {RowView} view
   * @param {number} position in the whole list, from 0
   * @param {import('./theme.js').Theme} theme
   * @param {number} sparkWidth CSS pixels
   */
  show(view, position, theme, sparkWidth) {
    const state = iconOf(view.level);
    setIcon(this.#icon, state);
    setText(this.#stateWord, STATE_WORDS[state]);
    setText(this.#title, view.title);
    setText(this.#about, view.about);
    setAttribute(this.link, 'href', view.href);
    setAttribute(this.element, 'aria-rowindex', String(position + 2));
    setAttribute(this.element, 'data-level', view.level);
    this.element.classList.toggle('late', view.late || view.silent);
    this.element.classList.toggle('picked', view.picked);
    setText(this.#in, bps(view.silent ? null : view.in_bps));
    setText(this.#out, bps(view.silent ? null : view.out_bps));
    const busier = Math.max(view.in_percent ?? -1, view.out_percent ?? -1);
    setText(this.#percent, view.silent || busier < 0 ? '' : percent(busier));
    scale(this.#inBar, view.silent ? 0 : view.in_percent);
    scale(this.#outBar, view.silent ? 0 : view.out_percent);
    setText(this.#word, view.word);
    this.#drawSpark(view.spark, theme, sparkWidth);
  }

  /** A row whose data has not come yet. @param {number} position */
  wait(position) {
    setText(this.#title, ' ');
    this.link.removeAttribute('href');
    for (const cell of [this.#stateWord, this.#about, this.#in, this.#out, this.#percent, this.#word]) setText(cell, '');
    setIcon(this.#icon, 'ok');
    setAttribute(this.element, 'aria-rowindex', String(position + 2));
    setAttribute(this.element, 'data-level', 'waiting');
    this.element.classList.remove('picked', 'late');
    scale(this.#inBar, 0);
    scale(this.#outBar, 0);
    if (this.#drawn) this.#canvas.width = 0;
    this.#drawn = undefined;
  }

  /** @param {Spark|undefined} spark @param {import('./theme.js').Theme} theme @param {number} width */
  #drawSpark(spark, theme, width) {
    if (spark === this.#drawn && width === this.#drawnWidth && theme.name === this.#drawnTheme) return;
    this.#drawn = spark;
    this.#drawnWidth = width;
    this.#drawnTheme = theme.name;
    drawSparkline(this.#canvas, theme, spark?.up ?? [], spark?.down ?? [], width, SPARK_HEIGHT_PX);
  }
}

/** @param {HTMLElement} bar @param {number|null} value percent */
function scale(bar, value) {
  const transform = `scaleX(${(Math.min(100, Math.max(0, value ?? 0)) / 100).toFixed(3)})`;
  if (bar.style.transform !== transform) bar.style.transform = transform;
}
