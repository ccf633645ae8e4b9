import uPlot from 'uplot';

const HATCH_PX = 6;
/** A gap narrower than this has no room for a hatch and is drawn solid, as calm to the eye as a hatch is. */
const NARROW_PX = 3;
const NARROW_ALPHA = 0.45;
const DOT_PX = 2.5;

/**
 * Hatch the time in which samples were missed, at least one pixel wide.
 * @param {uPlot} plot
 * @param {string} colour
 * @param {number} to right edge, Unix seconds
 * @param {boolean} overdue the newest sample is old
 */
export function hatchGaps(plot, colour, to, overdue) {
  const [times, up, down] = plot.data;
  for (const [from, until] of gapsOf(/** @type {number[]} */ (times), up ?? [], down ?? [], to, overdue)) {
    hatch(plot, colour, from, until);
  }
}

/**
 * The times without a sample. After the newest one there is a gap only where a sample was missed or is overdue: before that
 * the next one is still to come.
 * @param {ArrayLike<number>} times Unix seconds
 * @param {ArrayLike<number|null|undefined>} up
 * @param {ArrayLike<number|null|undefined>} down
 * @param {number} to right edge, Unix seconds
 * @param {boolean} overdue the newest sample is old
 * @returns {[number, number][]} from and until, Unix seconds
 */
export function gapsOf(times, up, down, to, overdue) {
  /** @type {[number, number][]} */ const gaps = [];
  const missed = (/** @type {number} */ at) => up[at] == null && down[at] == null;
  let last = -1; // the newest sample that was not missed
  for (let at = 0; at < times.length; at += 1) {
    if (missed(at)) continue;
    if (at - last > 1) gaps.push([times[Math.max(0, last)] ?? to, times[at] ?? to]);
    last = at;
  }
  const end = times[Math.max(0, last)];
  if (end !== undefined && end < to && (overdue || last < times.length - 1)) gaps.push([end, to]);
  return gaps;
}

/** @param {uPlot} plot @param {string} colour @param {number} from @param {number} to */
function hatch(plot, colour, from, to) {
  const { ctx: pen, bbox } = plot;
  const left = Math.max(bbox.left, Math.floor(plot.valToPos(from, 'x', true)));
  const right = Math.min(bbox.left + bbox.width, Math.max(left + uPlot.pxRatio, plot.valToPos(to, 'x', true)));
  if (right <= left) return;
  if (right - left < NARROW_PX * uPlot.pxRatio) {
    pen.save();
    pen.fillStyle = colour;
    pen.globalAlpha = NARROW_ALPHA;
    pen.fillRect(left, bbox.top, right - left, bbox.height);
    pen.restore();
    return;
  }
  const step = HATCH_PX * uPlot.pxRatio;
  pen.save();
  pen.beginPath();
  pen.rect(left, bbox.top, right - left, bbox.height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = uPlot.pxRatio;
  pen.beginPath();
  const first = Math.floor((left - bbox.height) / step) * step; // on a fixed grid, so that neighbours line up
  for (let x = first; x < right; x += step) {
    pen.moveTo(x, bbox.top + bbox.height);
    pen.lineTo(x + bbox.height, bbox.top);
  }
  pen.stroke();
  pen.restore();
}

/**
 * A sample between two gaps has no line to stand on: draw it as a dot.
 * @param {uPlot} plot
 * @param {string[]} colours of the series
 */
export function dotLoneSamples(plot, colours) {
  const { ctx: pen, bbox } = plot;
  const times = /** @type {number[]} */ (plot.data[0]);
  const size = DOT_PX * uPlot.pxRatio;
  colours.forEach((colour, index) => {
    const values = plot.data[index + 1] ?? [];
    pen.fillStyle = colour;
    for (let at = 0; at < times.length; at += 1) {
      const value = values[at];
      if (value == null || values[at - 1] != null || values[at + 1] != null) continue;
      const x = plot.valToPos(times[at] ?? 0, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      pen.fillRect(x - size / 2, plot.valToPos(value, 'y', true) - size / 2, size, size);
    }
  });
}

/** @param {uPlot} plot @param {string} colour */
export function zeroLine(plot, colour) {
  const { ctx: pen, bbox } = plot;
  const y = Math.round(plot.valToPos(0, 'y', true)) + 0.5;
  pen.save();
  pen.strokeStyle = colour;
  pen.lineWidth = uPlot.pxRatio;
  pen.beginPath();
  pen.moveTo(bbox.left, y);
  pen.lineTo(bbox.left + bbox.width, y);
  pen.stroke();
  pen.restore();
}
