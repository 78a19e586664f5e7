/** The commands about passports, as `registry.ts` lists them. */
import { at } from './listing.js';
import type { Section } from './spec.js';

export const PASSPORT_COMMANDS: Section = {
  title: 'Passports: who an agent is and what it may do',
  commands: [
    at(
      'passport create',
      'Make an agent a key pair and a passport that its principal signs',
      () => import('./commands/passport/create.js'),
    ),
    at('passport list', 'List the passports this machine knows', () => import('./commands/passport/list.js')),
    at('passport show', 'Show who an agent is and what it may do', () => import('./commands/passport/show.js')),
    at(
      'passport verify',
      'Check that a passport is whole, signed by a pinned principal, and in force',
      () => import('./commands/passport/verify.js'),
    ),
    at(
      'passport update',
      'Change what an agent may do: same keys, next serial, signed by its principal again',
      () => import('./commands/passport/update.js'),
    ),
    at(
      'passport renew',
      'Give a passport a new term and the next serial',
      () => import('./commands/passport/renew.js'),
    ),
    at(
      'passport rotate',
      'Give an agent a new key, and have its principal sign the passport again',
      () => import('./commands/passport/rotate.js'),
    ),
    at(
      'passport publish',
      'Put a passport in force on every machine of the mesh, with the speed of a revocation',
      () => import('./commands/passport/publish.js'),
    ),
    at(
      'passport request',
      "Make an agent's key here, and write what its principal is asked to sign elsewhere",
      () => import('./commands/passport/request.js'),
    ),
    at('passport sign', 'Have the principal sign what an agent asks for', () => import('./commands/passport/sign.js')),
    at(
      'passport import',
      'Make a passport known on this machine, after checking who signed it',
      () => import('./commands/passport/import.js'),
    ),
    at(
      'passport export',
      "Write an agent's public identity in another form",
      () => import('./commands/passport/export.js'),
    ),
    at(
      'passport lint',
      'Warn where a passport permits more than it needs to',
      () => import('./commands/passport/lint.js'),
    ),
    at(
      'passport delete',
      "Forget a passport and destroy the agent's private keys on this machine",
      () => import('./commands/passport/delete.js'),
    ),
  ],
};
