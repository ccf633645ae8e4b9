import { CRITICAL_PERCENT, WARN_PERCENT } from '../format.js';
import { blank } from './dom.js';

export const NO_DATA = -2;
const DOWN = -1;
const SPEED_UNKNOWN = 101;
const LARGEST_CELL = { width: 8, height: 7 };
const GAP = 1;

/**
 * A device's ports as a front panel: odd ones above, even ones below, shade by utilisation. Down is hollow, no data dashed,
 * busy yellow, and above 90 % red with a notch: shape tells what colour tells.
 * @param {HTMLCanvasElement} canvas
 * @param {import('./theme.js').Theme} theme
 * @param {number[]} ports
 * @param {number} width CSS pixels
 * @param {number} height CSS pixels
 */
export function drawPortMap(canvas, theme, ports, width, height) {
  const pen = blank(canvas, width, height);
  const rows = Math.max(2, Math.ceil((ports.length * 3) / width)); // cells of 2 pixels at least
  const columns = Math.ceil(ports.length / rows);
  const across = Math.min(LARGEST_CELL.width, Math.max(2, Math.floor(width / Math.max(1, columns)) - GAP));
  const down = Math.min(LARGEST_CELL.height, Math.max(2, Math.floor((height + GAP) / rows) - GAP));
  ports.forEach((port, at) => {
    drawPort(pen, theme, port, Math.floor(at / rows) * (across + GAP), (at % rows) * (down + GAP), across, down);
  });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import('./theme.js').Theme} theme
 * @param {number} port
 * @param {number} x
 * @param {number} y
 * @param {number} across
 * @param {number} down
 */
function drawPort(pen, theme, port, x, y, across, down) {
  if (port === NO_DATA || port === DOWN) {
    pen.strokeStyle = theme.colour(port === NO_DATA ? 'text-3' : 'line-2');
    pen.lineWidth = 1;
    pen.setLineDash(port === NO_DATA ? [2, 1.5] : []);
    pen.strokeRect(x + 0.5, y + 0.5, across - 1, down - 1);
    pen.setLineDash([]);
    return;
  }
  pen.fillStyle = theme.colour(shade(port));
  pen.fillRect(x, y, across, down);
  if (port >= CRITICAL_PERCENT && port !== SPEED_UNKNOWN && across > 4) {
    pen.fillStyle = theme.colour('bg-1');
    pen.fillRect(x + Math.floor(across / 2) - 1, y + 2, 2, Math.max(1, down - 4));
  }
}

/** @param {number} port */
function shade(port) {
  if (port === SPEED_UNKNOWN) return 'u1';
  if (port >= CRITICAL_PERCENT) return 'crit';
  if (port >= WARN_PERCENT) return 'warn';
  if (port > 60) return 'u4';
  if (port > 35) return 'u3';
  if (port > 15) return 'u2';
  return port > 2 ? 'u1' : 'u0';
}

/**
 * A port map in words, for those who cannot see it.
 * @param {number[]} ports
 */
export function portMapText(ports) {
  const busy = ports.filter((port) => port >= WARN_PERCENT && port !== SPEED_UNKNOWN).length;
  const down = ports.filter((port) => port === DOWN).length;
  const silent = ports.filter((port) => port === NO_DATA).length;
  return `${ports.length} interfaces, ${busy} over ${WARN_PERCENT}%, ${down} down, ${silent} without data`;
}
