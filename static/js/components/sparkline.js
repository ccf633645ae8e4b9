import { blank } from './dom.js';

/** @typedef {(number|null)[]} Values */

const LEAST_SHARE = 0.2;

/**
 * A small mirrored chart without axes: in above, out below one zero line. Where samples were missed nothing is drawn but a
 * dotted zero line.
 * @param {HTMLCanvasElement} canvas
 * @param {import('./theme.js').Theme} theme
 * @param {Values} up
 * @param {Values} down positive
 * @param {number} width CSS pixels
 * @param {number} height CSS pixels
 */
export function drawSparkline(canvas, theme, up, down, width, height) {
  const pen = blank(canvas, width, height);
  const [above, below] = [largest(up), largest(down)];
  const share = above + below > 0 ? Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, above / (above + below))) : 0.5;
  const zero = Math.round(1 + (height - 3) * share) + 0.5;
  const step = width / Math.max(1, up.length - 1);
  drawHalf(pen, up, step, zero, above ? -(zero - 1.5) / above : 0, theme.colour('in'), theme.colour('in-fill'));
  drawHalf(pen, down, step, zero, below ? (height - 1.5 - zero) / below : 0, theme.colour('out'), theme.colour('out-fill'));
  pen.strokeStyle = theme.colour('line-2');
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(0, zero);
  pen.lineTo(width, zero);
  pen.stroke();
  pen.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Values} values
 * @param {number} step pixels between samples
 * @param {number} zero y of zero
 * @param {number} scale pixels per bit a second, negative upwards
 * @param {string} stroke
 * @param {string} fill
 */
function drawHalf(pen, values, step, zero, scale, stroke, fill) {
  const line = new Path2D();
  const area = new Path2D();
  let drawing = false;
  let x = 0;
  values.forEach((value, at) => {
    if (value === null) {
      if (drawing) area.lineTo(x, zero);
      drawing = false;
      return;
    }
    x = at * step;
    const y = zero + value * scale;
    if (drawing) {
      line.lineTo(x, y);
    } else {
      line.moveTo(Math.max(0, x - 0.5), y); // half a pixel long at least: a lone sample shows
      line.lineTo(x, y);
      area.moveTo(x, zero);
    }
    area.lineTo(x, y);
    drawing = true;
  });
  if (drawing) area.lineTo(x, zero);
  pen.fillStyle = fill;
  pen.fill(area);
  pen.strokeStyle = stroke;
  pen.lineWidth = 1;
  pen.stroke(line);
}

/** @param {Values} values */
function largest(values) {
  let most = 0;
  for (const value of values) if (value !== null && value > most) most = value;
  return most;
}
