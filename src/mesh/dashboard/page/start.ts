/** What the page runs. */
import type { PageWindow } from './browser.js';
import { main } from './main.js';

main(globalThis as unknown as PageWindow);
