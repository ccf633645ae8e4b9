import { count, plural } from '../format.js';
import { wallUrl } from '../links.js';
import { ChartTile } from './chart-tile.js';
import { DeviceHead } from './device-head.js';
import { DeviceRows } from './device-rows.js';
import { part, remember, remembered, setText } from './dom.js';
import { findBox } from './find-box.js';
import { InterfaceList } from './interface-list.js';
import { Events } from './rail.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('./interface-list.js').Sort} Sort */
/** @typedef {import('../stream.js').Stream} Stream */

const STREAM_ID = 1;
const EVENTS_ID = 2;
const HISTORY_S = 300;
const BUSIEST = 3;
const BUSIEST_EVERY_S = 60;

/** One device: how it answers, its busiest interfaces as charts, all of them as a table. */
export class DevicePage {
  /** @type {ChartTile[]} */ #busiest = [];
  #chosen_s = -Infinity;

  /** @param {Kit} kit @param {string} device */
  constructor(kit, device) {
    this.kit = kit;
    this.device = device;
    this.head = new DeviceHead(kit);
    this.rows = new DeviceRows(kit, device);
    this.rows.filter = remembered('q') ?? '';
    new Events(kit, device);
    this.list = new InterfaceList(kit, (index) => this.rows.lineAt(index), { sorted: () => this.#changed() });
    this.list.setSort(/** @type {Sort} */ (remembered('sort') ?? 'attention'), remembered('up') !== '1');
    this.#filter();
    kit.socket.subscribe({ id: STREAM_ID, device, interfaces: '*', history_s: HISTORY_S });
    kit.socket.subscribe({ id: EVENTS_ID, events: true });
    kit.store.watch(`stream ${STREAM_ID}`, () => kit.painter.later(this.paint));
    kit.painter.eachSecond(this.paint);
  }

  #filter() {
    const input = /** @type {HTMLInputElement} */ (part('filter'));
    findBox(input, this.rows.filter, (words) => {
      this.rows.filter = words;
      this.#changed();
    });
    this.kit.keys.add('/', '/', 'find an interface', () => input.focus());
  }

  /** The viewer wants other rows: at once, from the top, and into the address. */
  #changed() {
    remember({
      q: this.rows.filter,
      sort: this.list.sort === 'attention' ? '' : this.list.sort,
      up: this.list.descending ? '' : '1',
    });
    this.list.scrollToTop();
    this.rows.release();
    this.kit.painter.later(this.paint);
  }

  paint = () => {
    const stream = this.kit.store.streams.get(STREAM_ID);
    if (!stream) return;
    this.head.paint(stream);
    this.rows.take(stream, this.list.sort, this.list.descending, this.list.held);
    const all = stream.interfaces.length;
    setText(part('matched'), `${count(this.rows.count)} of ${plural(all, 'interface')}`);
    part('no-rows').hidden = this.rows.count > 0;
    setText(part('no-rows'), emptyText(stream));
    this.list.show(this.rows.count);
    this.#chooseBusiest(stream);
    const end = this.kit.store.axisEnd();
    for (const tile of this.#busiest) tile.paint(stream, HISTORY_S, end);
  };

  /** Which charts are shown changes once a minute at most, and never under the pointer. @param {Stream} stream */
  #chooseBusiest(stream) {
    const now_s = this.kit.store.now_ms() / 1000;
    const host = part('busiest');
    if (!stream.ring || now_s - this.#chosen_s < BUSIEST_EVERY_S || host.matches(':hover, :focus-within')) return;
    this.#chosen_s = now_s;
    const names = this.rows.busiest(stream, BUSIEST);
    if (names.join('\n') === this.#busiest.map((tile) => tile.place.name).join('\n')) return;
    for (const tile of this.#busiest) tile.destroy();
    this.#busiest = names.map((name) => {
      const tile = new ChartTile(this.kit, { device: this.device, name }, { sync: 'busiest', linkName: true });
      host.append(tile.element);
      return tile;
    });
    const link = part('busiest-link');
    link.hidden = names.length === 0;
    link.setAttribute('href', wallUrl(this.kit.prefix, names.map((name) => ({ device: this.device, name }))));
  }
}

/** @param {Stream} stream */
function emptyText(stream) {
  if (stream.failure) return stream.failure.message;
  if (stream.ring) return 'No interface matches.';
  return stream.device ? `No interfaces known yet: ${stream.device.reason || 'the device has not answered'}` : '';
}
