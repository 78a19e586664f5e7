import { Failure } from '../../../app/failure.js';
import type { State } from '../../../app/ports/state.js';
import { toHex } from '../../../protocol/hex.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { wrongPrincipalText } from '../../../protocol/identity/spelling.js';
import type { Cli } from '../../cli.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { YES_OPTION } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly yes?: boolean;
  readonly key?: string;
}

export const command: CommandSpec<Options> = {
  path: ['principal', 'remove'],
  summary: 'Unpin a principal: its passports are no longer believed here',
  detail: "A principal's private key, where this machine holds it, is kept.",
  args: [{ name: 'did', description: 'did:web:<domain>', values: 'principal' }],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--key <key>', description: 'retire this key alone: its id, or the public key in any form' },
        YES_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip principal remove did:web:acme.com', why: 'asks first' },
    { run: 'aip principal remove did:web:acme.com --key did:web:acme.com#key-1', why: 'one key that was replaced' },
  ],
  exits: { 3: 'the principal is not pinned' },
  touches: ['state'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const did = args[0]!;
    const wrong = wrongPrincipalText(did);
    if (wrong !== null) throw new Failure('USAGE', `${wrong}.`, { hint: 'aip principal list' });
    const state = await localState(cli.workspace);
    const agents = state.passports().filter((known) => known.agentId.startsWith(`${did}:agents:`)).length;
    if (state.pins(did).length === 0)
      throw new Failure('NOT_FOUND', `${did.slice(0, 80)} is not pinned here.`, { hint: 'aip principal list' });
    const keyId = options.key === undefined ? null : await pinnedKeyId(did, options.key, state, cli);
    const message =
      keyId !== null
        ? `Refuse every passport that ${keyId} has signed from now on`
        : `Refuse every passport of ${did} from now on (${agents} known here)`;
    // A person is asked; a script has said what it wants, which takes belief away and can be undone.
    if (options.yes !== true && cli.ask.allowed && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const removed = state.unpin(did, keyId ?? undefined);
    if (cli.globals.json) cli.json({ principal: did, key_id: keyId, removed, left: state.pins(did).length });
    else cli.out(`${cli.paint.green('unpinned')} ${clean(keyId ?? did)}`);
    return 0;
  },
};

/** The pin that `named` means: by its id, or by the key. */
async function pinnedKeyId(did: string, named: string, state: Pick<State, 'pins'>, cli: Cli): Promise<string> {
  const pins = state.pins(did);
  const byId = pins.find(({ keyId }) => keyId === named || keyId === `${did}#${named.replace(/^#/, '')}`);
  if (byId !== undefined) return byId.keyId;
  const hint = `one of ${pins.map(({ keyId }) => keyId).join(', ')}`;
  if (named.startsWith('did:web:') || named.startsWith('#') || /^key-\d+$/.test(named))
    throw new Failure('NOT_FOUND', `${named.slice(0, 120)} is not pinned for ${did}.`, { hint });
  const { publicKey } = await publicKeyFrom(named, 'The --key', cli);
  const byKey = pins.find((pin) => toHex(pin.publicKey) === toHex(publicKey));
  if (byKey !== undefined) return byKey.keyId;
  throw new Failure('NOT_FOUND', `${formatPublicKey(publicKey)} is not pinned for ${did}.`, { hint });
}
