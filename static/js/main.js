/** Starts the page that the template names. */

import { Banner } from './components/banner.js';
import { DevicePage } from './components/device-page.js';
import { Keys } from './components/keys.js';
import { Overview } from './components/overview.js';
import { Painter } from './components/painter.js';
import { Shell } from './components/shell.js';
import { SourcesPage } from './components/sources-page.js';
import { Theme } from './components/theme.js';
import { WallPage } from './components/wall-page.js';
import { Socket } from './socket.js';
import { Store } from './store.js';

const { page = '', prefix = '', device = '' } = document.body.dataset;
const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const store = new Store();
const socket = new Socket(`${scheme}//${location.host}${prefix}/ws`, store);
/** @type {import('./components/kit.js').Kit} */
const kit = { store, socket, painter: new Painter(), theme: new Theme(), keys: new Keys(), prefix, charts: new Map() };

const shell = new Shell(kit);
new Banner(kit, shell);
if (page === 'overview') new Overview(kit);
else if (page === 'device') new DevicePage(kit, device);
else if (page === 'wall') new WallPage(kit);
else if (page === 'sources') new SourcesPage(kit);
socket.connect();

// The browser tests' door: what the page knows, and what its charts draw.
Object.assign(window, { linewatch: { store, charts: kit.charts } });
performance.mark('ready');
