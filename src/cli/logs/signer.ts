/** Whose key signs statements about this machine's log, and whose are believed. */
import { Failure } from '../../app/failure.js';
import type { HeldKey } from '../../app/keys/keyring.js';
import { issuerKey, type PrincipalDeps } from '../../app/keys/principals.js';
import { parsePrincipalId } from '../../protocol/identity/did.js';
import { readPublicKey } from '../../protocol/identity/public-key-forms.js';
import { PASSPHRASE_OPTIONS, type PassphraseFlags } from '../input/options.js';
import { publicKeyFrom } from '../input/public-key.js';
import type { OptionSpec } from '../spec.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { keyring } from '../../workspace/keys.js';
import { knownMachineKey } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

export interface SignerFlags extends PassphraseFlags {
  readonly principal?: string;
}

/** `--principal`, as `description` says, and where the passphrase of its key comes from. */
export function signerOptions(description: string): readonly OptionSpec[] {
  return [{ flags: '--principal <did>', description, values: 'principal' }, ...PASSPHRASE_OPTIONS];
}

/** The principal's key that signs for this machine; fails when it is not clear which, or the key is not here. */
export async function logSigner(cli: Scene, flags: SignerFlags): Promise<HeldKey> {
  const deps: PrincipalDeps = await keyring(cli.workspace, flags);
  return (await issuerKey(deps, await signingPrincipal(cli, deps, flags.principal), null)).key;
}

async function signingPrincipal(cli: Scene, { state }: PrincipalDeps, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    if (parsePrincipalId(named) !== null) return named;
    throw new Failure('USAGE', `"${named.slice(0, 80)}" is not a principal.`, { hint: '--principal did:web:acme.com' });
  }
  const held = [...new Set(state.pins().flatMap(({ did, keyId }) => (state.key(keyId) === null ? [] : [did])))];
  const config = await cli.config();
  const domain = config.get('domain');
  const configured = config.get('principal') ?? (domain === null ? null : `did:web:${domain}`);
  if (configured !== null && (held.length === 0 || held.includes(configured))) return configured;
  if (held.length === 1) return held[0]!;
  if (held.length === 0) {
    throw new Failure('KEY_NOT_FOUND', "This machine holds no principal's key to sign with.", {
      hint: 'aip init --domain <domain>',
    });
  }
  throw new Failure('USAGE', `This machine holds the keys of several principals: ${held.join(', ')}.`, {
    hint: `--principal ${held[0]!}`,
  });
}

/** Public keys whose statements about the log are believed: pinned ones, the mesh's, and those named by flag. */
export async function statementKeys(cli: Scene, named: readonly string[]): Promise<Uint8Array[]> {
  const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
  const mesh = config.get('mesh.public_key');
  const texts = [...Object.values(config.get('principals')), ...(mesh === null ? [] : [mesh])];
  const given: Uint8Array[] = [];
  for (const text of named) given.push((await publicKeyFrom(text, 'The --public-key', cli)).publicKey);
  const configured = texts.flatMap((text) => {
    const reading = readPublicKey(text);
    return reading.kind === 'key' ? [reading.publicKey] : [];
  });
  const own = await knownMachineKey(cli.workspace).catch(notReadable);
  const machine = own === null ? null : parsePublicKey(own);
  return [
    ...given,
    ...configured,
    ...state.pins().map(({ publicKey }) => publicKey),
    // It signs what log.retention lets go.
    ...(machine === null ? [] : [machine]),
  ];
}

/** Who may read a state need not read its key; what that key signed is then told of as signed by a stranger. */
function notReadable(error: unknown): null {
  if (error instanceof Failure) return null;
  throw error;
}
