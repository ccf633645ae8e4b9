import { CRITICAL_PERCENT, WARN_PERCENT, freshness, outageOf, span, speed } from '../format.js';
import { wallUrl } from '../links.js';
import { means } from '../ring.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('./interface-list.js').Line} Line */
/** @typedef {import('./interface-list.js').Sort} Sort */
/** @typedef {import('./interface-row.js').RowView} RowView */
/** @typedef {import('../store.js').Spark} Spark */
/** @typedef {import('../stream.js').Stream} Stream */
/** @typedef {import('../wire.js').InterfaceFacts} InterfaceFacts */

const SLOT_S = 5;
const SLOTS = 60;
const RANKS = Object.freeze(/** @type {Record<string, number>} */ ({ critical: 4, warning: 3, stale: 2, '': 1, down: 0 }));

/** The rows of a device's table: filtered, sorted, and what each says, from the device's stream. */
export class DeviceRows {
  filter = '';
  /** @type {number[]} rows of the stream in the order shown */ #order = [];
  /** @type {Stream|null} */ #stream = null;
  /** @type {Map<string, {slot: number, spark: Spark}>} */ #sparks = new Map();
  #held = false;
  /** Whether some counters are refreshed more slowly than others. */
  #cadencesDiffer = false;

  /** @param {Kit} kit @param {string} device */
  constructor(kit, device) {
    this.kit = kit;
    this.device = device;
  }

  get count() {
    return this.#order.length;
  }

  /** Let rows move again, even under the pointer: the viewer asked for another order. */
  release() {
    this.#held = false;
  }

  /**
   * @param {Stream} stream
   * @param {Sort} sort
   * @param {boolean} descending
   * @param {boolean} held keep the order, as far as it is for this choice
   */
  take(stream, sort, descending, held) {
    this.#stream = stream;
    this.#cadencesDiffer = new Set(stream.interfaces.map((facts) => facts.cadence_s)).size > 1;
    if (held && this.#held) return;
    const words = this.filter.toLowerCase();
    const wanted = (/** @type {InterfaceFacts} */ facts) =>
      `${facts.name} ${facts.alias} ${facts.description} ${facts.circuit}`.toLowerCase().includes(words);
    const rows = [...stream.interfaces.keys()].filter((row) => {
      const facts = stream.interfaces[row];
      return facts && wanted(facts);
    });
    const ranks = new Map(rows.map((row) => [row, this.#rank(stream, row, sort)]));
    const direction = descending ? -1 : 1;
    this.#order = rows.sort((one, other) => direction * ((ranks.get(one) ?? 0) - (ranks.get(other) ?? 0)) || one - other);
    this.#held = true;
  }

  /** Names of the interfaces that carry most. @param {Stream} stream @param {number} many */
  busiest(stream, many) {
    const load = (/** @type {number} */ row) => (stream.newest('in_bps', row) || 0) + (stream.newest('out_bps', row) || 0);
    return [...stream.interfaces.keys()]
      .sort((one, other) => load(other) - load(one))
      .slice(0, many)
      .map((row) => stream.interfaces[row]?.name ?? '');
  }

  /** @param {number} index @returns {Line|null} */
  lineAt(index) {
    const stream = this.#stream;
    const row = this.#order[index];
    const facts = row === undefined ? undefined : stream?.interfaces[row];
    if (!stream || row === undefined || !facts) return null;
    const place = { device: this.device, name: facts.name };
    const state = this.#state(stream, row, facts);
    return {
      place,
      view: {
        ...state,
        href: wallUrl(this.kit.prefix, [place]),
        title: facts.name,
        about: aboutText(facts, this.#cadencesDiffer ? facts.cadence_s : null),
        spark: this.#spark(stream, row, facts.name),
        in_bps: stream.newest('in_bps', row),
        out_bps: stream.newest('out_bps', row),
        picked: false,
      },
    };
  }

  /**
   * @param {Stream} stream
   * @param {number} row
   * @param {InterfaceFacts} facts
   * @returns {Pick<RowView, 'level'|'word'|'late'|'silent'|'in_percent'|'out_percent'>}
   */
  #state(stream, row, facts) {
    const fresh = freshness(stream.age_s(row, this.kit.store.now_ms()), stream.interval_s);
    const share = (/** @type {number} */ value) =>
      facts.speed_bps > 0 && Number.isFinite(value) ? (value / facts.speed_bps) * 100 : null;
    const in_percent = share(stream.newest('in_bps', row));
    const out_percent = share(stream.newest('out_bps', row));
    const silent = fresh.level === 'none';
    const base = { late: fresh.level === 'late', silent, in_percent, out_percent };
    if (silent) return { ...base, level: 'stale', word: fresh.text };
    const outage = outageOf(facts);
    if (outage.level) return { ...base, ...outage };
    const busier = Math.max(in_percent ?? 0, out_percent ?? 0);
    if (busier < WARN_PERCENT) return { ...base, level: '', word: fresh.text };
    const direction = busier === in_percent ? 'In' : 'Out';
    const limit = busier >= CRITICAL_PERCENT ? CRITICAL_PERCENT : WARN_PERCENT;
    return { ...base, level: limit === CRITICAL_PERCENT ? 'critical' : 'warning', word: `${direction} over ${limit}%` };
  }

  /** @param {Stream} stream @param {number} row @param {Sort} sort */
  #rank(stream, row, sort) {
    const facts = /** @type {InterfaceFacts} */ (stream.interfaces[row]);
    if (sort === 'name') return row;
    if (sort === 'in') return stream.newest('in_bps', row) || 0;
    if (sort === 'out') return stream.newest('out_bps', row) || 0;
    const { level, in_percent, out_percent } = this.#state(stream, row, facts);
    const busier = Math.max(in_percent ?? 0, out_percent ?? 0);
    return sort === 'utilisation' ? busier : (RANKS[level] ?? 1) * 1000 + busier;
  }

  /** Means of 5 s, made anew when a slot closes. @param {Stream} stream @param {number} row @param {string} name */
  #spark(stream, row, name) {
    if (!stream.ring) return undefined;
    const slot = Math.floor(this.kit.store.serverNow() / SLOT_S);
    const known = this.#sparks.get(name);
    if (known?.slot === slot) return known.spark;
    const of = (/** @type {string} */ metric) =>
      means(/** @type {import('../ring.js').Ring} */ (stream.ring), stream.column(metric, row), slot * SLOT_S, SLOT_S, SLOTS);
    const spark = { up: of('in_bps'), down: of('out_bps') };
    this.#sparks.set(name, { slot, spark });
    return spark;
  }
}

/**
 * Alias and speed; the speed alone is left out where the alias tells it in brackets.
 * @param {InterfaceFacts} facts
 * @param {number|null} cadence_s to be told as well
 */
function aboutText(facts, cadence_s) {
  const words = facts.alias || facts.description;
  const pace = cadence_s === null ? '' : `updates every ${span(cadence_s, 1)}`;
  return [words, /\[\d/.test(words) ? '' : speed(facts.speed_bps), pace].filter(Boolean).join(' · ');
}
