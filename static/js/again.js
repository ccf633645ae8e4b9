/** Subscriptions that are to be asked for again after a while, all of a socket together. No DOM. */

/**
 * @typedef {object} Timers
 * @property {(work: () => void, delay_ms: number) => number} later
 * @property {(timer: number) => void} cancel
 */

export class Again {
  /** @type {Set<number>} ids of subscriptions */ #due = new Set();
  /** @type {number|undefined} */ #timer;

  /**
   * @param {Timers} timers
   * @param {(id: number) => void} ask called once for each id that is due
   */
  constructor(timers, ask) {
    this.timers = timers;
    this.ask = ask;
  }

  /**
   * Ask again in `delay_ms`, or with those that wait already.
   * @param {number} id
   * @param {number} delay_ms
   */
  add(id, delay_ms) {
    this.#due.add(id);
    this.#timer ??= this.timers.later(() => this.#askAll(), delay_ms);
  }

  /** @param {number} id needs not be asked for any more */
  drop(id) {
    this.#due.delete(id);
    if (this.#due.size === 0) this.clear();
  }

  clear() {
    this.#due.clear();
    if (this.#timer !== undefined) this.timers.cancel(this.#timer);
    this.#timer = undefined;
  }

  #askAll() {
    const ids = [...this.#due];
    this.#due.clear();
    this.#timer = undefined;
    for (const id of ids) this.ask(id);
  }
}
