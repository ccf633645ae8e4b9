import uPlot from 'uplot';
import { axisText, clock } from '../format.js';
import { emptyLines, fillLines, peaksOf } from '../ring.js';
import { Bound, legible, mirroredMarks, timeMarks } from './bound.js';
import { hatchGaps, dotLoneSamples, zeroLine } from './chart-marks.js';

/** @typedef {import('../ring.js').Ring} Ring */
/** @typedef {import('./theme.js').Theme} Theme */

/**
 * @typedef {object} ChartOptions
 * @property {string} label what a screen reader calls it
 * @property {string} [sync] charts of one name share their cursor
 * @property {(position: number|null) => void} [onCursor] position in `data()`, null when the pointer left
 */

/**
 * What to draw: two columns of a ring, from `from` to `to`.
 * @typedef {object} View
 * @property {Ring} ring
 * @property {number} up column
 * @property {number} down column
 * @property {number} from Unix seconds
 * @property {number} to Unix seconds
 * @property {boolean} overdue the newest sample is old: samples are missing up to the right edge
 * @property {number} gapAfter_s samples further apart than this have a gap between them
 */

const FONT = 'Inter, "Fira Sans", "Segoe UI", system-ui, sans-serif';
const LABEL_PX = 84;
const HALF_LABEL_PX = 20;
/** Room of one mark on the y axis, both sides counted. */
const MARK_PX = 130;
/** Height of a line of text on an axis. */
const TEXT_PX = 12;
const LEAST_BPS = 1000;
/** The quieter direction keeps at least this share of the other's height. */
const LEAST_SHARE = 0.15;

/** In above zero, out below, both labelled positive. One uPlot for life; each `show` hands it new data. */
export class TrafficChart {
  #lines = emptyLines();
  #upper = new Bound(LEAST_BPS);
  #lower = new Bound(LEAST_BPS);
  #from = 0;
  #to = 1;
  #overdue = false;
  /** @type {ResizeObserver} */ #sizes;

  /**
   * @param {HTMLElement} host its size, set by CSS, is the chart's
   * @param {Theme} theme
   * @param {ChartOptions} options
   */
  constructor(host, theme, options) {
    this.host = host;
    this.theme = theme;
    this.plot = new uPlot(this.#options(options), this.data(), host);
    this.plot.root.setAttribute('role', 'img');
    this.plot.root.setAttribute('aria-label', options.label);
    this.#sizes = new ResizeObserver(() => this.#fit());
    this.#sizes.observe(host);
    theme.watch(() => this.plot.redraw(false, true));
  }

  /** Times, in, and out negated, as drawn; null is a gap. @returns {[number[], (number|null)[], (number|null)[]]} */
  data() {
    return [this.#lines.times, this.#lines.up, this.#lines.down];
  }

  /** Greatest values in view; null where there is no sample. */
  get peaks() {
    return peaksOf(this.#lines);
  }

  /**
   * @param {View} view
   * @param {number} now_s any clock that does not step
   */
  show(view, now_s) {
    fillLines(this.#lines, view.ring, view.up, view.down, view.from, view.gapAfter_s);
    this.#from = view.from;
    this.#to = view.to;
    this.#overdue = view.overdue;
    this.#upper.fit(this.#lines.maxUp, now_s);
    this.#lower.fit(this.#lines.maxDown, now_s);
    this.plot.setData(this.data(), true);
  }

  destroy() {
    this.#sizes.disconnect();
    this.plot.destroy();
  }

  #fit() {
    const { width, height } = this.#size();
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
  }

  #size() {
    return { width: Math.max(60, this.host.clientWidth), height: Math.max(40, this.host.clientHeight) };
  }

  /** @returns {[number, number]} */
  #range() {
    const [up, down] = [this.#upper.value || LEAST_BPS, this.#lower.value || LEAST_BPS];
    return [-Math.max(down, up * LEAST_SHARE), Math.max(up, down * LEAST_SHARE)];
  }

  /** @param {number[]} marks @param {number} height CSS pixels */
  #axisTexts(marks, height) {
    const [low, high] = this.#range();
    const shown = new Set(legible(marks, ((high - low) * TEXT_PX) / height));
    return marks.map((mark) => (shown.has(mark) ? axisText(mark) : ''));
  }

  /** Moments to label: none so near the right edge that its text would be cut. @param {number} width CSS pixels */
  #timeMarks(width) {
    const cut = this.#to - ((this.#to - this.#from) * HALF_LABEL_PX) / width;
    return timeMarks(this.#from, this.#to, width / LABEL_PX).filter((time) => time <= cut);
  }

  /** @param {ChartOptions} options @returns {uPlot.Options} */
  #options(options) {
    const colour = (/** @type {string} */ token) => () => this.theme.colour(token);
    const font = `11px ${FONT}`;
    const grid = { stroke: colour('grid'), width: 1 };
    const line = (/** @type {string} */ name) => ({
      stroke: colour(name),
      fill: colour(`${name}-fill`),
      fillTo: () => 0,
      width: 1.25,
      points: { show: false },
    });
    return {
      ...this.#size(),
      padding: [8, 10, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        points: { size: 6 },
        ...(options.sync ? { sync: { key: options.sync, setSeries: false } } : {}),
      },
      scales: {
        x: { time: false, range: () => [this.#from, this.#to] },
        y: { range: () => this.#range() },
      },
      series: [{}, line('in'), line('out')],
      axes: [
        {
          stroke: colour('text-3'), font, size: 20, gap: 4, grid, ticks: { show: false },
          splits: (plot) => this.#timeMarks(plot.bbox.width / uPlot.pxRatio),
          values: (_plot, marks) => marks.map((time) => clock(time, this.#to - this.#from <= 600)),
        },
        {
          stroke: colour('text-3'), font, size: 52, gap: 6, grid, ticks: { show: false },
          splits: (plot, _axis, low, high) => mirroredMarks(low, high, plot.bbox.height / uPlot.pxRatio / MARK_PX),
          values: (plot, marks) => this.#axisTexts(marks, plot.bbox.height / uPlot.pxRatio),
        },
      ],
      hooks: {
        drawClear: [(plot) => hatchGaps(plot, this.theme.colour('hatch'), this.#to, this.#overdue)],
        draw: [
          (plot) => zeroLine(plot, this.theme.colour('axis0')),
          (plot) => dotLoneSamples(plot, [this.theme.colour('in'), this.theme.colour('out')]),
        ],
        setCursor: [(plot) => options.onCursor?.(plot.cursor.idx ?? null)],
      },
    };
  }
}
