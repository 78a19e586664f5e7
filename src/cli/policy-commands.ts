/** The commands that try a passport before it counts, and show afterwards what was done under it. */
import { at } from './listing.js';
import type { Section } from './spec.js';

/** Their section of the registry. */
export const POLICY_COMMANDS: Section = {
  title: 'Before a passport changes',
  commands: [
    at(
      'policy test',
      'Run cases against passports: what must be accepted, and what refused with which code',
      () => import('./commands/policy/test.js'),
    ),
    at(
      'policy diff',
      'Show what a passport allows beyond another one, and what no longer, each with an intent that flips',
      () => import('./commands/policy/diff.js'),
    ),
    at(
      'policy replay',
      'Judge the recorded log under another passport: what would have been accepted, and what refused',
      () => import('./commands/policy/replay.js'),
    ),
    at(
      'policy suggest',
      'Draft the narrowest passport under which all that the log shows as accepted would be accepted again',
      () => import('./commands/policy/suggest.js'),
    ),
    at(
      'redteam',
      'Attack a passport of your own: which limits hold, and what gets round them',
      () => import('./commands/redteam.js'),
    ),
  ],
};
