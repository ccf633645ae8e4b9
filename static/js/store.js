/** What the page knows. The one place where messages become state; components read it and watch for changes. No DOM. */

import { EventLog } from './event-log.js';
import { LATE_AFTER, NO_DATA_AFTER } from './format.js';
import { Ring } from './ring.js';
import { Stream } from './stream.js';
import { TimeAxis } from './time-axis.js';

/** @typedef {import('./wire.js').Hello} Hello */
/** @typedef {import('./wire.js').Summary} Summary */
/** @typedef {import('./wire.js').SummaryRow} SummaryRow */
/** @typedef {import('./wire.js').Subscribe} Subscribe */
/** @typedef {import('./wire.js').ServerMessage} ServerMessage */
/** @typedef {{up: (number|null)[], down: (number|null)[]}} Spark */

/**
 * How the socket does. `phase` is `connecting` (first try), `open` (hello came) or `waiting` (lost; `next_ms` is the moment
 * of the next try, null during one). Moments are monotonic milliseconds.
 * @typedef {object} Link
 * @property {'connecting'|'open'|'waiting'} phase
 * @property {number} tries
 * @property {number|null} next_ms
 * @property {number|null} lost_ms
 */

export const TREND_S = 900;
export const HEARTBEAT_S = 20;
const STALE_AFTER = 3;
const MOST_SPARKS = 800;

export class Store {
  /** @type {Link} */ link = { phase: 'connecting', tries: 0, next_ms: null, lost_ms: null };
  /** @type {Hello|null} */ hello = null;
  /** @type {Summary|null} */ summary = null;
  summary_ms = NaN;
  /** @type {Map<string, Spark>} newest used last */ sparks = new Map();
  /** Totals of all devices: in, out. */
  trend = new Ring(TREND_S + 64, 2);
  log = new EventLog();
  /** @type {Map<number, Stream>} by id of the subscription */ streams = new Map();
  /** How far behind the server's clock the newest data was when it came. */
  behind_s = NaN;
  /** Seconds between the fetches of a page that asks for its data by itself. */
  fetches_s = Infinity;
  /** This browser's wall clock minus the server's; NaN until the first hello. */
  skew_s = NaN;
  #axis = new TimeAxis();
  #heard_ms = NaN;
  #clock_s = NaN;
  #summaryWanted = false;
  /** @type {Set<number>} subscriptions to events */ #eventIds = new Set();
  /** @type {Map<string, Set<() => void>>} */ #watchers = new Map();

  /**
   * @param {() => number} [now_ms] monotonic
   * @param {() => number} [wall_ms]
   */
  constructor(now_ms = () => performance.now(), wall_ms = () => Date.now()) {
    this.now_ms = now_ms;
    this.wall_ms = wall_ms;
  }

  /**
   * Call `tell` after each change of a topic: `link`, `summary`, `events`, or `stream 7` for the subscription 7.
   * @param {string} topic
   * @param {() => void} tell
   * @returns {() => void} ends it
   */
  watch(topic, tell) {
    const set = this.#watchers.get(topic) ?? new Set();
    this.#watchers.set(topic, set.add(tell));
    return () => set.delete(tell);
  }

  /** The server's clock now, Unix seconds; this browser's own until the first hello. */
  serverNow() {
    return Number.isNaN(this.#clock_s) ? this.wall_ms() / 1000 : this.#clock_s + this.now_ms() / 1000;
  }

  /** Seconds without data from a socket that is open; 0 while all is well. */
  staleFor_s() {
    if (this.link.phase !== 'open' || Number.isNaN(this.#heard_ms)) return 0;
    const silent_s = (this.now_ms() - this.#heard_ms) / 1000;
    return silent_s > STALE_AFTER * this.#expected_s() ? silent_s : 0;
  }

  /**
   * What the page may show of what it heard last: as it is (`live`), marked as old (`old`), or no more (`none`).
   * @returns {'live'|'old'|'none'}
   */
  get currency() {
    if (this.link.phase === 'open' && this.staleFor_s() === 0) return 'live';
    if (Number.isNaN(this.#heard_ms)) return this.link.phase === 'connecting' ? 'live' : 'none';
    const silent_s = this.silent_s();
    if (silent_s > NO_DATA_AFTER * this.#expected_s()) return 'none';
    return silent_s > LATE_AFTER * this.#expected_s() ? 'old' : 'live';
  }

  /** Seconds since data came last; NaN before the first. */
  silent_s() {
    return (this.now_ms() - this.#heard_ms) / 1000;
  }

  /** Where the time axis of all charts of the page ends, Unix seconds. */
  axisEnd() {
    return this.#axis.end(this.streams.values(), this.serverNow());
  }

  /** Data came that the page fetched by itself, and will again in so many seconds. @param {number} again_s */
  fetched(again_s) {
    this.fetches_s = again_s;
    this.#heard_ms = this.now_ms();
  }

  /** @param {Partial<Link>} change */
  setLink(change) {
    this.link = { ...this.link, ...change };
    this.#tell('link');
  }

  /** @param {Subscribe} request what the page now asks for */
  asked(request) {
    if (request.summary) {
      this.#summaryWanted = true;
      return;
    }
    if (request.events) {
      this.#eventIds.add(request.id);
      return;
    }
    const stream = this.streams.get(request.id);
    if (stream && stream.name === request.device) stream.history_s = request.history_s ?? 0;
    else this.streams.set(request.id, new Stream(request.id, request.device ?? '', request.history_s ?? 0));
  }

  /** @param {number} id */
  forget(id) {
    this.streams.delete(id);
    this.#eventIds.delete(id);
  }

  /**
   * Where a subscription can go on after a reconnect.
   * @param {number} id
   */
  resumeOf(id) {
    const stream = this.streams.get(id);
    return stream && stream.seq >= 0 ? { epoch: stream.epoch, since_seq: stream.seq } : {};
  }

  /** @param {ServerMessage} message */
  receive(message) {
    const now_ms = this.now_ms();
    if (message.type === 'hello') {
      this.hello = message;
      this.#setClock(message.server_time, now_ms, true);
      this.#heard_ms = now_ms;
      this.log.replay();
      this.setLink({ phase: 'open', next_ms: null, lost_ms: null });
    } else if (message.type === 'heartbeat') {
      this.#setClock(message.server_time, now_ms, false);
      if (this.#expected_s() === HEARTBEAT_S) this.#heard_ms = now_ms; // more often nothing is to come
    } else if (message.type === 'summary') {
      this.#heard(message.totals.time, now_ms);
      this.#takeSummary(message, now_ms);
      this.#tell('summary');
    } else if (message.type === 'event') {
      this.log.take(message.event);
      this.#tell('events');
    } else if (message.type === 'resync' && this.#eventIds.has(message.id)) {
      this.log.lose(message.missed, this.serverNow());
      this.#tell('events');
    } else if (message.id !== null) {
      const stream = this.streams.get(message.id);
      if (stream) this.#takeStream(stream, message, now_ms);
    }
  }

  /**
   * @param {Stream} stream
   * @param {Exclude<ServerMessage, {type: 'hello'|'heartbeat'|'summary'|'event'}>} message
   * @param {number} now_ms
   */
  #takeStream(stream, message, now_ms) {
    if (message.type === 'samples') {
      this.#heard(message.time, now_ms);
      stream.add(message, now_ms);
    } else if (message.type === 'snapshot') {
      this.#heard_ms = now_ms;
      stream.epoch = this.hello?.epoch ?? '';
      stream.take(message, now_ms, this.serverNow());
    } else if (message.type === 'table') {
      stream.describe(message.interfaces);
    } else if (message.type === 'device') {
      this.#heard_ms = now_ms;
      stream.setDevice(message, now_ms, this.serverNow());
    } else if (message.type === 'error') {
      stream.fail(message);
    }
    this.#tell(`stream ${stream.id}`);
  }

  /** @param {Summary} message @param {number} now_ms */
  #takeSummary(message, now_ms) {
    this.summary = message;
    this.summary_ms = now_ms;
    const { trend, totals } = message;
    trend?.times.forEach((time, at) => this.trend.push(time, (column) => (column ? trend.out_bps : trend.in_bps)[at]));
    this.trend.push(totals.time, (column) => (column ? totals.out_bps : totals.in_bps));
    for (const row of message.rows) {
      const key = rowKey(row);
      const spark = row.spark_in && row.spark_out ? { up: row.spark_in, down: row.spark_out } : this.sparks.get(key);
      if (!spark) continue;
      this.sparks.delete(key);
      this.sparks.set(key, spark);
    }
    for (const key of this.sparks.keys()) {
      if (this.sparks.size <= MOST_SPARKS) break;
      this.sparks.delete(key);
    }
  }

  /** @param {number} time of the data @param {number} now_ms */
  #heard(time, now_ms) {
    this.#heard_ms = now_ms;
    const ahead_s = time - this.serverNow();
    if (ahead_s > 0) this.#clock_s += ahead_s; // data is never from the future: our estimate of the server's clock was slow
    this.behind_s = Math.max(0, -ahead_s);
  }

  /**
   * A message says the server's time at its sending, so an estimate can only be slow: the fastest message is the best.
   * @param {number} server_time
   * @param {number} now_ms
   * @param {boolean} anew
   */
  #setClock(server_time, now_ms, anew) {
    const estimate = server_time - now_ms / 1000;
    const stepped = Math.abs(estimate - this.#clock_s) > 1;
    this.#clock_s = anew || stepped ? estimate : Math.max(this.#clock_s, estimate);
    this.skew_s = this.wall_ms() / 1000 - this.serverNow();
  }

  /** Seconds between messages that carry data, as this page must expect. */
  #expected_s() {
    let least = Math.min(this.#summaryWanted ? 1 : HEARTBEAT_S, this.fetches_s);
    for (const { ring, device, failure, interval_s } of this.streams.values()) {
      if (ring && !failure && device?.state !== 'down') least = Math.min(least, interval_s);
    }
    return least;
  }

  /** @param {string} topic */
  #tell(topic) {
    for (const tell of this.#watchers.get(topic) ?? []) tell();
  }
}

/**
 * A row's identity.
 * @param {{device: string, name: string}} row
 */
export function rowKey(row) {
  return `${row.device}\n${row.name}`;
}

/**
 * A summary row's age now, and whether its values may be shown.
 * @param {SummaryRow} row
 * @param {number} since_s seconds since the summary came
 * @param {number} interval_s of its device
 * @returns {{age_s: number, level: 'live'|'late'|'none'}}
 */
export function rowAge(row, since_s, interval_s) {
  const age_s = row.age_s === null ? NaN : row.age_s + since_s;
  if (!(age_s <= NO_DATA_AFTER * interval_s)) return { age_s, level: 'none' };
  return { age_s, level: age_s > LATE_AFTER * interval_s ? 'late' : 'live' };
}
