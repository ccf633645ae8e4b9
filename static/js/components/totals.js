import { age, bps, clock, count, rate, si, span } from '../format.js';
import { TREND_S } from '../store.js';
import { part, setText } from './dom.js';
import { TrafficChart } from './traffic-chart.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../wire.js').Totals} Sums */

/** A trend whose points lie further apart than this has a hole. */
const GAP_AFTER_S = 12;
const OVERDUE_S = 2.5;

/** All devices together: how many, how well polled, how much traffic now and over the last 15 minutes. */
export class Totals {
  #drawn = '';

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    this.caption = part('trend-caption');
    this.chart = new TrafficChart(part('trend'), kit.theme, {
      label: 'Total traffic of all interfaces over the last 15 minutes',
      onCursor: (position) => this.#pointAt(position),
    });
    kit.charts.set('total', this.chart);
    kit.store.watch('summary', () => kit.painter.later(this.paint));
    kit.painter.eachSecond(this.paint);
  }

  paint = () => {
    const { store } = this.kit;
    const totals = store.summary?.totals;
    if (!totals) return;
    const none = store.currency === 'none';
    const set = (/** @type {string} */ name, /** @type {string} */ text) => setText(part(name), text);
    for (const [name, text] of Object.entries(none ? dashes(totals) : totalTexts(totals))) set(name, text);
    part('interfaces-silent').classList.toggle('critical', totals.no_data > 0 && !none);
    part('devices-late').classList.toggle('warning', totals.devices_late > 0 && !none);
    part('devices-lost').classList.toggle('critical', totals.devices_lost > 0 && !none);
    const now = store.serverNow();
    const overdue = now - store.trend.newestTime > OVERDUE_S;
    const to = overdue ? Math.floor(now) : store.trend.newestTime;
    const drawn = `${store.trend.newestTime} ${to}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const view = { ring: store.trend, up: 0, down: 1, from: to - TREND_S, to, overdue, gapAfter_s: GAP_AFTER_S };
    this.chart.show(view, store.now_ms() / 1000);
    set('peak-in', bps(this.chart.peaks.up));
    set('peak-out', bps(this.chart.peaks.down));
  };

  /** @param {number|null} position */
  #pointAt(position) {
    const [times, up, down] = this.chart.data();
    const time = position === null ? undefined : times[position];
    if (position === null || time === undefined) {
      setText(this.caption, 'All interfaces, 15 min');
      return;
    }
    const below = down[position];
    const values = `in ${rate(up[position])}, out ${rate(below == null ? null : -below)}`;
    setText(this.caption, `${clock(time)} UTC: ${up[position] == null ? 'no sample' : values}`);
  }
}

/**
 * The strip where nothing is known of now.
 * @param {Sums} totals
 * @returns {Record<string, string>} by part
 */
export function dashes(totals) {
  return Object.fromEntries(Object.keys(totalTexts(totals)).map((name) => [name, name.endsWith('-unit') ? '' : '–']));
}

/**
 * What each part of the strip says; `–` where there is no value.
 * @param {Sums} totals
 * @returns {Record<string, string>} by part
 */
export function totalTexts(totals) {
  const { interval_s, reply_p99_ms, oldest_sample_s } = totals;
  const [[into, intoPrefix], [out, outPrefix]] = [si(totals.in_bps), si(totals.out_bps)];
  return {
    interfaces: count(totals.interfaces),
    'interfaces-up': count(totals.up),
    'interfaces-down': count(totals.down),
    'interfaces-silent': count(totals.no_data),
    'devices-total': count(totals.devices),
    'devices-up': count(totals.devices_up),
    'devices-late': count(totals.devices_late),
    'devices-lost': count(totals.devices_lost),
    interval: interval_s === null ? '–' : interval_s.toFixed(2),
    reply: reply_p99_ms === null ? '–' : `${reply_p99_ms.toFixed(0)}\u2009ms`,
    oldest: oldest_sample_s === null ? '–' : oldest_sample_s < 10 ? span(oldest_sample_s, 1) : age(oldest_sample_s),
    'total-in': into,
    'total-in-unit': totals.in_bps === null ? '' : `${intoPrefix}b/s`,
    'total-out': out,
    'total-out-unit': totals.out_bps === null ? '' : `${outPrefix}b/s`,
  };
}
