/**
 * As many row elements as fit into view, moved over a list of any length. The list's height is real, its rows are lent.
 * @template {{element: HTMLElement}} R
 */
export class RowPool {
  /** @type {(R & {index: number})[]} */ #rows = [];
  #count = 0;
  #rowHeight = 30;
  #first = 0;

  /**
   * @param {HTMLElement} scroller what scrolls
   * @param {HTMLElement} list what holds the rows
   * @param {() => R} build a row without content
   * @param {(row: R, index: number) => void} paint
   * @param {() => void} [moved] other rows came into view
   */
  constructor(scroller, list, build, paint, moved = () => {}) {
    this.scroller = scroller;
    this.list = list;
    this.build = build;
    this.paint = paint;
    this.moved = moved;
    scroller.addEventListener('scroll', () => requestAnimationFrame(() => this.place()), { passive: true });
    new ResizeObserver(() => this.place()).observe(scroller);
  }

  get count() {
    return this.#count;
  }

  /** @param {number} count rows of the whole list */
  set count(count) {
    this.#count = count;
  }

  /** Index of the first row in view, and how many fit. */
  get view() {
    return {
      first: Math.floor(this.scroller.scrollTop / this.#rowHeight),
      rows: Math.ceil(this.scroller.clientHeight / this.#rowHeight) + 1,
    };
  }

  /** The elements whose rows are in the list now. */
  *shown() {
    for (const row of this.#rows) if (row.index >= 0) yield row;
  }

  /** Bring a row into view, and give its element. @param {number} index */
  reveal(index) {
    const top = index * this.#rowHeight;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    const room = this.scroller.clientHeight - this.#rowHeight;
    if (top > this.scroller.scrollTop + room) this.scroller.scrollTop = top - room;
    this.place();
    return this.#rows.find((row) => row.index === index);
  }

  /** Put rows where the list is in view, and paint them all. */
  place() {
    this.#rowHeight = parseFloat(getComputedStyle(this.list).getPropertyValue('--row-height')) || 30;
    const height = `${this.#count * this.#rowHeight}px`;
    if (this.list.style.height !== height) this.list.style.height = height;
    const { first, rows } = this.view;
    const needed = rows + 6;
    while (this.#rows.length < needed) {
      const row = Object.assign(this.build(), { index: -1 });
      row.element.hidden = true;
      this.list.append(row.element);
      this.#rows.push(row);
    }
    const start = Math.max(0, Math.min(first - 3, this.#count - needed));
    this.#rows.forEach((row, at) => {
      const size = this.#rows.length;
      const index = start + ((((at - start) % size) + size) % size);
      this.#lend(row, index < this.#count ? index : -1);
    });
    if (start !== this.#first) {
      this.#first = start;
      this.moved();
    }
  }

  /** @param {R & {index: number}} row @param {number} index */
  #lend(row, index) {
    if (row.index !== index) {
      row.index = index;
      row.element.hidden = index < 0;
      row.element.style.transform = `translateY(${Math.max(0, index) * this.#rowHeight}px)`;
    }
    if (index >= 0) this.paint(row, index);
  }
}
