import { age, clock, moment, span } from '../format.js';
import { part, remember, remembered, setAttribute, setText } from './dom.js';

/** @typedef {import('./kit.js').Kit} Kit */
/** @typedef {'connecting'|'live'|'reconnecting'|'stale'|'frozen'} LinkState */

const SKEW_TOLD_S = 2;

/** The frame of every page: link state, clock, theme, freeze, wallboard. */
export class Shell {
  /** What the title says instead of the page's own. */ #trouble = '';
  #title = '';

  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    this.link = part('link');
    this.word = part('link-word');
    this.detail = part('link-detail');
    this.clock = part('clock');
    this.skew = part('skew');
    kit.keys.add(' ', 'Space', 'freeze the page, and go on', () => this.freeze(!kit.painter.frozen));
    kit.keys.add('t', 'T', 'dark or light', () => kit.theme.toggle());
    kit.keys.add('w', 'W', 'wallboard: no controls, larger', () => this.#wallboard(!this.onWallboard));
    part('theme-button').addEventListener('click', () => kit.theme.toggle());
    part('freeze-button').addEventListener('click', () => this.freeze(!kit.painter.frozen));
    part('wallboard-button').addEventListener('click', () => this.#wallboard(true));
    this.#wallboard(remembered('wallboard') === '1');
    kit.store.watch('link', () => this.show());
    setInterval(() => this.show(), 250);
    this.show();
  }

  get onWallboard() {
    return 'wallboard' in document.body.dataset;
  }

  /** Moment at which the viewer froze the page, Unix seconds; NaN while it runs. */
  frozenAt = NaN;

  /** @param {boolean} frozen */
  freeze(frozen) {
    this.kit.painter.frozen = frozen;
    this.frozenAt = frozen ? this.kit.store.serverNow() : NaN;
    setAttribute(part('freeze-button'), 'aria-pressed', String(frozen));
    this.show();
  }

  /** @returns {LinkState} */
  get state() {
    const { store, painter } = this.kit;
    if (store.link.phase === 'waiting') return 'reconnecting';
    if (store.staleFor_s() > 0) return 'stale';
    if (painter.frozen) return 'frozen';
    return store.link.phase === 'connecting' ? 'connecting' : 'live';
  }

  show() {
    const { store } = this.kit;
    const state = this.state;
    setAttribute(document.body, 'data-link', state);
    const live = store.currency === 'live';
    document.body.toggleAttribute('data-old', !live);
    this.#entitle(live ? '' : state === 'reconnecting' ? 'Reconnecting' : 'No data');
    setAttribute(this.link, 'data-state', state);
    const [word, detail] = this.#words(state);
    setText(this.word, word);
    setText(this.detail, detail);
    const now = store.serverNow();
    setText(this.clock, clock(now));
    setAttribute(this.clock, 'datetime', new Date(Math.floor(now) * 1000).toISOString());
    setAttribute(this.clock, 'title', `Server time: ${moment(now)}`);
    const skew = Math.abs(store.skew_s) >= SKEW_TOLD_S ? store.skew_s : 0;
    this.skew.hidden = skew === 0;
    setText(this.skew, `your clock is ${age(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`);
  }

  /** Someone who looks at another tab sees by its title that this page is not live. @param {string} trouble */
  #entitle(trouble) {
    if (trouble === this.#trouble) return;
    if (this.#trouble === '') this.#title = document.title;
    this.#trouble = trouble;
    document.title = trouble ? `${trouble} – Linewatch` : this.#title;
  }

  /** @param {LinkState} state @returns {[string, string]} */
  #words(state) {
    const { store } = this.kit;
    switch (state) {
      case 'live': {
        const pace = span(store.hello?.interval_s ?? 1);
        return ['Live', Number.isNaN(store.behind_s) ? pace : `${pace}, ${store.behind_s.toFixed(1)}\u2009s behind`];
      }
      case 'reconnecting':
        return ['Reconnecting', `try ${store.link.tries}`];
      case 'stale':
        return ['No data', age(store.staleFor_s())];
      case 'frozen':
        return ['Frozen', `at ${clock(this.frozenAt)}`];
      default:
        return ['Connecting', ''];
    }
  }

  /** @param {boolean} on */
  #wallboard(on) {
    if (on) document.body.dataset.wallboard = '';
    else delete document.body.dataset.wallboard;
    remember({ wallboard: on ? '1' : '' });
    window.dispatchEvent(new Event('resize'));
  }
}
