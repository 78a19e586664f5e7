import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import { orderVerifiers } from '../../../../workspace/fleet/verifiers.js';
import { publicKeyFrom } from '../../../input/public-key.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';
import { databaseOf, URL_OPTION, type DatabaseFlags } from '../../../state/database.js';

export const command: CommandSpec<DatabaseFlags> = {
  path: ['state', 'verifier', 'remove'],
  summary: 'Let the requests for approval of a verifier count on no other machine any more',
  detail: 'What was approved and has not run yet runs on the machine that asked, or not at all.',
  args: [{ name: 'key', description: "the verifier's public key, in any form, as text, a file or -" }],
  options: [{ title: 'Flags', options: [URL_OPTION] }],
  examples: [{ run: 'aip state verifier remove ed25519:<hex>', why: 'a machine is given away' }],
  exits: {
    2: 'it is no URL of a database, or its password stands in the argument',
    5: 'the database cannot be reached, or refuses',
  },
  touches: ['network'],
  topics: ['growing', 'approvals'],

  async run({ args, options }, cli) {
    const publicKey = formatPublicKey((await publicKeyFrom(args[0]!, 'The key', cli)).publicKey);
    const database = await databaseOf(options, cli, 'aip state verifier remove <key>');
    const { changed, where } = await orderVerifiers(cli.workspace, database, { kind: 'remove', publicKey });
    if (cli.globals.json) cli.json({ public_key: publicKey, changed });
    else cli.out(`${cli.paint.green(changed ? 'removed' : 'not enrolled')} ${publicKey} in ${clean(where)}`);
    return 0;
  },
};
