import { addMeshPrincipal } from '../../../../app/mesh/admin.js';
import { Failure } from '../../../../app/failure.js';
import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';
import { PASSPHRASE_OPTIONS } from '../../../input/options.js';
import { publicKeyFrom } from '../../../input/public-key.js';
import { adminSession } from '../../../mesh/session.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';

interface Options extends KeyPlaces {
  readonly publicKey?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'principal', 'add'],
  summary: 'Have the mesh take the passports that a principal signs with a key',
  detail:
    'Takes the role admin. Verifiers still check each passport against the keys that they have pinned themselves.',
  args: [{ name: 'did', description: 'did:web:<domain>', values: 'principal' }],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--public-key <key>', description: 'in any form, as text, a file or -; got by a way you trust' },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [{ run: 'aip mesh principal add did:web:acme.com --public-key ed25519:<hex>', why: 'once a principal' }],
  exits: {
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'passports'],

  async run({ args, options }, cli) {
    if (options.publicKey === undefined)
      throw new Failure('USAGE', 'The public key of the principal is not given.', {
        hint: 'give --public-key ed25519:..., which aip principal list prints where it is pinned',
      });
    const { publicKey } = await publicKeyFrom(options.publicKey, 'The --public-key', cli);
    const added = await addMeshPrincipal(await adminSession(cli, options), args[0]!, formatPublicKey(publicKey));
    if (cli.globals.json) cli.json(added);
    else
      cli.out(
        `${cli.paint.green(added.changed ? 'registered' : 'registered already')} ${clean(added.did)} ${added.public_key}`,
      );
    return 0;
  },
};
