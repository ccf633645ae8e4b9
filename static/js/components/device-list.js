import { bps } from '../format.js';
import { deviceUrl } from '../links.js';
import { make, part, setAttribute, setText } from './dom.js';
import { NO_DATA, drawPortMap, portMapText } from './port-map.js';
import { RowPool } from './row-pool.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../wire.js').DeviceLine} DeviceLine */

/**
 * The elements of one device; `drawn` says which port map its canvas shows.
 * @typedef {object} Card
 * @property {HTMLElement} element
 * @property {HTMLAnchorElement} name
 * @property {HTMLElement} state
 * @property {HTMLButtonElement} only
 * @property {HTMLCanvasElement} map
 * @property {string} drawn
 */

const MAP = { width: 222, height: 15 };

/** All devices with their traffic and a map of their ports. A device's map narrows the table to it; its name opens its page. */
export class DeviceList {
  /** Name of the device that the table is narrowed to; empty for all. */
  only = '';

  /** @param {Kit} kit @param {(device: string) => void} choose */
  constructor(kit, choose) {
    this.kit = kit;
    this.choose = choose;
    this.pool = new RowPool(
      part('device-rows'),
      part('device-list'),
      () => this.#build(),
      (card, index) => this.#paint(card, index),
    );
    kit.store.watch('summary', () => kit.painter.later(this.paint));
    kit.painter.eachSecond(this.paint);
    kit.theme.watch(() => this.pool.place());
  }

  paint = () => {
    this.pool.count = this.kit.store.summary?.devices.length ?? 0;
    this.pool.place();
  };

  /** @returns {Card} */
  #build() {
    const name = make('a', { class: 'device-name' });
    const state = make('span', { class: 'device-state' });
    const map = make('canvas', { 'aria-hidden': 'true' });
    const only = make('button', { type: 'button', class: 'device-map' }, map);
    only.addEventListener('click', () => this.choose(only.value === this.only ? '' : only.value));
    return { element: make('li', { class: 'device' }, name, state, only), name, state, only, map, drawn: '' };
  }

  /** @param {Card} card @param {number} index */
  #paint(card, index) {
    const device = this.kit.store.summary?.devices[index];
    if (!device) return;
    setText(card.name, device.name);
    setAttribute(card.name, 'href', deviceUrl(this.kit.prefix, device.name));
    const none = this.kit.store.currency === 'none';
    setAttribute(card.element, 'data-state', none ? 'none' : device.state);
    setText(card.state, none ? '–' : stateText(device));
    setAttribute(card.state, 'title', none ? '' : device.reason);
    card.only.value = device.name;
    setAttribute(card.only, 'aria-pressed', String(device.name === this.only));
    setAttribute(card.element, 'aria-setsize', String(this.pool.count));
    setAttribute(card.element, 'aria-posinset', String(index + 1));
    const ports = none ? device.ports.map(() => NO_DATA) : device.ports;
    const drawn = `${this.kit.theme.name} ${ports.join()}`;
    if (card.drawn === drawn) return;
    card.drawn = drawn;
    setAttribute(card.only, 'aria-label', `Show only ${device.name}: ${portMapText(ports)}`);
    drawPortMap(card.map, this.kit.theme, ports, MAP.width, MAP.height);
  }
}

/** @param {DeviceLine} device */
function stateText(device) {
  switch (device.state) {
    case 'up':
      return `${bps(device.in_bps)} / ${bps(device.out_bps)}`;
    case 'late':
      return 'late';
    case 'down':
      return 'not answering';
    case 'auth_failed':
      return 'access refused';
    case 'bad_replies':
      return 'bad replies';
    default:
      return 'starting';
  }
}
