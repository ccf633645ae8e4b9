/** The events that a page knows, and where some are missing because it read too slowly. No DOM, no clock. */

/** @typedef {import('./wire.js').EventBody} EventBody */

/**
 * Events that were not sent: their times lie after `after` and before `before`, Unix seconds.
 * @typedef {object} Missed
 * @property {number} after
 * @property {number} before
 * @property {number} count
 */

const MOST_EVENTS = 200;

export class EventLog {
  /** @type {EventBody[]} newest first */ events = [];
  /** @type {Missed[]} newest first */ missed = [];
  /** No event has come since the newest entry of `missed`. */ #open = false;

  /**
   * Events come again after a reconnect: each is kept once, and one that was missed is missed no longer.
   * @param {EventBody} event
   */
  take(event) {
    if (this.events.some((other) => same(other, event))) return;
    const found = this.missed.find((one) => one.after < event.time && event.time < one.before);
    if (this.#open && this.missed[0]) this.missed[0].before = Math.min(this.missed[0].before, event.time);
    else if (found) found.count -= 1;
    this.#open = false;
    const at = this.events.findIndex((other) => other.time <= event.time);
    this.events.splice(at < 0 ? this.events.length : at, 0, event);
    if (this.events.length > MOST_EVENTS) this.events.length = MOST_EVENTS;
    this.#tidy();
  }

  /**
   * @param {number} count events that the server did not send
   * @param {number} now Unix seconds of the server
   */
  lose(count, now) {
    const [newest] = this.missed;
    if (this.#open && newest) {
      newest.count += count;
      newest.before = now;
    } else {
      this.missed.unshift({ after: this.events[0]?.time ?? -Infinity, before: now, count });
    }
    this.#open = true;
  }

  /** The server will send its newest events again: what comes next need not be newer than what was missed. */
  replay() {
    this.#open = false;
  }

  /**
   * What a reader sees, newest first: the events of a device (empty: of all), and between them how many are missing.
   * @param {string} device
   * @param {number} most
   * @returns {(EventBody|Missed)[]}
   */
  lines(device, most) {
    /** @type {(EventBody|Missed)[]} */ const lines = [];
    let next = 0;
    const putMissedAfter = (/** @type {number} */ time) => {
      for (let one = this.missed[next]; one && one.after >= time; one = this.missed[next]) {
        lines.push(one);
        next += 1;
      }
    };
    for (const event of this.events) {
      putMissedAfter(event.time);
      if (!device || event.device === device) lines.push(event);
    }
    putMissedAfter(-Infinity);
    return lines.slice(0, most);
  }

  /** What is known again, or lies before the oldest event kept, is of no use. */
  #tidy() {
    const full = this.events.length === MOST_EVENTS;
    const oldest = this.events.at(-1)?.time ?? -Infinity;
    this.missed = this.missed.filter((one) => one.count > 0 && !(full && one.after < oldest));
  }
}

/** @param {EventBody} one @param {EventBody} other */
function same(one, other) {
  return (
    one.time === other.time && one.kind === other.kind && one.device === other.device
    && one.interface === other.interface && one.text === other.text
  );
}
