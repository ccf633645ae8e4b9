import { make, part } from './dom.js';

/** @typedef {{key: string, shown: string, text: string, run: () => void}} Key */

/** The keys that this page has, and the dialog that lists them. */
export class Keys {
  /** @type {Key[]} */ #keys = [];

  constructor() {
    document.addEventListener('keydown', (event) => this.#pressed(event));
    this.add('?', '?', 'this list', () => this.#help());
    part('help-button').addEventListener('click', () => this.#help());
  }

  /**
   * @param {string} key as the browser names it, in lower case
   * @param {string} shown what stands on the key; empty leaves it out of the list
   * @param {string} text what it does
   * @param {() => void} run
   */
  add(key, shown, text, run) {
    this.#keys.push({ key, shown, text, run });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('input, textarea, select')) return;
    if (event.key === ' ' && target?.closest('button, a, summary')) return;
    const key = this.#keys.find((candidate) => candidate.key === event.key.toLowerCase());
    if (!key) return;
    event.preventDefault();
    key.run();
  }

  #help() {
    const dialog = /** @type {HTMLDialogElement} */ (part('help'));
    part('help-keys', dialog).replaceChildren(
      ...this.#keys
        .filter((key) => key.shown)
        .map((key) => make('div', {}, make('dt', {}, make('kbd', {}, key.shown)), make('dd', {}, key.text))),
    );
    dialog.showModal();
  }
}
