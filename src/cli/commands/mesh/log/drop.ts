import { Failure } from '../../../../app/failure.js';
import { dropLog } from '../../../../app/mesh/admin.js';
import { isLogId } from '../../../../mesh/log/head.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../../input/options.js';
import { REASON_OPTION, requiredReason } from '../../../mesh/orders/reason.js';
import { adminSession } from '../../../mesh/session.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';

interface Options extends KeyPlaces {
  readonly reason?: string;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'log', 'drop'],
  summary: 'Have the mesh let a shipped log go that somebody made up',
  detail:
    'Its id and the name of its verifier are free again, and the next shipment of the verifier that has them is taken. The mesh keeps its signed word on that. Revoke the API key that shipped it first, or it ships another.',
  args: [{ name: 'log', description: 'id of the log, or the name under which its verifier ships it' }],
  options: [
    {
      title: 'Flags',
      options: [
        { ...REASON_OPTION, description: 'why; the mesh keeps it with its word on what was dropped' },
        YES_OPTION,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh log drop 0123456789abcdef0123456789abcdef --reason "made up"', why: 'asks first' },
    { run: 'aip mesh log drop us-1 --reason "shipped by another machine" --yes', why: 'by the name of its verifier' },
  ],
  exits: {
    3: 'the mesh holds no such log',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'incident'],

  async run({ args, options }, cli) {
    const log = args[0]!;
    const reason = await requiredReason(cli, options.reason);
    const message = `Drop the log ${clean(log)} at the mesh, for good`;
    if (!options.yes && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const which = isLogId(log) ? { log_id: log } : { verifier: log };
    const dropped = await dropLog(await adminSession(cli, options), which, reason);
    const { log_id, verifier, key_id, entries } = dropped;
    if (cli.globals.json) cli.json({ ...dropped, dropped: true });
    else {
      const count = `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
      cli.out(`${cli.paint.green('dropped')} ${clean(log_id)} of ${clean(verifier)}, ${count}`);
      cli.note(`it was shipped with the API key ${clean(key_id)}: aip mesh key revoke ${clean(key_id)}`);
    }
    return 0;
  },
};
