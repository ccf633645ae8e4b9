/** One device's subscription: what its interfaces are, their past, and how old the newest of each is. No DOM. */

import { Ring } from './ring.js';

/** @typedef {import('./wire.js').InterfaceFacts} InterfaceFacts */
/** @typedef {import('./wire.js').Snapshot} Snapshot */
/** @typedef {import('./wire.js').Samples} Samples */
/** @typedef {import('./wire.js').DeviceChanged} DeviceChanged */
/** @typedef {import('./wire.js').Failure} Failure */

const SPARE = 64;

export class Stream {
  /** @type {string[]} */ metrics = [];
  /** @type {InterfaceFacts[]} */ interfaces = [];
  /** @type {Ring|null} */ ring = null;
  /** @type {DeviceChanged|null} */ device = null;
  /** @type {Failure|null} */ failure = null;
  /** @type {Uint8Array} quality bits of each interface's newest sample */ quality = new Uint8Array(0);
  /** Epoch of the server and number of the newest frame, to resume after. */
  epoch = '';
  seq = -1;
  /** Seconds between samples, as far as is known. */
  interval_s = 1;
  /** Rises with every change. */
  version = 0;
  /** @type {Float64Array} newest tick of each metric and interface */ #newest = new Float64Array(0);
  /** @type {Float64Array} when each interface last had a value, monotonic ms */ #seen_ms = new Float64Array(0);
  /** When the device last gave a sample, as it said; monotonic ms. */
  #deviceSeen_ms = NaN;
  /** @type {Map<string, number>} */ #rows = new Map();

  /**
   * @param {number} id
   * @param {string} name device
   * @param {number} history_s how much of the past to keep
   */
  constructor(id, name, history_s) {
    this.id = id;
    this.name = name;
    this.history_s = history_s;
  }

  /** @param {string} name row of an interface; -1 when there is none of that name */
  row(name) {
    return this.#rows.get(name) ?? -1;
  }

  /** @param {string} metric @param {number} row column of the ring */
  column(metric, row) {
    const at = this.metrics.indexOf(metric);
    return at < 0 ? -1 : at * this.interfaces.length + row;
  }

  /**
   * The newest tick's value; NaN when that was missed: an old value is never shown. How old the last one is, `age_s` tells.
   * @param {string} metric
   * @param {number} row
   */
  newest(metric, row) {
    return this.#newest[this.column(metric, row)] ?? NaN;
  }

  /**
   * Seconds since an interface last had a value, by this browser's monotonic clock; NaN when it never had. Where the whole
   * device fell silent before our past begins, that is the age.
   * @param {number} row
   * @param {number} now_ms
   */
  age_s(row, now_ms) {
    const seen_ms = this.#seen_ms[row] ?? NaN;
    return (now_ms - (Number.isNaN(seen_ms) && this.#silentBefore() ? this.#deviceSeen_ms : seen_ms)) / 1000;
  }

  #silentBefore() {
    const last = this.device?.last_sample;
    return last != null && this.ring !== null && this.ring.length > 0 && last < this.ring.time(0);
  }

  /**
   * Seconds since any interface had a value.
   * @param {number} now_ms
   */
  youngest_s(now_ms) {
    let seen = -Infinity;
    for (const moment of this.#seen_ms) if (moment > seen) seen = moment;
    return seen === -Infinity ? NaN : (now_ms - seen) / 1000;
  }

  /**
   * What the page has already stays: samples of the same interfaces that are older than the snapshot's are kept, so that a
   * server that restarted, and knows less, takes nothing away.
   * @param {Snapshot} message
   * @param {number} now_ms
   * @param {number} server_now Unix seconds
   */
  take(message, now_ms, server_now) {
    const same = this.ring && sameNames(this.interfaces, message.interfaces) && sameTexts(this.metrics, message.metrics);
    this.metrics = message.metrics;
    this.#pace(message.interval_s, message.times.length);
    if (!same) {
      this.ring = new Ring(this.#needed(message.times.length), message.metrics.length * message.interfaces.length);
      this.#newest = new Float64Array(this.ring.columns).fill(NaN);
      this.#seen_ms = new Float64Array(message.interfaces.length).fill(NaN);
      this.quality = new Uint8Array(message.interfaces.length);
    }
    this.describe(message.interfaces);
    const rows = message.interfaces.length;
    const notDue = message.not_due.map((positions) => new Set(positions));
    message.times.forEach((time, at) => {
      if (notDue.length > 0 && notDue.every((positions) => positions.has(at))) return; // nothing was asked for: no gap
      this.#append(time, now_ms - Math.max(0, server_now - time) * 1000, (column) =>
        message.values[Math.floor(column / rows)]?.[column % rows]?.[at],
      );
    });
    this.seq = message.seq;
    this.failure = null;
    this.version += 1;
  }

  /** @param {number} samples at least */
  #needed(samples) {
    return Math.max(Math.ceil(this.history_s / this.interval_s), samples) + SPARE;
  }

  /**
   * Samples come so often from now on: make room for all of the past that is to be kept. What is held stays.
   * @param {number} interval_s
   * @param {number} [samples] at least
   */
  #pace(interval_s, samples = 0) {
    if (interval_s > 0) this.interval_s = interval_s;
    const needed = this.#needed(samples);
    if (this.ring && this.ring.capacity < needed) this.ring = this.ring.grown(needed);
  }

  /**
   * The server refuses this subscription. What comes after is another one: there is nothing to resume, and no value is new.
   * @param {Failure} message
   */
  fail(message) {
    this.failure = message;
    this.seq = -1;
    this.#newest.fill(NaN);
    this.version += 1;
  }

  /**
   * @param {DeviceChanged} message
   * @param {number} now_ms
   * @param {number} server_now Unix seconds
   */
  setDevice(message, now_ms, server_now) {
    this.device = message;
    this.failure = null;
    this.#pace(message.interval_s);
    this.#deviceSeen_ms = now_ms - (server_now - (message.last_sample ?? NaN)) * 1000;
    this.version += 1;
  }

  /**
   * @param {Samples} message
   * @param {number} now_ms
   */
  add(message, now_ms) {
    if (!this.ring || message.values.every((metric) => metric.length === 0)) return;
    const rows = this.interfaces.length;
    this.#append(message.time, now_ms, (column) => message.values[Math.floor(column / rows)]?.[column % rows]);
    this.quality.set(message.quality.slice(0, rows));
    this.seq = message.seq;
    this.version += 1;
  }

  /** @param {InterfaceFacts[]} interfaces the same ones in the same order, with facts that may have changed */
  describe(interfaces) {
    this.interfaces = interfaces;
    this.#rows = new Map(interfaces.map((facts, row) => [facts.name, row]));
    this.version += 1;
  }

  /**
   * @param {number} time
   * @param {number} seen_ms
   * @param {(column: number) => number|null|undefined} valueOf
   */
  #append(time, seen_ms, valueOf) {
    const ring = /** @type {Ring} */ (this.ring);
    const rows = this.interfaces.length;
    ring.push(time, valueOf);
    for (let row = 0; row < rows; row += 1) {
      let any = false;
      for (let column = row; column < ring.columns; column += rows) {
        const value = valueOf(column) ?? NaN;
        this.#newest[column] = value;
        any ||= !Number.isNaN(value);
      }
      if (any) this.#seen_ms[row] = seen_ms;
    }
  }
}

/**
 * Whether what was refused may be there later: a device that is configured again, a line card that has booted. The socket
 * asks for it again.
 * @param {Failure} failure
 */
export function mayCome(failure) {
  return failure.code === 'unknown_device' || failure.code === 'unknown_interface';
}

/** @param {InterfaceFacts[]} one @param {InterfaceFacts[]} other */
function sameNames(one, other) {
  return one.length === other.length && one.every((facts, at) => facts.name === other[at]?.name);
}

/** @param {string[]} one @param {string[]} other */
function sameTexts(one, other) {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}
