/**
 * The newest samples of some series that share their times, oldest first. NaN is a missed sample. No DOM, no clock.
 *
 * Its memory is fixed for life: one Float64Array of times, one Float32Array of values a series.
 */
export class Ring {
  #start = 0;
  #length = 0;
  /** @type {Float64Array} */ #times;
  /** @type {Float32Array[]} */ #values;

  /**
   * @param {number} capacity samples kept
   * @param {number} columns series
   */
  constructor(capacity, columns) {
    this.capacity = capacity;
    this.columns = columns;
    this.#times = new Float64Array(capacity);
    this.#values = Array.from({ length: columns }, () => new Float32Array(capacity).fill(NaN));
  }

  get length() {
    return this.#length;
  }

  /**
   * A ring for more samples that holds what this one does.
   * @param {number} capacity
   */
  grown(capacity) {
    const ring = new Ring(capacity, this.columns);
    for (let position = 0; position < this.#length; position += 1) {
      ring.push(this.time(position), (column) => this.value(column, position));
    }
    return ring;
  }

  /** Time of the newest sample, missed or not; NaN when empty. */
  get newestTime() {
    return this.#length ? this.time(this.#length - 1) : NaN;
  }

  /**
   * Append one sample of each series. The oldest leaves when the ring is full.
   *
   * A time at or before the newest means that the server's clock was set back: what it now covers anew is dropped.
   * @param {number} time Unix seconds
   * @param {(column: number) => number|null|undefined} valueOf null and undefined are missed samples
   */
  push(time, valueOf) {
    while (this.#length && this.newestTime >= time) this.#length -= 1;
    const at = (this.#start + this.#length) % this.capacity;
    this.#times[at] = time;
    for (let column = 0; column < this.columns; column += 1) {
      /** @type {Float32Array} */ (this.#values[column])[at] = valueOf(column) ?? NaN;
    }
    if (this.#length < this.capacity) this.#length += 1;
    else this.#start = (this.#start + 1) % this.capacity;
  }

  /**
   * Time of a sample.
   * @param {number} position 0 is the oldest
   */
  time(position) {
    return /** @type {number} */ (this.#times[(this.#start + position) % this.capacity]);
  }

  /**
   * Value of a sample; NaN where it was missed.
   * @param {number} column
   * @param {number} position 0 is the oldest
   */
  value(column, position) {
    return /** @type {number} */ (this.#values[column]?.[(this.#start + position) % this.capacity] ?? NaN);
  }

  /**
   * Position of the first sample at or after a time; `length` when there is none.
   * @param {number} time Unix seconds
   */
  firstSince(time) {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Position of the newest sample of a series that was not missed; -1 when all were.
   * @param {number} column
   */
  newestValid(column) {
    for (let position = this.#length - 1; position >= 0; position -= 1) {
      if (!Number.isNaN(this.value(column, position))) return position;
    }
    return -1;
  }
}

/**
 * @typedef {object} Lines
 * @property {number[]} times Unix seconds, ascending
 * @property {(number|null)[]} up null is a gap
 * @property {(number|null)[]} down negated; null is a gap
 * @property {number} maxUp
 * @property {number} maxDown greatest size, not negated
 */

/** @returns {Lines} */
export function emptyLines() {
  return { times: [], up: [], down: [], maxUp: 0, maxDown: 0 };
}

/**
 * Two series of a ring as a mirrored chart draws them, into `lines`, whose arrays are used again.
 *
 * Where two samples lie further apart than `gapAfter_s`, samples between were missed: one null is put between them. The
 * sample before `since` comes along, so that the line reaches the chart's left edge.
 * @param {Lines} lines
 * @param {Ring} ring
 * @param {number} upColumn
 * @param {number} downColumn
 * @param {number} since Unix seconds
 * @param {number} gapAfter_s
 */
export function fillLines(lines, ring, upColumn, downColumn, since, gapAfter_s) {
  const { times, up, down } = lines;
  let count = 0;
  let before = NaN;
  lines.maxUp = 0;
  lines.maxDown = 0;
  for (let position = Math.max(0, ring.firstSince(since) - 1); position < ring.length; position += 1) {
    const time = ring.time(position);
    if (time - before > gapAfter_s) {
      times[count] = (before + time) / 2;
      up[count] = null;
      down[count] = null;
      count += 1;
    }
    before = time;
    const above = ring.value(upColumn, position);
    const below = ring.value(downColumn, position);
    times[count] = time;
    up[count] = Number.isNaN(above) ? null : above;
    down[count] = Number.isNaN(below) ? null : -below;
    if (above > lines.maxUp) lines.maxUp = above;
    if (below > lines.maxDown) lines.maxDown = below;
    count += 1;
  }
  times.length = count;
  up.length = count;
  down.length = count;
  return lines;
}

/**
 * The greatest value of each direction; null where there is no sample.
 * @param {Lines} lines
 */
export function peaksOf(lines) {
  const any = (/** @type {(number|null)[]} */ values) => values.some((value) => value !== null);
  return { up: any(lines.up) ? lines.maxUp : null, down: any(lines.down) ? lines.maxDown : null };
}

/**
 * Means of a series over equal slots that end at `end`; null for a slot without a sample.
 * @param {Ring} ring
 * @param {number} column
 * @param {number} end Unix seconds
 * @param {number} slot_s
 * @param {number} slots
 * @returns {(number|null)[]} oldest first
 */
export function means(ring, column, end, slot_s, slots) {
  const start = end - slot_s * slots;
  const sums = new Array(slots).fill(0);
  const counts = new Array(slots).fill(0);
  for (let position = ring.firstSince(start); position < ring.length; position += 1) {
    const slot = Math.floor((ring.time(position) - start) / slot_s);
    const value = ring.value(column, position);
    if (slot >= slots || Number.isNaN(value)) continue;
    sums[slot] += value;
    counts[slot] += 1;
  }
  return sums.map((sum, slot) => (counts[slot] ? sum / counts[slot] : null));
}
