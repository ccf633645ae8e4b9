import { age, count, outageOf, plural } from '../format.js';
import { deviceUrl, wallUrl } from '../links.js';
import { rowAge, rowKey } from '../store.js';
import { DeviceList } from './device-list.js';
import { part, remember, remembered, setAttribute, setText } from './dom.js';
import { findBox } from './find-box.js';
import { InterfaceList } from './interface-list.js';
import { Events, Movers } from './rail.js';
import { Totals } from './totals.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('./interface-list.js').Sort} Sort */
/** @typedef {import('./interface-list.js').Line} Line */
/** @typedef {import('../wire.js').SummaryRow} SummaryRow */

const SUMMARY_ID = 1;
const EVENTS_ID = 2;
/** Rows fetched above and below those in view. */
const MARGIN_ROWS = 30;
const ASK_AFTER_MS = 150;
const OVERDUE_MS = 1500;

/** All devices and interfaces. The server filters and sorts; the page asks for the rows in view. */
export class Overview {
  /** @type {SummaryRow[]} in the order shown */ #rows = [];
  #offset = 0;
  #matched = 0;
  /** What the rows were asked with; an answer to an older question is of no use. */
  #asked = { offset: 0, limit: 100 };
  #askTimer = 0;
  #orderFor = '';
  #held = false;

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    this.filter = remembered('q') ?? '';
    this.show = remembered('show') ?? 'all';
    new Totals(kit);
    this.devices = new DeviceList(kit, (device) => this.#showOnly(device));
    this.devices.only = remembered('device') ?? '';
    new Movers(kit);
    new Events(kit);
    this.list = new InterfaceList(kit, (index) => this.#lineAt(index), {
      moved: () => this.#askSoon(),
      sorted: () => this.#changed(),
    });
    this.list.setSort(/** @type {Sort} */ (remembered('sort') ?? 'attention'), remembered('up') !== '1');
    this.#controls();
    kit.store.watch('summary', () => this.#take());
    kit.painter.eachSecond(this.#grow);
    kit.socket.subscribe({ id: EVENTS_ID, events: true });
    this.#ask();
  }

  #controls() {
    const input = /** @type {HTMLInputElement} */ (part('filter'));
    findBox(input, this.filter, (words) => {
      this.filter = words;
      this.#changed();
    });
    this.kit.keys.add('/', '/', 'find device, interface, circuit', () => input.focus());
    part('show').addEventListener('click', (event) => {
      const button = event.target instanceof Element ? event.target.closest('button') : null;
      if (!button) return;
      this.show = button.value;
      this.#changed();
    });
    part('only').addEventListener('click', () => this.#showOnly(''));
  }

  /** @param {string} device empty shows all */
  #showOnly(device) {
    this.devices.only = device;
    this.kit.painter.later(this.devices.paint);
    this.#changed();
  }

  /** The viewer wants other rows: from the top, at once, and into the address. */
  #changed() {
    remember({
      q: this.filter,
      show: this.show === 'all' ? '' : this.show,
      device: this.devices.only,
      sort: this.list.sort === 'attention' ? '' : this.list.sort,
      up: this.list.descending ? '' : '1',
    });
    this.list.scrollToTop();
    this.#orderFor = '';
    this.#askSoon();
    this.kit.painter.later(this.paint);
  }

  #askSoon() {
    clearTimeout(this.#askTimer);
    this.#askTimer = window.setTimeout(() => this.#ask(), ASK_AFTER_MS);
  }

  #ask() {
    const { first, rows } = this.list.pool.view;
    const offset = Math.max(0, first - MARGIN_ROWS);
    const limit = Math.min(400, rows + 2 * MARGIN_ROWS);
    this.#asked = { offset, limit };
    this.kit.socket.subscribe({
      id: SUMMARY_ID,
      device: '*',
      summary: true,
      filter: this.filter,
      show: this.show,
      only_device: this.devices.only,
      sort: this.list.sort,
      descending: this.list.descending,
      offset,
      limit,
    });
  }

  /** Take the newest rows; while the pointer is over the table no row moves, only its values change. */
  #take() {
    const { summary } = this.kit.store;
    if (!summary) return;
    const { sort, descending } = this.list;
    const order = JSON.stringify([this.filter, this.show, this.devices.only, sort, descending, summary.offset]);
    this.#held = this.list.held && order === this.#orderFor;
    if (this.#held) {
      const newest = new Map(summary.rows.map((row) => [rowKey(row), row]));
      this.#rows = this.#rows.map((row) => newest.get(rowKey(row)) ?? row);
    } else {
      this.#rows = summary.rows;
      this.#orderFor = summary.offset === this.#asked.offset ? order : '';
    }
    this.#offset = summary.offset;
    this.#matched = summary.matched;
    this.kit.painter.later(this.paint);
  }

  /** Ages grow by themselves when no summary comes. */
  #grow = () => {
    if (!(this.kit.store.now_ms() - this.kit.store.summary_ms < OVERDUE_MS)) this.paint();
  };

  paint = () => {
    const { summary } = this.kit.store;
    for (const button of part('show').querySelectorAll('button')) {
      setAttribute(button, 'aria-pressed', String(button.value === this.show));
    }
    part('only').hidden = this.devices.only === '';
    setText(part('only-name'), this.devices.only);
    if (!summary) return;
    setText(part('attention-count'), this.kit.store.currency === 'none' ? '–' : count(summary.totals.attention));
    setText(part('matched'), `${count(this.#matched)} of ${count(summary.totals.interfaces)}${this.#held ? ', order held' : ''}`);
    part('no-rows').hidden = this.#matched > 0;
    this.list.show(this.#matched);
  };

  /** @param {number} index @returns {Line|null} */
  #lineAt(index) {
    const row = this.#rows[index - this.#offset];
    const { store, prefix } = this.kit;
    if (!row || !store.summary) return null;
    const device = store.summary.devices.find((line) => line.name === row.device);
    const since_s = Math.max(0, (store.now_ms() - store.summary_ms) / 1000);
    const { age_s, level } = rowAge(row, since_s, device?.interval_s ?? 1);
    const silent = level === 'none' || row.whole_device === true;
    const outdated = level === 'none' && rowAge(row, 0, device?.interval_s ?? 1).level !== 'none'; // since the server told
    const told = outdated || (silent && row.attention?.level === 'stale') ? null : row.attention;
    const old = Number.isNaN(age_s) ? 'No data' : `${silent ? 'No data' : 'Late'} ${age(age_s)}`;
    const isDown = outageOf(row).level !== '';
    const place = row.whole_device ? null : { device: row.device, name: row.name };
    return {
      place,
      view: {
        href: place ? wallUrl(prefix, [place]) : deviceUrl(prefix, row.device),
        title: place ? `${row.device} ${row.name}` : row.device,
        about: place ? row.alias : `${plural(device?.interfaces ?? 0, 'interface')}: ${device?.reason || 'not answering'}`,
        level: told?.level ?? (outdated || (silent && !isDown) ? 'stale' : isDown ? 'down' : ''),
        word: told?.text ?? (level === 'live' && !row.whole_device ? '' : old),
        late: level === 'late',
        silent,
        spark: store.sparks.get(rowKey(row)),
        in_bps: row.in_bps,
        out_bps: row.out_bps,
        in_percent: row.in_percent,
        out_percent: row.out_percent,
        picked: false,
      },
    };
  }
}
