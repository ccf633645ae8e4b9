/** How each device is polled: the REST list of devices, fetched again and again while somebody looks. No DOM. */

/** @typedef {import('./store.js').Store} Store */

/**
 * What this page reads of a device of `/api/v1/devices`.
 * @typedef {object} Source
 * @property {string} name
 * @property {string} address
 * @property {string} state
 * @property {string} reason
 * @property {number} since Unix seconds
 * @property {number} interfaces
 * @property {number} interval_s
 * @property {number} configured_interval_s
 * @property {number|null} cadence_s
 * @property {number|null} reply_ms
 * @property {number|null} last_sample Unix seconds
 * @property {string} engine
 * @property {string} engine_why
 * @property {string} note
 */

/**
 * What fetching needs of the browser, timers included; tests bring their own.
 * @typedef {object} Web
 * @property {(url: string) => Promise<{devices: Source[]}>} get the JSON at an address; fails with a text for people
 * @typedef {Web & import('./again.js').Timers} Surroundings
 */

export const FETCH_EVERY_S = 3;
const GIVE_UP_AFTER_MS = 10_000;

/** The states of a device, those that want to be looked at first. One that is not listed here comes before them all. */
const ORDER = Object.freeze(['down', 'auth_failed', 'bad_replies', 'late', 'starting', 'up']);

export class Sources {
  /** @type {Source[]} in the order shown */ all = [];
  /** Rises with each answer. */
  version = 0;
  /** Why the last try brought nothing; empty where it brought the list. */
  failure = '';
  #taken_ms = NaN;
  /** Number of the try whose answer is waited for; 0 while nobody looks. */
  #waiting = 0;
  #tries = 0;
  /** @type {number|undefined} */ #timer;

  /**
   * @param {string} url
   * @param {Store} store
   * @param {() => void} tell after each try
   * @param {Surroundings} [around]
   */
  constructor(url, store, tell, around = browser) {
    this.url = url;
    this.store = store;
    this.tell = tell;
    this.around = around;
  }

  /** Seconds since the list came; NaN before the first. */
  get age_s() {
    return (this.store.now_ms() - this.#taken_ms) / 1000;
  }

  /** The server's time when the list came, Unix seconds; NaN while that is not known. */
  get time() {
    return this.store.hello ? this.store.serverNow() - this.age_s : NaN;
  }

  /** Fetch now, and then every so often until `stop`. */
  start() {
    if (this.#waiting === 0 && this.#timer === undefined) void this.#fetch();
  }

  /** Nobody looks: the page expects no list any more, and what it has grows old. */
  stop() {
    if (this.#timer !== undefined) this.around.cancel(this.#timer);
    this.#timer = undefined;
    this.#waiting = 0;
    this.store.fetches_s = Infinity;
  }

  async #fetch() {
    this.#timer = undefined;
    this.#tries += 1;
    const round = this.#tries;
    this.#waiting = round;
    try {
      const { devices } = await this.around.get(this.url);
      if (round === this.#waiting) this.#take(devices);
    } catch (error) {
      if (round === this.#waiting) this.failure = error instanceof Error ? error.message : String(error);
    }
    if (round !== this.#waiting) return;
    this.#waiting = 0;
    this.#timer = this.around.later(() => void this.#fetch(), FETCH_EVERY_S * 1000);
    this.tell();
  }

  /** @param {Source[]} devices */
  #take(devices) {
    this.all = devices.sort((one, other) => rank(one) - rank(other) || byName(one.name, other.name));
    this.version += 1;
    this.failure = '';
    this.#taken_ms = this.store.now_ms();
    this.store.fetched(FETCH_EVERY_S);
  }
}

/**
 * The same devices in the order of before, so that none moves under the pointer; new ones last.
 * @param {Source[]} sources
 * @param {string[]} names in the order of before
 */
export function inOrderOf(sources, names) {
  const places = new Map(names.map((name, place) => [name, place]));
  const place = (/** @type {Source} */ source) => places.get(source.name) ?? names.length;
  return [...sources].sort((one, other) => place(one) - place(other));
}

/** @param {Source} source */
function rank({ state }) {
  return ORDER.indexOf(state);
}

const byName = new Intl.Collator('en', { numeric: true }).compare;

/** @type {Surroundings} */
const browser = {
  get: async (url) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(GIVE_UP_AFTER_MS) }).catch(() => null);
    if (!answer) throw new Error('the server does not answer');
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  },
  later: (work, delay_ms) => window.setTimeout(work, delay_ms),
  cancel: (timer) => window.clearTimeout(timer),
};
