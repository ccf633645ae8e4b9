import { age, cadenceText, clock, freshness, moment, span } from '../format.js';
import { mayCome } from '../stream.js';
import { make, part, setAttribute, setText } from './dom.js';
import { icon, setIcon } from './icons.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('../stream.js').Stream} Stream */
/** @typedef {import('../wire.js').DeviceChanged} DeviceChanged */

/** The states of a device in words, each with its symbol. */
export const STATES = Object.freeze(
  /** @type {Record<string, [string, import('./icons.js').IconName]>} */ ({
    starting: ['Starting', 'note'],
    up: ['Answering', 'ok'],
    late: ['Answers late', 'warning'],
    down: ['Not answering', 'stale'],
    auth_failed: ['Access refused', 'critical'],
    bad_replies: ['Bad replies', 'critical'],
  }),
);

/** What a device is and how it answers. */
export class DeviceHead {
  #facts = '';
  #icon = icon('note');

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    part('state-icon').append(this.#icon);
  }

  /** @param {Stream} stream */
  paint(stream) {
    const { device, failure } = stream;
    if (failure) {
      setText(part('state'), failure.message);
      setText(part('reason'), mayCome(failure) ? 'asked again every 15\u2009s' : '');
      part('state').removeAttribute('title');
      if (device) setText(part('sample'), this.#sampleText(stream, device));
      setAttribute(part('head'), 'data-state', 'failure');
      setIcon(this.#icon, 'critical');
      return;
    }
    if (!device) return;
    const [word, symbol] = STATES[device.state] ?? [device.state, 'note'];
    setAttribute(part('head'), 'data-state', device.state);
    setIcon(this.#icon, symbol);
    setText(part('state'), word);
    setAttribute(part('state'), 'title', `since ${moment(device.since)}`);
    setText(part('reason'), [device.reason, `since ${clock(device.since)} UTC`].filter(Boolean).join(', '));
    setText(part('sample'), this.#sampleText(stream, device));
    setText(part('pace'), `every ${span(device.interval_s)}`);
    const cadence = cadenceText(device.cadence_s, stream.interfaces.map((facts) => facts.cadence_s));
    part('cadence').hidden = cadence === '';
    setText(part('cadence'), cadence);
    part('note').hidden = device.note === '';
    setText(part('note'), device.note);
    this.#showFacts(device);
  }

  /** @param {Stream} stream @param {DeviceChanged} device */
  #sampleText(stream, device) {
    const { store } = this.kit;
    const heard_s = stream.youngest_s(store.now_ms());
    const age_s = Number.isNaN(heard_s) && device.last_sample !== null ? store.serverNow() - device.last_sample : heard_s;
    if (Number.isNaN(age_s)) return 'none yet';
    const fresh = freshness(age_s, device.interval_s);
    part('sample').classList.toggle('stale', fresh.level === 'none');
    return fresh.level === 'none' ? fresh.text : `${age_s < 1 ? 'under 1\u2009s' : age(age_s)} ago`;
  }

  /** @param {DeviceChanged} device */
  #showFacts(device) {
    const engine = device.engine_why ? `${device.engine} (${device.engine_why})` : device.engine;
    const facts = [['Address', device.address], ['Polled by', engine], ...Object.entries(device.facts)];
    const text = JSON.stringify(facts);
    if (text === this.#facts) return;
    this.#facts = text;
    part('facts').replaceChildren(
      ...facts
        .filter(([, value]) => value)
        .map(([name, value]) => make('div', {}, make('dt', {}, name ?? ''), make('dd', {}, value ?? ''))),
    );
  }
}
