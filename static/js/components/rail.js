import { bps, clock, moment, plural } from '../format.js';
import { deviceUrl, wallUrl } from '../links.js';
import { make, part } from './dom.js';
import { icon } from './icons.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../wire.js').Mover} Mover */
/** @typedef {import('../wire.js').EventBody} EventBody */
/** @typedef {import('../event-log.js').Missed} Missed */

const MOST_MOVERS = 7;
const MOST_EVENTS = 60;
const MOVERS_EVERY_S = 5;

/** The biggest changes of the last minute. They change places every 5 s at most: a list that jumps cannot be read. */
export class Movers {
  #shown_s = -Infinity;

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    kit.store.watch('summary', () => kit.painter.later(this.paint));
    kit.painter.eachSecond(this.paint);
  }

  paint = () => {
    const { store, prefix } = this.kit;
    const now_s = store.now_ms() / 1000;
    if (store.currency === 'none') {
      if (this.#shown_s !== -Infinity) part('movers').replaceChildren(make('li', { class: 'none' }, 'No data'));
      this.#shown_s = -Infinity;
      return;
    }
    if (!store.summary || now_s - this.#shown_s < MOVERS_EVERY_S || part('movers').matches(':hover, :focus-within')) return;
    this.#shown_s = now_s;
    const movers = store.summary.movers.slice(0, MOST_MOVERS).map((mover) => moverItem(mover, prefix));
    part('movers').replaceChildren(...(movers.length ? movers : [make('li', { class: 'none' }, 'Nothing moved by much')]));
  };
}

/** @param {Mover} mover @param {string} prefix */
function moverItem(mover, prefix) {
  const change = mover.now_bps - mover.was_bps;
  return make(
    'li',
    { class: 'mover' },
    make('span', { class: 'arrow', 'aria-hidden': 'true' }, change > 0 ? '▲' : '▼'),
    make('a', { href: wallUrl(prefix, [mover]) }, `${mover.device} ${mover.name}`),
    make('b', {}, `${change > 0 ? '+' : '−'}${bps(Math.abs(change))}`),
    make('span', { class: 'from-to' }, `${mover.direction} ${bps(mover.was_bps)} → ${bps(mover.now_bps)}`),
  );
}

/** What happened, newest first; of one device where the page is about one. */
export class Events {
  #newest = '';

  /** @param {Kit} kit @param {string} [device] */
  constructor(kit, device = '') {
    this.kit = kit;
    this.device = device;
    kit.store.watch('events', () => kit.painter.later(this.paint));
  }

  paint = () => {
    const { store, prefix } = this.kit;
    const lines = store.log.lines(this.device, MOST_EVENTS);
    const newest = lines.map((line) => ('text' in line ? line.time + line.text : `${line.after} ${line.count}`)).join();
    if (newest === this.#newest) return;
    this.#newest = newest;
    const items = lines.map((line) => ('text' in line ? eventItem(line, prefix, this.device === '') : missedItem(line)));
    part('events').replaceChildren(...items);
    part('events-none').hidden = items.length > 0;
  };
}

/** @param {EventBody} event @param {string} prefix @param {boolean} withDevice */
function eventItem(event, prefix, withDevice) {
  const subject = [withDevice ? event.device : '', event.interface].filter(Boolean).join(' ');
  const href = event.interface
    ? wallUrl(prefix, [{ device: event.device, name: event.interface }])
    : deviceUrl(prefix, event.device);
  const text = make('span', {}, eventText(event, subject !== ''));
  const about = event.device ? make('a', { href }, subject) : subject;
  return make(
    'li',
    { class: 'event' },
    make('time', { datetime: new Date(event.time * 1000).toISOString(), title: moment(event.time) }, clock(event.time)),
    icon(severityIcon(event.severity)),
    make('p', {}, ...(subject ? [about, ' '] : []), text),
  );
}

/** @param {Missed} missed */
function missedItem(missed) {
  return make('li', { class: 'none' }, missedText(missed));
}

/** The page cannot know of which device they were. @param {Missed} missed */
export function missedText(missed) {
  return `${plural(missed.count, 'event')} ${missed.count === 1 ? 'was' : 'were'} not shown here: this page read too slowly`;
}

/**
 * An event's text without its subject, whether it begins with that or not. After the subject it goes on as it is; where
 * none stands before it (on the page of the device) it is a sentence of its own.
 * @param {Pick<EventBody, 'text'|'device'|'interface'>} event
 * @param {boolean} afterSubject
 */
export function eventText(event, afterSubject) {
  let { text } = event;
  for (const name of [event.device, event.interface]) {
    if (name && (text.startsWith(`${name} `) || text.startsWith(`${name}: `))) text = text.slice(name.length).replace(/^:? /, '');
  }
  if (afterSubject) return text;
  const alone = text.replace(/^is /, '');
  return alone.charAt(0).toUpperCase() + alone.slice(1);
}

/** @param {string} severity */
function severityIcon(severity) {
  return severity === 'critical' || severity === 'warning' ? severity : 'ok';
}
