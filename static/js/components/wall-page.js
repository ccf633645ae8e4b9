import { clock } from '../format.js';
import { MOST_CHARTS, WINDOWS, placesOf, windowOf, windowText } from '../links.js';
import { ChartTile } from './chart-tile.js';
import { make, part, remember, remembered, setAttribute, setText } from './dom.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../links.js').Place} Place */

const FIRST_ID = 10;
const DEFAULT_WINDOW_S = 300;

/** The charts that the address names, one for each interface, on one time axis. */
export class WallPage {
  /** @type {ChartTile[]} */ #tiles = [];
  /** @type {Map<ChartTile, number>} subscription of each tile */ #ids = new Map();
  #nextId = FIRST_ID;
  /** Longest past that was asked for. */ #asked_s = 0;

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    const { places, dropped } = placesOf(location.search);
    this.window_s = windowOf(remembered('t'), DEFAULT_WINDOW_S);
    part('wall-none').hidden = places.length > 0;
    part('wall-bar').hidden = places.length === 0;
    part('wall-dropped').hidden = dropped === 0;
    setText(part('wall-dropped'), `A wall holds ${MOST_CHARTS} charts; ${dropped} more are left out.`);
    const wall = part('wall');
    setAttribute(wall, 'data-size', size(places.length));
    for (const place of places) {
      const tile = new ChartTile(kit, place, {
        sync: 'wall',
        onCursor: (time) => this.#pointedAt(time),
        linkName: places.length > 1,
      });
      this.#tiles.push(tile);
      wall.append(tile.element);
    }
    if (places[0]) document.title = `${title(places)} – Linewatch`;
    this.#windows();
    this.#subscribe(this.#byDevice());
    kit.painter.eachSecond(this.paint);
  }

  paint = () => {
    const end = this.kit.store.axisEnd();
    for (const tile of this.#tiles) {
      tile.paint(this.kit.store.streams.get(this.#ids.get(tile) ?? -1), this.window_s, end);
    }
  };

  #windows() {
    const group = part('windows');
    for (const choice of WINDOWS) {
      const button = make('button', { type: 'button', value: String(choice.seconds) }, choice.label);
      button.addEventListener('click', () => this.#choose(choice.seconds));
      group.append(button);
      this.kit.keys.add(choice.key, choice.key, `show ${choice.label.replace('m', 'min')}`, () => this.#choose(choice.seconds));
    }
    this.#pressWindow();
  }

  #pressWindow() {
    for (const button of part('windows').querySelectorAll('button')) {
      setAttribute(button, 'aria-pressed', String(Number(button.value) === this.window_s));
    }
  }

  /** @param {number} window_s */
  #choose(window_s) {
    this.window_s = window_s;
    remember({ t: windowText(window_s) });
    this.#pressWindow();
    if (window_s > this.#asked_s) this.#fetchLonger();
    this.kit.painter.later(this.paint);
  }

  /** One subscription for all charts of a device. */
  #byDevice() {
    /** @type {Map<string, ChartTile[]>} */
    const groups = new Map();
    for (const tile of this.#tiles) {
      const group = groups.get(tile.place.device) ?? [];
      groups.set(tile.place.device, [...group, tile]);
    }
    return [...groups.values()];
  }

  /** @param {ChartTile[][]} groups */
  #subscribe(groups) {
    this.#asked_s = Math.max(this.#asked_s, this.window_s);
    for (const group of groups) {
      const id = this.#nextId;
      this.#nextId += 1;
      for (const tile of group) this.#ids.set(tile, id);
      this.#ask(id, group);
      this.kit.store.watch(`stream ${id}`, () => this.#changed(id, group));
    }
  }

  /** @param {number} id @param {ChartTile[]} group */
  #ask(id, group) {
    const device = group[0]?.place.device ?? '';
    this.kit.socket.subscribe({ id, device, interfaces: group.map((tile) => tile.place.name), history_s: this.#asked_s });
  }

  #fetchLonger() {
    this.#asked_s = this.window_s;
    for (const id of new Set(this.#ids.values())) {
      this.#ask(id, this.#tiles.filter((tile) => this.#ids.get(tile) === id));
    }
  }

  /** Where one interface of a device is refused, the others must not suffer: ask for each alone. */
  #changed(/** @type {number} */ id, /** @type {ChartTile[]} */ group) {
    const failed = this.kit.store.streams.get(id)?.failure?.code === 'unknown_interface';
    if (failed && group.length > 1) {
      this.kit.socket.unsubscribe(id);
      this.#subscribe(group.map((tile) => [tile]));
    }
    this.kit.painter.later(this.paint);
  }

  /** @param {number|null} time */
  #pointedAt(time) {
    setText(part('wall-time'), time === null ? 'Values: now' : `Values: ${clock(time)} UTC`);
  }
}

/** How many columns the wall has room for is the style sheet's business. @param {number} charts */
function size(charts) {
  if (charts === 0) return 'none';
  if (charts <= 3) return 'one';
  return charts <= 4 ? 'few' : charts <= 9 ? 'some' : 'many';
}

/** @param {Place[]} places */
function title(places) {
  const first = places[0];
  return places.length === 1 && first ? `${first.device} ${first.name}` : `${places.length} graphs`;
}
