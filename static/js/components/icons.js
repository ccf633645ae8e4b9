const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {'ok'|'warning'|'critical'|'stale'|'down'|'note'} IconName a symbol of base.html */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  svg.append(use);
  setIcon(svg, name);
  return svg;
}

/** @param {SVGElement} svg @param {IconName} name */
export function setIcon(svg, name) {
  const use = /** @type {SVGUseElement} */ (svg.firstElementChild);
  if (use.getAttribute('href') !== `#icon-${name}`) use.setAttribute('href', `#icon-${name}`);
}

/** The symbol of an attention level or of an event's severity. @param {string} level @returns {IconName} */
export function iconOf(level) {
  switch (level) {
    case 'critical':
    case 'warning':
    case 'stale':
    case 'down':
    case 'note':
      return level;
    default:
      return 'ok';
  }
}
