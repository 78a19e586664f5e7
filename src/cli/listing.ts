import type { Listing } from './spec.js';

/** A command by its words: its summary, and how it is loaded. */
export function at(words: string, summary: string, load: Listing['load']): Listing {
  return { path: words.split(' '), summary, load };
}
