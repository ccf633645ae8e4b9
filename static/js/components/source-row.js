import { LATE_AFTER, NO_DATA_AFTER, age, count, moment, span } from '../format.js';
import { deviceUrl } from '../links.js';
import { STATES } from './device-head.js';
import { make, setAttribute, setText } from './dom.js';
import { icon, setIcon } from './icons.js';

/** @typedef {import('../sources.js').Source} Source */
/** @typedef {import('./icons.js').IconName} IconName */

/**
 * What a row says. `level` is that of its state, `ageLevel` that of its newest sample.
 * @typedef {object} SourceView
 * @property {IconName} level
 * @property {string} state
 * @property {string} since
 * @property {string} reason
 * @property {string} engine
 * @property {string} why
 * @property {string} pace
 * @property {string} details
 * @property {string} reply
 * @property {string} interfaces
 * @property {string} age
 * @property {'live'|'late'|'none'} ageLevel
 */

const UNKNOWN = Object.freeze(
  /** @type {SourceView} */ ({
    level: 'stale', state: 'Not known', since: '', reason: '', engine: '–', why: '', pace: '–', details: '', reply: '–',
    interfaces: '–', age: '–', ageLevel: 'none',
  }),
);

/**
 * A device as it was at `time`.
 * @param {Source|null} source null: nothing is known of now
 * @param {number} time Unix seconds; NaN while it is not known
 * @returns {SourceView}
 */
export function sourceView(source, time) {
  if (!source) return UNKNOWN;
  const [state, level] = STATES[source.state] ?? [source.state, 'note'];
  const { interval_s, configured_interval_s, cadence_s, reply_ms, last_sample } = source;
  const asked = interval_s > configured_interval_s ? `, configured ${span(configured_interval_s)}` : '';
  const unread = source.interfaces === 0 && last_sample === null;
  const details = [cadence_s === null ? '' : `counters update every ${span(cadence_s, 1)}`, source.note];
  return {
    level,
    state,
    since: `since ${moment(source.since)}`,
    reason: source.reason,
    engine: source.engine || '–',
    why: source.engine_why,
    pace: `every ${span(interval_s)}${asked}`,
    details: details.filter(Boolean).join(', '),
    reply: reply_ms === null ? '–' : replyText(reply_ms),
    interfaces: unread ? '–' : count(source.interfaces),
    ...(last_sample === null ? { age: 'none yet', ageLevel: 'live' } : sampleAge(last_sample, time, interval_s)),
  };
}

/** @param {number} reply_ms */
function replyText(reply_ms) {
  return reply_ms < 9.95 ? `${reply_ms.toFixed(1)}\u2009ms` : `${count(reply_ms)}\u2009ms`;
}

/**
 * @param {number} last_sample
 * @param {number} time
 * @param {number} interval_s
 * @returns {Pick<SourceView, 'age'|'ageLevel'>}
 */
function sampleAge(last_sample, time, interval_s) {
  if (Number.isNaN(time)) return { age: '–', ageLevel: 'live' };
  const age_s = Math.max(0, time - last_sample);
  const ageLevel = age_s > NO_DATA_AFTER * interval_s ? 'none' : age_s > LATE_AFTER * interval_s ? 'late' : 'live';
  return { age: age_s < 10 ? span(age_s, 1) : age(age_s), ageLevel };
}

/**
 * Whether all words stand somewhere in what the page says of a device.
 * @param {Source} source
 * @param {string} words
 */
export function matches(source, words) {
  const { name, address, state, reason, engine, engine_why, note } = source;
  const text = [name, address, state, STATES[state]?.[0], reason, engine, engine_why, note].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** One device of the table of sources. The roles stand there in words: on a phone the cells are laid out as no table. */
export class SourceRow {
  #icon = icon('note');
  #state = make('b');
  #reason = make('span', { class: 'more' });
  #engine = make('span');
  #why = make('span', { class: 'more' });
  #pace = make('span');
  #details = make('span', { class: 'more' });
  #address = cell('Address');
  #reply = cell('Reply', 'number');
  #interfaces = cell('Interfaces', 'number');
  #age = cell('Newest sample', 'number');

  /** @param {string} prefix @param {string} name */
  constructor(prefix, name) {
    const link = make('a', { href: deviceUrl(prefix, name) }, name);
    this.element = make(
      'tr',
      { role: 'row' },
      make('th', { scope: 'row', role: 'rowheader' }, link),
      this.#address,
      cell('State', 'source-state', this.#icon, make('span', {}, this.#state, this.#reason)),
      cell('Engine', '', this.#engine, this.#why),
      cell('Polled', '', this.#pace, this.#details),
      this.#reply,
      this.#interfaces,
      this.#age,
    );
  }

  /** @param {string} address @param {SourceView} view */
  show(address, view) {
    setText(this.#address, address);
    setAttribute(this.element, 'data-level', view.level);
    setIcon(this.#icon, view.level);
    setText(this.#state, view.state);
    setAttribute(this.#state, 'title', view.since);
    setText(this.#reason, view.reason);
    setText(this.#engine, view.engine);
    setText(this.#why, view.why);
    setText(this.#pace, view.pace);
    setText(this.#details, view.details);
    setText(this.#reply, view.reply);
    setText(this.#interfaces, view.interfaces);
    setText(this.#age, view.age);
    setAttribute(this.#age, 'data-level', view.ageLevel);
  }
}

/**
 * @param {string} label of its column
 * @param {string} [kind] class
 * @param {...Node} children
 */
function cell(label, kind = '', ...children) {
  return make('td', { role: 'cell', 'data-label': label, class: kind }, ...children);
}
