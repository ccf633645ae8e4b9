/** The one moment at which all charts of a page end. No DOM, no clock. */

/** A series whose newest sample is older than this many intervals has ended: nothing waits for it. */
export const OVERDUE_AFTER = 2.5;

/** How far beyond the newest sample the axis begins, so that samples that jitter do not step over its end to and fro. */
const SLACK_S = 0.1;
/** An end so far in the future is of a clock that was set back since. */
const STEP_BACK_S = 2;

/**
 * Devices are polled at different moments of a second. Their charts share one end, or the same moment would stand at
 * another place in each. It moves in whole seconds, and never back.
 */
export class TimeAxis {
  #end = NaN;

  /**
   * @param {Iterable<{ring: import('./ring.js').Ring|null, interval_s: number}>} series
   * @param {number} now Unix seconds of the server
   * @returns {number} Unix seconds: at or after the newest sample that is not overdue; after `now` where all are
   */
  end(series, now) {
    let newest = -Infinity;
    for (const { ring, interval_s } of series) {
      const time = ring?.newestTime ?? NaN;
      if (time > newest && !isOverdue(time, interval_s, now)) newest = time;
    }
    const wanted = newest === -Infinity ? now : newest;
    if (!(this.#end <= now + STEP_BACK_S)) this.#end = wanted + SLACK_S;
    else if (wanted > this.#end) this.#end += Math.ceil(wanted - this.#end);
    return this.#end;
  }
}

/**
 * Whether the next sample should have come long ago.
 * @param {number} time of the newest sample, Unix seconds; NaN when there is none
 * @param {number} interval_s
 * @param {number} now Unix seconds
 */
export function isOverdue(time, interval_s, now) {
  return !(now - time <= OVERDUE_AFTER * interval_s);
}
