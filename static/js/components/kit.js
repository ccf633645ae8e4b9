/**
 * What every component of a page is given.
 * @typedef {object} Kit
 * @property {import('../store.js').Store} store
 * @property {import('../socket.js').Socket} socket
 * @property {import('./painter.js').Painter} painter
 * @property {import('./theme.js').Theme} theme
 * @property {import('./keys.js').Keys} keys
 * @property {string} prefix URL prefix of the program
 * @property {Map<string, import('./traffic-chart.js').TrafficChart>} charts by what they show, for the browser tests
 */

export {};
