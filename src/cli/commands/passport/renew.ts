import { CHANGE_EXITS, CHANGE_OPTIONS, changePassport, type ChangeFlags } from '../../passports/change.js';
import { DEFAULT_PASSPORT_TERM_MS, expiryOf, lifetime } from '../../passports/terms.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends ChangeFlags {
  readonly expires?: number | 'never';
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'renew'],
  summary: 'Give a passport a new term and the next serial',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'Term',
      options: [
        { flags: '--expires <duration>', description: 'how long from now (default 90d), or never', value: lifetime },
      ],
    },
    CHANGE_OPTIONS,
  ],
  examples: [{ run: 'aip passport renew support-agent-v1 --expires 90d', why: 'before it expires, or after' }],
  exits: CHANGE_EXITS,
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const { expires = DEFAULT_PASSPORT_TERM_MS } = options;
    return changePassport(cli, args[0]!, options, () => ({ expiresInMs: expiryOf(expires) }));
  },
};
