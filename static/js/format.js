/** Numbers, ages and times as text: SI steps of 1,000, bits per second, three significant digits, UTC. No DOM, no clock. */

const THIN = '\u2009';
const STEPS = /** @type {const} */ ([
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]);

/** What stands where there is no value. */
const NONE = '–';

/**
 * A number's text and its SI prefix. A step begins where three digits would round up to it: 999.6 k is 1.00 M.
 * @param {number|null|undefined} value
 * @returns {[string, string]}
 */
export function si(value) {
  if (value == null || !Number.isFinite(value)) return [NONE, ''];
  const size = Math.abs(value);
  for (const [step, prefix] of STEPS) {
    if (size < step * 0.9995) continue;
    const shown = value / step;
    const digits = Math.abs(shown) >= 99.95 ? 0 : Math.abs(shown) >= 9.995 ? 1 : 2;
    return [shown.toFixed(digits), prefix];
  }
  return [value.toFixed(0), ''];
}

/**
 * `4.21 G`; `–` where there is no value.
 * @param {number|null|undefined} value bits per second
 */
export function bps(value) {
  const [text, prefix] = si(value);
  return prefix ? text + THIN + prefix : text;
}

/**
 * `4.21 Gb/s`; `–` where there is no value.
 * @param {number|null|undefined} value bits per second
 */
export function rate(value) {
  const [text, prefix] = si(value);
  return text === NONE ? NONE : `${text}${THIN}${prefix}b/s`;
}

/**
 * The shortest exact text of a round number, without its sign: both halves of an axis read positive.
 * @param {number} value
 */
export function axisText(value) {
  const size = Math.abs(value);
  for (const [step, prefix] of STEPS) {
    if (size >= step) return Number((size / step).toFixed(3)) + THIN + prefix;
  }
  return String(Number(size.toFixed(3)));
}

/**
 * A line speed: `100 G`, `2.5 G`; empty where unknown.
 * @param {number} speed_bps
 */
export function speed(speed_bps) {
  return speed_bps > 0 ? axisText(speed_bps) : '';
}

/**
 * `8.7%`, `42%`; empty where there is none. Never rounded up: what says 80% has reached 80%, as the limits see it.
 * @param {number|null|undefined} value
 */
export function percent(value) {
  if (value == null || !Number.isFinite(value)) return '';
  if (value < 0.05) return '0%';
  return value < 10 ? `${Math.max(0.1, Math.floor(value * 10 + 1e-9) / 10).toFixed(1)}%` : `${Math.floor(value)}%`;
}

/**
 * `2,016`
 * @param {number} value
 */
export function count(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * `one` or `many`, with its number: `1 interface`, `48 interfaces`.
 * @param {number} value
 * @param {string} one
 */
export function plural(value, one) {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`;
}

/**
 * A length of time, in steps that a reader can watch: `96 s`, `4 m 05 s`, `3 h 20 m`, `2 d 4 h`.
 * @param {number} seconds
 */
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole}${THIN}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}m ${pad(whole % 60)}${THIN}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}${THIN}h ${pad(Math.floor(whole / 60) % 60)}${THIN}m`;
  return `${Math.floor(whole / 86400)}${THIN}d ${Math.floor(whole / 3600) % 24}${THIN}h`;
}

/**
 * An interval: `1 s`, `0.25 s`, `5.0 s`, `5 min`.
 * @param {number} seconds
 * @param {number} [digits] digits after the point; by default as few as are exact to 10 ms
 */
export function span(seconds, digits) {
  if (seconds >= 120) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${digits === undefined ? Number(seconds.toFixed(2)) : seconds.toFixed(digits)}${THIN}s`;
}

/**
 * How often counters are refreshed, where that is slower than the polls; empty where it is not. A device's line cards may differ.
 * @param {number|null} device_s the slowest
 * @param {(number|null)[]} rows_s of each interface; null is as new as the polls
 */
export function cadenceText(device_s, rows_s) {
  if (device_s === null) return '';
  const slow = rows_s.filter((cadence_s) => cadence_s !== null);
  const least = span(slow.length > 0 ? Math.min(...slow) : device_s, 1);
  const most = span(slow.length > 0 ? Math.max(...slow) : device_s, 1);
  const spacing = least === most ? most : `${least} to ${most}`;
  if (slow.length > 0 && slow.length < rows_s.length) return `Some counters update every ${spacing}; means are shown of these.`;
  return `Counters update every ${spacing}; means are shown.`;
}

/**
 * `18:31:44` in UTC.
 * @param {number} time Unix seconds
 * @param {boolean} [withSeconds]
 */
export function clock(time, withSeconds = true) {
  const moment = new Date(time * 1000);
  const minutes = `${pad(moment.getUTCHours())}:${pad(moment.getUTCMinutes())}`;
  return withSeconds ? `${minutes}:${pad(moment.getUTCSeconds())}` : minutes;
}

/**
 * `2026-11-20 18:31:44 UTC`
 * @param {number} time Unix seconds
 */
export function moment(time) {
  return `${new Date(time * 1000).toISOString().slice(0, 10)} ${clock(time)} UTC`;
}

/** @param {number} value */
function pad(value) {
  return String(value).padStart(2, '0');
}

/** States of IF-MIB in which traffic may pass, as far as is known. */
const MAY_PASS = Object.freeze(['up', 'unknown', 'testing', 'dormant']);

/**
 * Why an interface passes no traffic, in the words of every page; both texts are empty where it may.
 *
 * A line that is described as one (`role`), and was not switched off by its operator, should not be down.
 * @param {{oper_status: string|null, admin_status?: string|null, role?: string}} facts
 * @returns {{level: 'critical'|'down'|'', word: string}}
 */
export function outageOf({ oper_status, admin_status = null, role = '' }) {
  if (admin_status === 'down') return { level: 'down', word: 'Switched off' };
  if (oper_status === null || MAY_PASS.includes(oper_status)) return { level: '', word: '' };
  return role ? { level: 'critical', word: 'Line down' } : { level: 'down', word: 'Down' };
}

/** Intervals without a sample after which a value is late, and after which there is none. */
export const LATE_AFTER = 2.5;
export const NO_DATA_AFTER = 10;

/** Utilisation at which a direction is to be watched, and at which it is full. */
export const WARN_PERCENT = 80;
export const CRITICAL_PERCENT = 90;

/**
 * @typedef {object} Freshness
 * @property {'live'|'late'|'none'} level
 * @property {string} text empty while live
 */

/**
 * How old a value is, in words. A value whose level is `none` must not be shown.
 * @param {number} age_s NaN when there never was one
 * @param {number} interval_s
 * @returns {Freshness}
 */
export function freshness(age_s, interval_s) {
  if (Number.isNaN(age_s)) return { level: 'none', text: 'No data' };
  if (age_s > NO_DATA_AFTER * interval_s) return { level: 'none', text: `No data ${age(age_s)}` };
  if (age_s > LATE_AFTER * interval_s) return { level: 'late', text: `Late ${age(age_s)}` };
  return { level: 'live', text: '' };
}
