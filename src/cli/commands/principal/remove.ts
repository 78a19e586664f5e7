import { Failure } from '../../../app/failure.js';
import { YES_OPTION } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../wiring.js';

interface Options {
  readonly yes?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['principal', 'remove'],
  summary: 'Unpin a principal: its passports are no longer believed here',
  detail: "A principal's private key, where this machine holds it, is kept.",
  args: [{ name: 'did', description: 'did:web:<domain>', values: 'principal' }],
  options: [{ title: 'Confirmation', options: [YES_OPTION] }],
  examples: [{ run: 'aip principal remove did:web:acme.com', why: 'asks first' }],
  exits: { 3: 'the principal is not pinned' },
  touches: ['state'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const did = args[0]!;
    const state = await localState(cli);
    const agents = state.passports().filter((known) => known.agentId.startsWith(`${did}:agents:`)).length;
    if (state.pins(did).length === 0)
      throw new Failure('NOT_FOUND', `${did.slice(0, 80)} is not pinned here.`, { hint: 'aip principal list' });
    const message = `Refuse every passport of ${did} from now on (${agents} known here)`;
    // A person is asked; a script has said what it wants, which takes belief away and can be undone.
    if (options.yes !== true && cli.ask.allowed && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const removed = state.unpin(did);
    if (cli.globals.json) cli.json({ principal: did, removed });
    else cli.out(`${cli.paint.green('unpinned')} ${clean(did)}`);
    return 0;
  },
};
