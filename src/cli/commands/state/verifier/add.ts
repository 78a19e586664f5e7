import { Failure } from '../../../../app/failure.js';
import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import { orderVerifiers } from '../../../../workspace/fleet/verifiers.js';
import { publicKeyFrom } from '../../../input/public-key.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';
import { databaseOf, URL_OPTION, type DatabaseFlags } from '../../../state/database.js';

interface Options extends DatabaseFlags {
  readonly label?: string;
}

/** Longest label, in characters. */
const MAX_LABEL = 100;

export const command: CommandSpec<Options> = {
  path: ['state', 'verifier', 'add'],
  summary: 'Let the requests for approval of a verifier count on all machines that share the database',
  detail:
    'Run it as the user who owns the database. aip doctor prints the key on the verifier. Requests of verifiers that are not on the list count on the machine that raised them alone.',
  args: [{ name: 'key', description: "the verifier's public key, in any form, as text, a file or -" }],
  options: [
    {
      title: 'Flags',
      options: [URL_OPTION, { flags: '--label <text>', description: 'what people call it' }],
    },
  ],
  examples: [
    {
      run: 'aip state verifier add ed25519:<hex> --label web-1 --url postgres://owner@db.acme.com/aip',
      why: 'once a verifier',
    },
  ],
  exits: {
    2: 'it is no URL of a database, or its password stands in the argument',
    5: 'the database cannot be reached, or refuses',
  },
  touches: ['network'],
  topics: ['growing', 'approvals'],

  async run({ args, options }, cli) {
    const { label = '' } = options;
    if (label.length > MAX_LABEL || /\p{C}/u.test(label))
      throw new Failure('USAGE', `A label has at most ${MAX_LABEL} characters, and none that is invisible.`);
    const publicKey = formatPublicKey((await publicKeyFrom(args[0]!, 'The key', cli)).publicKey);
    const database = await databaseOf(options, cli, 'aip state verifier add <key>');
    const { changed, where } = await orderVerifiers(cli.workspace, database, { kind: 'add', publicKey, label });
    if (cli.globals.json) cli.json({ public_key: publicKey, label, changed });
    else cli.out(`${cli.paint.green(changed ? 'enrolled' : 'enrolled already')} ${publicKey} in ${clean(where)}`);
    return 0;
  },
};
