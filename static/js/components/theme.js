import { remember } from './dom.js';

/** Dark or light. Colours are said once, in tokens.css; canvases ask here. */
export class Theme {
  /** @type {Map<string, string>} */ #colours = new Map();
  /** @type {Set<() => void>} */ #watchers = new Set();

  get name() {
    return document.documentElement.dataset.theme === 'light' ? 'light' : 'dark';
  }

  /** The other theme, kept for the next visit and in the address. */
  toggle() {
    const name = this.name === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = name;
    try {
      localStorage.setItem('theme', name);
    } catch {
      // storage is switched off: the address still remembers
    }
    remember({ theme: name });
    this.#colours.clear();
    for (const tell of this.#watchers) tell();
  }

  /** @param {() => void} tell after each change */
  watch(tell) {
    this.#watchers.add(tell);
  }

  /** The value of a token: `colour('in')` is `--in`. @param {string} token */
  colour(token) {
    let value = this.#colours.get(token);
    if (value === undefined) {
      value = getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
      this.#colours.set(token, value);
    }
    return value;
  }
}
