import { removeMeshPrincipal } from '../../../../app/mesh/admin.js';
import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';
import { PASSPHRASE_OPTIONS } from '../../../input/options.js';
import { publicKeyFrom } from '../../../input/public-key.js';
import { adminSession } from '../../../mesh/session.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';

interface Options extends KeyPlaces {
  readonly key?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'principal', 'remove'],
  summary: 'Have the mesh take no passports of a principal any more, or none of one key of it',
  detail: 'What is in force stays in force; to stop what a leaked key signed, revoke the key: aip revoke <key>.',
  args: [{ name: 'did', description: 'did:web:<domain>', values: 'principal' }],
  options: [
    {
      title: 'Flags',
      options: [{ flags: '--key <key>', description: 'only this public key' }, ...PASSPHRASE_OPTIONS],
    },
  ],
  examples: [{ run: 'aip mesh principal remove did:web:acme.com --key ed25519:<hex>', why: 'a key was retired' }],
  exits: {
    3: 'the mesh has no such key of that principal',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'passports'],

  async run({ args, options }, cli) {
    const given = options.key === undefined ? null : await publicKeyFrom(options.key, 'The --key', cli);
    const key = given === null ? null : formatPublicKey(given.publicKey);
    const removed = await removeMeshPrincipal(await adminSession(cli, options), args[0]!, key);
    if (cli.globals.json) cli.json({ did: args[0]!, removed });
    else cli.out(`${cli.paint.green('removed')} ${removed} ${removed === 1 ? 'key' : 'keys'} of ${clean(args[0]!)}`);
    return 0;
  },
};
