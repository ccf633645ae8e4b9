const NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const HEADROOM = 1.06;
const SHRINK_BELOW = 0.7;
const SHRINK_AFTER_S = 30;
/** So near to the lower end a mark's text would run into the time axis. */
const NEAR_END = 0.04;
/** A side with less than this share of the other is no more than its zero line, and has no mark of its own. */
const FLAT_SHARE = 0.05;

/** The upper end of an axis: grows at once, shrinks only after 30 s below 70 %, so that a chart can be read while it moves. */
export class Bound {
  value = 0;
  #lowSince_s = NaN;

  /** @param {number} least never smaller than this */
  constructor(least) {
    this.least = least;
  }

  /**
   * @param {number} largest value to be shown
   * @param {number} now_s any clock that does not step
   */
  fit(largest, now_s) {
    const wanted = niceAbove(Math.max(largest * HEADROOM, this.least));
    if (wanted >= this.value * SHRINK_BELOW) this.#lowSince_s = NaN;
    else if (Number.isNaN(this.#lowSince_s)) this.#lowSince_s = now_s;
    if (wanted > this.value || now_s - this.#lowSince_s >= SHRINK_AFTER_S) {
      this.value = wanted;
      this.#lowSince_s = NaN;
    }
    return this.value;
  }
}

/** @param {number} value */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return (NICE.find((step) => value <= step * power * 1.0000001) ?? 10) * power;
}

/**
 * Marks of a mirrored axis: one step on both sides, zero always among them. A side that the step passes over has one mark
 * of its own, for a side without a number cannot be read.
 * @param {number} low at most 0
 * @param {number} high at least 0
 * @param {number} wanted marks on the larger side
 */
export function mirroredMarks(low, high, wanted) {
  const raw = (Math.max(high, -low) / Math.max(1, wanted)) * 0.92;
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = ([5, 2.5, 2].find((nice) => raw / power >= nice) ?? 1) * power;
  const [lowest, highest] = [-low * (1 - NEAR_END), high * 1.0001];
  const marks = [];
  for (let at = -Math.floor(lowest / step); at * step <= highest; at += 1) marks.push(at * step);
  if (lowest < step && -low > high * FLAT_SHARE) marks.unshift(-niceBelow(lowest));
  if (highest < step && high > -low * FLAT_SHARE) marks.push(niceBelow(highest));
  return marks;
}

/** @param {number} value */
function niceBelow(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return (NICE.filter((step) => step * power <= value).at(-1) ?? 1) * power;
}

/**
 * The marks whose text has room: where the one beside it is nearer than a line of text, zero stays without, for its line
 * says what it is.
 * @param {number[]} marks ascending
 * @param {number} least distance that two texts need, in the unit of the marks
 */
export function legible(marks, least) {
  return marks.filter((mark) => mark !== 0 || marks.every((other) => other === 0 || Math.abs(other) >= least));
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];

/**
 * Marks of a time axis at round moments.
 * @param {number} from Unix seconds
 * @param {number} to Unix seconds
 * @param {number} room how many marks fit
 */
export function timeMarks(from, to, room) {
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= Math.max(1, room)) ?? 86400;
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return marks;
}
