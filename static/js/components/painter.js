/** Draws at most once a frame, never in a hidden tab, and not while the viewer has frozen the page. */
export class Painter {
  /** @type {Set<() => void>} */ #due = new Set();
  /** @type {Set<() => void>} */ #each = new Set();
  #frame = 0;
  #frozen = false;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#schedule());
    setInterval(() => {
      for (const paint of this.#each) this.later(paint);
    }, 1000);
  }

  get frozen() {
    return this.#frozen;
  }

  set frozen(frozen) {
    this.#frozen = frozen;
    this.#schedule();
  }

  /** Draw in the next frame; asked twice, drawn once. @param {() => void} paint */
  later(paint) {
    this.#due.add(paint);
    this.#schedule();
  }

  /** Draw once a second too, because ages grow by themselves. @param {() => void} paint */
  eachSecond(paint) {
    this.#each.add(paint);
    this.later(paint);
  }

  #schedule() {
    if (this.#frame || this.#frozen || document.hidden || this.#due.size === 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const due = [...this.#due];
      this.#due.clear();
      for (const paint of due) paint();
    });
  }
}
