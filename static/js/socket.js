/** The page's one WebSocket: says what is wanted, comes back after a loss, and goes on where it was. No DOM. */

import { Again } from './again.js';
import { HEARTBEAT_S } from './store.js';
import { mayCome } from './stream.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./wire.js').Subscribe} Subscribe */
/** @typedef {import('./wire.js').ClientMessage} ClientMessage */
/** @typedef {import('./wire.js').ServerMessage} ServerMessage */
/** @typedef {Omit<Subscribe, 'type'>} Wish */

/**
 * What the socket needs of the browser, timers included; tests bring their own.
 * @typedef {object} Browser
 * @property {(url: string) => WebSocket} open
 * @property {() => number} random 0 to 1
 * @typedef {Browser & import('./again.js').Timers} Surroundings
 */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** A link that held for so long was a good one: the back-off begins anew after it. */
const STEADY_AFTER_MS = 10_000;
const HELLO_WITHIN_MS = 10_000;
const DEAD_AFTER_MS = 2.5 * HEARTBEAT_S * 1000;
const REFETCH_EVERY_MS = 5_000;
const REFUSED_AGAIN_MS = 15_000;
/** The server takes 10 messages a second. */
const MOST_PER_S = 8;

export class Socket {
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {Map<number, Wish>} */ #wishes = new Map();
  /** @type {Map<number, ClientMessage>} newest message of each subscription, not sent yet */ #outbox = new Map();
  /** @type {number[]} when the last messages were sent */ #sent_ms = [];
  /** @type {number|undefined} */ #retryTimer;
  /** @type {number|undefined} */ #deadTimer;
  /** @type {number|undefined} */ #sendTimer;
  #ready = false;
  #opened_ms = NaN;
  #refetched_ms = -Infinity;
  /** @type {Set<number>} subscriptions that lack dropped frames: only a whole snapshot brings them */ #holes = new Set();
  /** @type {Again} */ #refetches;
  /** @type {Again} */ #refused;

  /**
   * @param {string} url
   * @param {Store} store
   * @param {Surroundings} [around]
   */
  constructor(url, store, around = browser) {
    this.url = url;
    this.store = store;
    this.around = around;
    this.#refetches = new Again(around, (id) => this.#refetch(id));
    this.#refused = new Again(around, (id) => this.#ask(id));
  }

  /** Connect now, whatever the back-off says. */
  connect() {
    this.#stop();
    const socket = this.around.open(this.url);
    this.#socket = socket;
    this.store.setLink({ next_ms: null });
    this.#expectWithin(HELLO_WITHIN_MS);
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  /**
   * Ask for something, now and after each reconnect. The same id again replaces what it asked for before.
   * @param {Wish} wish
   */
  subscribe(wish) {
    this.#wishes.set(wish.id, wish);
    this.store.asked({ type: 'subscribe', ...wish });
    if (this.#ready) this.#ask(wish.id);
  }

  /** @param {number} id */
  unsubscribe(id) {
    this.#wishes.delete(id);
    this.#holes.delete(id);
    this.store.forget(id);
    if (this.#ready) this.#queue({ type: 'unsubscribe', id });
  }

  /** @param {WebSocket} socket @param {unknown} data */
  #receive(socket, data) {
    if (socket !== this.#socket) return;
    this.#expectWithin(DEAD_AFTER_MS);
    const message = /** @type {ServerMessage} */ (JSON.parse(String(data)));
    this.store.receive(message);
    switch (message.type) {
      case 'hello':
        this.#greeted();
        break;
      case 'resync':
        this.#dropped(message.id);
        break;
      case 'snapshot':
        this.#refused.drop(message.id);
        if (!message.resumed) this.#filled(message.id);
        break;
      case 'device':
        this.#refused.drop(message.id);
        break;
      case 'error':
        if (message.id !== null && mayCome(message)) this.#refused.add(message.id, REFUSED_AGAIN_MS);
    }
  }

  #greeted() {
    this.#ready = true;
    this.#opened_ms = this.store.now_ms();
    for (const { id } of this.#wishes.values()) this.#ask(id, this.#holes.has(id) ? {} : this.store.resumeOf(id));
  }

  /** Frames were dropped because we read too slowly: fetch them from history, but not so often that we read slower still. */
  #dropped(/** @type {number} */ id) {
    if (!this.#wishes.get(id)?.history_s) return;
    this.#holes.add(id);
    this.#refetches.add(id, Math.max(0, this.#refetched_ms + REFETCH_EVERY_MS - this.store.now_ms()));
  }

  #refetch(/** @type {number} */ id) {
    this.#refetched_ms = this.store.now_ms();
    this.#ask(id);
  }

  #filled(/** @type {number} */ id) {
    this.#holes.delete(id);
    this.#refetches.drop(id);
  }

  /** What is no longer wished for is not asked for. @param {number} id @param {{epoch?: string, since_seq?: number}} [resume] */
  #ask(id, resume = {}) {
    const wish = this.#wishes.get(id);
    if (wish) this.#queue({ type: 'subscribe', ...wish, ...resume });
  }

  #lost() {
    this.#stop();
    const { lost_ms } = this.store.link;
    const now_ms = this.store.now_ms();
    const tries = now_ms - this.#opened_ms > STEADY_AFTER_MS ? 0 : this.store.link.tries;
    this.#opened_ms = NaN;
    const pause_ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries) * (0.5 + this.around.random());
    this.#retryTimer = this.around.later(() => this.connect(), pause_ms);
    this.store.setLink({ phase: 'waiting', tries: tries + 1, next_ms: now_ms + pause_ms, lost_ms: lost_ms ?? now_ms });
  }

  /** Let go of the socket and of every timer. */
  #stop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#outbox.clear();
    this.#sent_ms.length = 0;
    for (const timer of [this.#retryTimer, this.#deadTimer, this.#sendTimer]) {
      if (timer !== undefined) this.around.cancel(timer);
    }
    this.#retryTimer = this.#deadTimer = this.#sendTimer = undefined;
    this.#refetches.clear();
    this.#refused.clear();
    socket?.close();
  }

  /** A socket that says nothing for so long is dead, whatever it says of itself. @param {number} delay_ms */
  #expectWithin(delay_ms) {
    if (this.#deadTimer !== undefined) this.around.cancel(this.#deadTimer);
    this.#deadTimer = this.around.later(() => this.#lost(), delay_ms);
  }

  /** @param {ClientMessage} message */
  #queue(message) {
    this.#outbox.delete(message.id);
    this.#outbox.set(message.id, message);
    if (this.#sendTimer === undefined) this.#flush();
  }

  #flush() {
    this.#sendTimer = undefined;
    const now_ms = this.store.now_ms();
    this.#sent_ms = this.#sent_ms.filter((sent) => now_ms - sent < 1000);
    for (const [id, message] of this.#outbox) {
      if (this.#sent_ms.length >= MOST_PER_S) {
        this.#sendTimer = this.around.later(() => this.#flush(), 1000 - (now_ms - (this.#sent_ms[0] ?? now_ms)) + 1);
        return;
      }
      this.#outbox.delete(id);
      this.#sent_ms.push(now_ms);
      this.#socket?.send(JSON.stringify(message));
    }
  }
}

/** @type {Surroundings} */
const browser = {
  open: (url) => new WebSocket(url),
  later: (work, delay_ms) => window.setTimeout(work, delay_ms),
  cancel: (timer) => window.clearTimeout(timer),
  random: Math.random,
};
