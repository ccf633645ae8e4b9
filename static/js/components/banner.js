import { age, clock } from '../format.js';
import { part, setAttribute, setText } from './dom.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {import('./shell.js').Shell} Shell */

const CONNECTING_TOLD_S = 3;

/** The stripe that says what is wrong with the page itself, and what can be done. */
export class Banner {
  /** @param {Kit} kit @param {Shell} shell */
  constructor(kit, shell) {
    this.kit = kit;
    this.shell = shell;
    this.element = part('banner');
    this.text = part('banner-text');
    this.button = part('banner-button');
    this.spoken = part('banner-spoken');
    this.started_ms = kit.store.now_ms();
    this.button.addEventListener('click', () => this.#act());
    kit.store.watch('link', () => this.show());
    setInterval(() => this.show(), 250);
  }

  show() {
    const state = this.shell.state;
    const text = this.#text(state);
    this.element.hidden = text === '';
    setAttribute(this.element, 'data-state', state);
    setText(this.text, text);
    setText(this.button, state === 'frozen' ? 'Go on' : 'Retry now');
    // A screen reader hears of the change, not of each second.
    setText(this.spoken, { live: '', connecting: '', reconnecting: 'Connection to the server lost.', stale: 'No new data.',
      frozen: 'The page is frozen.' }[state]);
  }

  /** @param {import('./shell.js').LinkState} state */
  #text(state) {
    const { store } = this.kit;
    const now_ms = store.now_ms();
    if (state === 'reconnecting') {
      const lost = age((now_ms - (store.link.lost_ms ?? now_ms)) / 1000);
      const next = store.link.next_ms;
      const when = next === null ? 'Trying now.' : `Next try in ${age(Math.ceil((next - now_ms) / 1000))}.`;
      const known = store.currency === 'live' ? '' : ` Last known at ${clock(store.serverNow() - store.silent_s())} UTC.`;
      const meanwhile = store.hello ? `${known} What is missing in the charts fills in afterwards.` : '';
      return `Connection to the server lost ${lost} ago. ${when}${meanwhile}`;
    }
    if (state === 'stale') {
      const silent_s = store.staleFor_s();
      const since = clock(store.serverNow() - silent_s);
      const shown = store.currency === 'none' ? 'Values were' : 'Values shown are not live:';
      return `Connected, but no samples for ${age(silent_s)}. ${shown} last known at ${since} UTC.`;
    }
    if (state === 'frozen') {
      return `Frozen by you at ${clock(this.shell.frozenAt)} UTC. Samples go on arriving and are kept.`;
    }
    const takesLong = state === 'connecting' && now_ms - this.started_ms > CONNECTING_TOLD_S * 1000;
    return takesLong ? 'Connecting to the server takes long.' : '';
  }

  #act() {
    if (this.shell.state === 'frozen') this.shell.freeze(false);
    else this.kit.socket.connect();
  }
}
