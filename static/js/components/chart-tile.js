import { CRITICAL_PERCENT, WARN_PERCENT, freshness, outageOf, percent, rate, span, speed } from '../format.js';
import { deviceUrl, placeKey, wallUrl } from '../links.js';
import { isOverdue } from '../time-axis.js';
import { Quality } from '../wire.js';
import { make, setAttribute, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { TrafficChart } from './traffic-chart.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../links.js').Place} Place */
/** @typedef {import('../stream.js').Stream} Stream */

/** Samples that lie further apart than this many intervals have a gap between them. */
const GAP_AFTER = 1.75;

/** One interface: what it is, what it carries now, and its chart. Made once; each `paint` shows the newest. */
export class ChartTile {
  /** @type {number|null} */ #pointed = null;
  #drawn = '';
  #icon = icon('ok');
  #device = make('a', { class: 'tile-device' });
  #name = make('a', { class: 'tile-name' });
  #alias = make('span', { class: 'tile-alias' });
  #in = document.createTextNode('');
  #out = document.createTextNode('');
  #status = make('span', { class: 'tile-status' });
  #facts = make('span', { class: 'tile-facts' });
  #nothing = make('p', { class: 'tile-nothing' });
  #plot = make('div', { class: 'tile-plot' });

  /**
   * @param {Kit} kit
   * @param {Place} place
   * @param {{sync?: string, onCursor?: (time: number|null) => void, linkName?: boolean}} [options]
   */
  constructor(kit, place, options = {}) {
    this.kit = kit;
    this.place = place;
    const title = make('h2', {}, this.#device, ' ', this.#name);
    this.element = make(
      'section',
      { class: 'tile', 'aria-label': `${place.device} ${place.name}` },
      make(
        'header',
        {},
        this.#icon,
        make('div', { class: 'tile-title' }, title, this.#alias),
        make('div', { class: 'tile-values' }, valueCell('in', '▲', this.#in), valueCell('out', '▼', this.#out)),
      ),
      make('div', { class: 'tile-line' }, this.#status, this.#facts),
      make('div', { class: 'tile-body' }, this.#plot, this.#nothing),
    );
    setText(this.#device, place.device);
    this.#device.href = deviceUrl(kit.prefix, place.device);
    setText(this.#name, place.name);
    if (options.linkName) this.#name.href = wallUrl(kit.prefix, [place]);
    this.chart = new TrafficChart(this.#plot, kit.theme, {
      label: `Traffic of ${place.device} ${place.name}, in above, out below`,
      ...(options.sync ? { sync: options.sync } : {}),
      onCursor: (position) => {
        this.#pointed = position;
        this.#showValues();
        options.onCursor?.(this.pointedTime);
      },
    });
    kit.charts.set(placeKey(place), this.chart);
  }

  /** Moment under the pointer, Unix seconds; null when it points at none. */
  get pointedTime() {
    return this.#pointed === null ? null : (this.chart.data()[0][this.#pointed] ?? null);
  }

  destroy() {
    this.kit.charts.delete(placeKey(this.place));
    this.chart.destroy();
    this.element.remove();
  }

  /** @type {{in_bps: number, out_bps: number}} what the interface carries now; NaN where there is nothing to show */
  #now = { in_bps: NaN, out_bps: NaN };

  /**
   * @param {Stream|undefined} stream
   * @param {number} window_s
   * @param {number} end of the time axis of all charts of the page, Unix seconds
   */
  paint(stream, window_s, end) {
    const row = stream?.row(this.place.name) ?? -1;
    const nothing = this.#whyNothing(stream, row);
    setText(this.#nothing, nothing);
    this.#nothing.hidden = nothing === '';
    this.#plot.hidden = nothing !== '';
    if (!stream?.ring || row < 0 || stream.failure) {
      this.#now = { in_bps: NaN, out_bps: NaN };
      setIcon(this.#icon, stream?.failure ? 'critical' : 'stale');
      setText(this.#alias, '');
      setText(this.#status, '');
      setText(this.#facts, '');
      this.#showValues();
      return;
    }
    this.#describe(stream, row);
    this.#draw(stream, row, window_s, end);
    this.#showValues();
  }

  /** @param {Stream|undefined} stream @param {number} row */
  #whyNothing(stream, row) {
    if (stream?.failure) return stream.failure.message;
    if (stream?.ring) return row < 0 ? `${this.place.device} has no interface of this name.` : '';
    const state = stream?.device?.state;
    if (state === undefined || state === 'up' || state === 'starting') return 'Waiting for the first sample.';
    return `No sample yet: ${stream?.device?.reason}`;
  }

  /** @param {Stream} stream @param {number} row */
  #describe(stream, row) {
    const facts = stream.interfaces[row];
    if (!facts) return;
    const fresh = freshness(stream.age_s(row, this.kit.store.now_ms()), stream.interval_s);
    const silent = fresh.level === 'none';
    const outage = outageOf(facts);
    this.#now = {
      in_bps: silent ? NaN : stream.newest('in_bps', row),
      out_bps: silent ? NaN : stream.newest('out_bps', row),
    };
    const busier = facts.speed_bps > 0 ? (Math.max(this.#now.in_bps, this.#now.out_bps) / facts.speed_bps) * 100 : NaN;
    const busy = busier >= WARN_PERCENT && !outage.level;
    const told = [fresh.text, outage.word, busy ? `Over ${WARN_PERCENT}%` : ''];
    setText(this.#status, told.filter(Boolean).join(', '));
    const load = busier >= CRITICAL_PERCENT ? 'critical' : busy ? 'warning' : 'ok';
    const level = silent ? 'stale' : outage.level || load;
    setIcon(this.#icon, level);
    setAttribute(this.element, 'data-level', fresh.level === 'late' ? 'late' : level);
    setText(this.#alias, facts.alias || facts.description);
    const { cadence_s } = facts;
    const estimated = ((stream.quality[row] ?? 0) & Quality.ESTIMATED) !== 0 || cadence_s !== null;
    const parts = [
      facts.speed_bps > 0 ? `${speed(facts.speed_bps)}b/s line` : 'speed unknown',
      Number.isNaN(busier) ? '' : `${percent(busier)} used`,
      estimated ? `updates every ${cadence_s === null ? 'few s' : span(cadence_s, 1)}, mean shown` : '',
    ];
    setText(this.#facts, parts.filter(Boolean).join(', '));
  }

  /**
   * Draw when there is something new: another sample, another window, or another second on the axis.
   * @param {Stream} stream
   * @param {number} row
   * @param {number} window_s
   * @param {number} to
   */
  #draw(stream, row, window_s, to) {
    const ring = /** @type {import('../ring.js').Ring} */ (stream.ring);
    const overdue = isOverdue(ring.newestTime, stream.interval_s, this.kit.store.serverNow());
    const drawn = `${stream.version} ${window_s} ${to} ${overdue}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.chart.show(
      {
        ring,
        up: stream.column('in_bps', row),
        down: stream.column('out_bps', row),
        from: to - window_s,
        to,
        overdue,
        gapAfter_s: GAP_AFTER * stream.interval_s,
      },
      this.kit.store.now_ms() / 1000,
    );
  }

  /** The values under the pointer, else those of now. */
  #showValues() {
    const time = this.pointedTime;
    const [, up, down] = this.chart.data();
    const at = this.#pointed ?? -1;
    const below = down[at];
    const shown = time === null ? this.#now : { in_bps: up[at] ?? NaN, out_bps: below == null ? NaN : -below };
    setText(this.#in, rate(shown.in_bps));
    setText(this.#out, rate(shown.out_bps));
  }
}

/** @param {'in'|'out'} direction @param {string} sign @param {Text} value */
function valueCell(direction, sign, value) {
  const spoken = make('span', { class: 'only-read' }, `${direction} `);
  return make('span', { class: `tile-value ${direction}` }, make('span', { 'aria-hidden': 'true' }, `${sign} `), spoken, value);
}
