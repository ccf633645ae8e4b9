/** Addresses of the pages: what they are made of, and what they mean. No DOM. */

/** Charts that one graph wall shows at most. */
export const MOST_CHARTS = 24;

/** @typedef {{device: string, name: string}} Place an interface of a device */

/** Windows that the charts can show, by the key that chooses them. */
export const WINDOWS = Object.freeze([
  { key: '1', label: '1 m', seconds: 60 },
  { key: '2', label: '5 m', seconds: 300 },
  { key: '3', label: '15 m', seconds: 900 },
]);

/**
 * One word for an interface, fit for a Map: the form that stands in addresses.
 * @param {Place} place
 */
export function placeKey({ device, name }) {
  return `${encodeURIComponent(device)}:${encodeURIComponent(name)}`;
}

/**
 * @param {string} prefix URL prefix of the program
 * @param {string} device
 */
export function deviceUrl(prefix, device) {
  return `${prefix}/device/${encodeURIComponent(device)}`;
}

/**
 * @param {string} prefix URL prefix of the program
 * @param {Place[]} places
 */
export function wallUrl(prefix, places) {
  return `${prefix}/wall?i=${places.map(placeKey).join(',')}`;
}

/**
 * The interfaces that a wall's address names, in its order, without doubles; `dropped` of them were too many.
 *
 * Split at commas, then at the first colon, then decoded: names may hold slashes, colons and commas.
 * @param {string} search `location.search`
 * @returns {{places: Place[], dropped: number}}
 */
export function placesOf(search) {
  const raw = /[?&]i=([^&]*)/.exec(search)?.[1] ?? '';
  const list = raw.includes(':') ? raw : decode(raw);
  /** @type {Map<string, Place>} */
  const found = new Map();
  for (const part of list.split(',')) {
    const colon = part.indexOf(':');
    if (colon < 1 || colon === part.length - 1) continue;
    const place = { device: decode(part.slice(0, colon)), name: decode(part.slice(colon + 1)) };
    found.set(placeKey(place), place);
  }
  const places = [...found.values()];
  return { places: places.slice(0, MOST_CHARTS), dropped: Math.max(0, places.length - MOST_CHARTS) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand, with a bare percent sign
  }
}

/**
 * The window that an address asks for (`5m`), in seconds.
 * @param {string|null} text
 * @param {number} otherwise seconds, when it asks for none that we have
 */
export function windowOf(text, otherwise) {
  return WINDOWS.find((choice) => choice.label.replace(' ', '') === text)?.seconds ?? otherwise;
}

/**
 * The form of a window that stands in an address.
 * @param {number} seconds
 */
export function windowText(seconds) {
  return WINDOWS.find((choice) => choice.seconds === seconds)?.label.replace(' ', '') ?? `${seconds}s`;
}
