import { Failure } from '../../../app/failure.js';
import { toHex } from '../../../protocol/hex.js';
import { keyId as formatKeyId, keyNumber } from '../../../protocol/identity/did.js';
import { wrongPrincipalText } from '../../../protocol/identity/spelling.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import type { Cli } from '../../cli.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { agreeToSecond } from '../../passports/second-pin.js';
import { YES_OPTION } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly publicKey?: string;
  readonly resolve?: boolean;
  readonly yes?: boolean;
  readonly replace?: boolean;
}

interface NewPin {
  readonly keyId: string | null;
  readonly publicKey: Uint8Array;
}

export const command: CommandSpec<Options> = {
  path: ['principal', 'add'],
  summary: "Pin a principal's public key, so that passports it signed are believed here",
  args: [{ name: 'did', description: 'did:web:<domain>' }],
  options: [
    {
      title: 'The key',
      options: [
        {
          flags: '--public-key <key>',
          description: 'in any form, as text, a file or -; got from the principal by a way you trust',
        },
        {
          flags: '--resolve',
          description: "fetch it from the domain's did.json over HTTPS, and show it for confirmation",
        },
        { flags: '--replace', description: 'take the place of the keys that are pinned already' },
        YES_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip principal add did:web:acme.com --public-key ed25519:<hex>', why: 'the key in hand' },
    { run: 'aip principal add did:web:acme.com --resolve', why: 'from https://acme.com/.well-known/did.json' },
  ],
  exits: { 3: 'the file of the key cannot be read, or holds none', 5: 'the DID document could not be fetched' },
  touches: ['state', 'network'],
  topics: ['passports', 'security'],

  async run({ args, options }, cli) {
    const did = args[0]!;
    const wrong = wrongPrincipalText(did);
    if (wrong !== null)
      throw new Failure('USAGE', `${wrong}.`, {
        hint: 'aip principal add did:web:acme.com --public-key <key>',
      });
    if ((options.publicKey === undefined) === (options.resolve !== true)) {
      throw new Failure('USAGE', 'Give the key, or have it fetched: one of the two.', {
        hint: '--public-key <key> or --resolve',
      });
    }
    const found =
      options.publicKey === undefined ? await resolved(did, options, cli) : [await given(options.publicKey, cli)];
    const state = await localState(cli.workspace);
    const before = state.pins(did);
    const isKnown = ({ publicKey }: NewPin): boolean => before.some((pin) => toHex(pin.publicKey) === toHex(publicKey));
    if (before.length > 0 && !found.every(isKnown) && options.replace !== true)
      await agreeToSecond(did, before, options.yes === true, '--yes to add it beside that one, or --replace', cli);
    const replaced =
      options.replace === true
        ? before.filter((pin) => !found.some(({ publicKey }) => toHex(pin.publicKey) === toHex(publicKey)))
        : [];
    // At once: broken off between the two, it would leave a principal that nothing here believes.
    const added = state.transact(() => {
      for (const pin of replaced) state.unpin(did, pin.keyId);
      const pins = before;
      let next = 1 + Math.max(0, ...pins.map((pin) => keyNumber(did, pin.keyId) ?? 0));
      const pinned = [];
      for (const { keyId, publicKey } of found) {
        const same = pins.find((pin) => toHex(pin.publicKey) === toHex(publicKey));
        const name =
          same?.keyId ??
          (keyId !== null && !pins.some((pin) => pin.keyId === keyId) ? keyId : formatKeyId(did, next++));
        const source = options.resolve === true ? 'resolved' : 'added';
        if (same === undefined) state.pin({ did, keyId: name, publicKey, pinnedAt: cli.io.now(), source });
        pinned.push({
          principal: did,
          key_id: name,
          public_key: formatPublicKey(publicKey),
          changed: same === undefined,
          replaced: replaced.map((pin) => pin.keyId),
        });
      }
      return pinned;
    });
    if (cli.globals.json) cli.json(added);
    else
      for (const pin of added)
        cli.out(
          `${cli.paint.green(pin.changed ? 'pinned' : 'pinned already')} ${clean(pin.key_id)}  ${pin.public_key}`,
        );
    if (!cli.globals.json) for (const pin of replaced) cli.out(`${cli.paint.yellow('unpinned')} ${clean(pin.keyId)}`);
    return 0;
  },
};

async function given(text: string, cli: Cli): Promise<NewPin> {
  return { keyId: null, publicKey: (await publicKeyFrom(text, 'The --public-key', cli)).publicKey };
}

async function resolved(did: string, options: Options, cli: Cli): Promise<readonly NewPin[]> {
  const { resolvePrincipal } = await import('../../passports/resolve.js');
  const found = await resolvePrincipal(cli.workspace, did);
  for (const { keyId, publicKey } of found)
    cli.note(`${clean(did)} publishes ${clean(keyId)}  ${formatPublicKey(publicKey)}`);
  if (
    options.yes === true ||
    (await cli.ask.confirm({ message: 'Believe passports signed by this key', flag: '--yes' }))
  )
    return found;
  throw new Failure('USAGE', 'Nothing was pinned.', { hint: 'answer y, or give --yes' });
}
