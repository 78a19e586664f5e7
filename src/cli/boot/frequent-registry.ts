/**
 * The commands that run most often, for a bundle of their own that stands in for `registry.ts`: what is not in it need not be read,
 * nor stand in its compiled forms. Help is not in it, so that its lines are never shown.
 */
import type { Listing, Section } from '../spec.js';

function at(words: string, load: Listing['load']): Listing {
  return { path: words.split(' '), summary: '', load };
}

export const COMMANDS: readonly Listing[] = [
  at('intent verify', () => import('../commands/intent/verify.js')),
  at('intent sign', () => import('../commands/intent/sign.js')),
  at('exec', () => import('../commands/exec.js')),
  at('logs prove', () => import('../commands/logs/prove.js')),
  at('proof verify', () => import('../commands/proof/verify.js')),
  at('status', () => import('../commands/status.js')),
  at('revoke', () => import('../commands/revoke.js')),
  at('suspend', () => import('../commands/suspend.js')),
];

export const SECTIONS: readonly Section[] = [];
