/** The help topics. A topic's text is loaded when it is asked for. */
import type { Paint } from '../render/paint.js';

export interface Topic {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ text(paint: Paint): string }>;
}

export const TOPICS: readonly Topic[] = [
  { name: 'config', summary: 'Config files, variables and folders', load: () => import('./config.js') },
  { name: 'exit-codes', summary: 'What each exit code means', load: () => import('./exit-codes.js') },
];
