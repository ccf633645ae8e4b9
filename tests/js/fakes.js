/** Time and a server, as the tests of the socket need them. */

import { Socket } from '../../static/js/socket.js';
import { Store } from '../../static/js/store.js';

/** A clock whose timers fire when a test moves it. */
export class FakeClock {
  now_ms = 0;
  timers = new Map();
  next = 1;

  later = (work, delay_ms) => {
    this.timers.set(this.next, { work, at_ms: this.now_ms + delay_ms });
    return this.next++;
  };

  cancel = (timer) => this.timers.delete(timer);

  advance(ms) {
    const end_ms = this.now_ms + ms;
    for (;;) {
      const [due] = [...this.timers]
        .filter(([, timer]) => timer.at_ms <= end_ms)
        .sort(([, one], [, other]) => one.at_ms - other.at_ms);
      if (!due) break;
      this.timers.delete(due[0]);
      this.now_ms = due[1].at_ms;
      due[1].work();
    }
    this.now_ms = end_ms;
  }
}

export class FakeWebSocket {
  sent = [];
  closed = false;
  send = (text) => this.sent.push(JSON.parse(text));
  close = () => { this.closed = true; };
  says = (message) => this.onmessage({ data: JSON.stringify(message) });
  hello = (epoch = 'e1') => this.says({ type: 'hello', protocol: 1, epoch, server_time: 1000, interval_s: 1, version: '0' });
}

/** A socket and its store, the clock they live by, and the connections that the socket opens, oldest first. */
export function wired() {
  const clock = new FakeClock();
  const sockets = [];
  const store = new Store(() => clock.now_ms, () => clock.now_ms);
  const open = () => {
    sockets.push(new FakeWebSocket());
    return sockets.at(-1);
  };
  const socket = new Socket('ws://host/ws', store, { open, later: clock.later, cancel: clock.cancel, random: () => 0.5 });
  return { clock, sockets, store, socket };
}

export const snapshot = {
  type: 'snapshot', id: 7, seq: 41, device: 'r1', metrics: ['in_bps'], interfaces: [{ name: 'eth0' }], times: [999],
  values: [[[1]]], not_due: [[]], interval_s: 1, resumed: false,
};
