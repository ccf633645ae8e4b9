/** Small helpers for elements. Text reaches the page only as text. */

/**
 * A new element. Children that are strings become text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Set a node's text, only if it differs: an unchanged node costs no layout, and a changed one keeps its text node.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent === text) return;
  const child = node.firstChild;
  if (child instanceof Text && child === node.lastChild && text !== '') child.data = text;
  else node.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * The part of the page that the template marks `data-part="name"`.
 * @param {string} name
 * @param {ParentNode} [root]
 * @returns {HTMLElement}
 */
export function part(name, root = document) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no part ${name}`);
  return found;
}

/**
 * The drawing context of a canvas, cleared, in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width CSS pixels
 * @param {number} height CSS pixels
 */
export function blank(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/**
 * Put a choice into the address, so that a copied link shows a colleague the same view.
 * @param {Record<string, string>} choices an empty text takes the choice out
 */
export function remember(choices) {
  const kept = location.search
    .slice(1)
    .split('&')
    .filter((pair) => pair && !((pair.split('=')[0] ?? '') in choices));
  for (const [name, value] of Object.entries(choices)) if (value) kept.push(`${name}=${encodeURIComponent(value)}`);
  history.replaceState(null, '', location.pathname + (kept.length ? `?${kept.join('&')}` : ''));
}

/** A choice that stands in the address, or null. @param {string} name */
export function remembered(name) {
  return new URLSearchParams(location.search).get(name);
}
