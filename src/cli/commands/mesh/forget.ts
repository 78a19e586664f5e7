import { hinting } from '../../../app/failure.js';
import { forgetVerifier } from '../../../app/mesh/admin.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { adminSession } from '../../mesh/session.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';

export const command: CommandSpec<KeyPlaces> = {
  path: ['mesh', 'forget'],
  summary: 'Take a verifier off the roster that will not come back',
  detail:
    'From then on it is not missed any more: what it still accepts is no longer counted. A machine that stops in order says so itself (SIGTERM of aip mesh follow).',
  args: [{ name: 'verifier', description: 'its label, or its public key, as aip mesh status shows them' }],
  options: [{ title: 'Flags', options: [...PASSPHRASE_OPTIONS] }],
  examples: [{ run: 'aip mesh forget us-1', why: 'the machine was scrapped' }],
  exits: {
    3: 'no verifier on the roster has that name',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh'],

  async run({ args, options }, cli) {
    const { verifier, label } = await forgetVerifier(await adminSession(cli, options), args[0]!).catch(
      hinting('aip mesh status'),
    );
    if (cli.globals.json) cli.json({ verifier, label, forgotten: true });
    else cli.out(`${cli.paint.green('forgotten')} ${clean(label)}; it is not missed any more`);
    return 0;
  },
};
