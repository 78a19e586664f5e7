import { Failure, hinting } from '../../../../app/failure.js';
import { revokeApiKey } from '../../../../app/mesh/admin.js';
import { parseApiKey } from '../../../../mesh/access/api-key.js';
import { adminSession } from '../../../mesh/session.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../../input/options.js';
import type { CommandSpec } from '../../../spec.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';

interface Options extends KeyPlaces {
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'key', 'revoke'],
  summary: 'Take an API key out of force, and end what listens with it',
  args: [{ name: 'key_id', description: 'id of the key, as aip mesh key list shows it' }],
  options: [{ title: 'Flags', options: [YES_OPTION, ...PASSPHRASE_OPTIONS] }],
  examples: [{ run: 'aip mesh key revoke 0123456789ab', why: 'asks first' }],
  exits: {
    3: 'the mesh has no key with this id',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'incident'],

  async run({ args, options }, cli) {
    const keyId = idOf(args[0]!);
    if (!options.yes && !(await cli.ask.confirm({ message: `Revoke the API key ${keyId}`, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const changed = await revokeApiKey(await adminSession(cli, options), keyId).catch(hinting(LISTED));
    if (cli.globals.json) cli.json({ key_id: keyId, revoked: true, changed });
    else cli.out(`${cli.paint.green('revoked')} ${keyId}${changed ? '' : ' (it was already)'}; its streams are closed`);
    return 0;
  },
};

const LISTED = 'aip mesh key list';

/** The whole key names itself as well: in an incident it may be all that is at hand. */
function idOf(text: string): string {
  const id = /^[0-9a-f]{12}$/.test(text)
    ? text
    : (parseApiKey(text)?.keyId ?? /^aipm_[a-z]+_([0-9a-f]{12})$/.exec(text)?.[1]);
  if (id !== undefined) return id;
  throw new Failure('USAGE', 'That is no id of an API key: it has 12 hex digits.', { hint: LISTED });
}
