/** What the page runs. */
import type { PageWindow } from './browser.js';
import { runPage } from './main.js';

runPage(globalThis as unknown as PageWindow);
