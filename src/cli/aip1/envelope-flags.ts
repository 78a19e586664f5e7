/** What `intent verify` can be told about envelopes of AIP-1. */
import { readRegistry } from '../../app/verification/trust/attestation-registry.js';
import { Failure } from '../../app/failure.js';
import { mandateFinding, mandatesByAgent, type GivenMandate } from '../../app/verification/trust/mandates.js';
import { sharedKeys } from '../../verify/dialects/aip1/hmac-keys.js';
import type { EnvelopeTrust } from '../../verify/dialects/aip1/trust.js';
import type { Tier } from '../../protocol/aip1/envelope.js';
import { canonicalId } from '../../protocol/identity/subject.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { readInput, readJsonInput } from '../input/documents.js';
import { publicKeyFrom } from '../input/public-key.js';
import type { OptionGroup } from '../spec.js';
import { hmacKey } from '../../workspace/keys.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

export interface EnvelopeFlags {
  readonly publicKey: readonly string[];
  readonly hmacKeyFile?: string;
  readonly hmacKey: readonly string[];
  readonly mandate: readonly string[];
  readonly issuerKey?: string;
  readonly requireMandate?: boolean;
  readonly minTier?: string;
  readonly registry?: string;
}

export const ENVELOPE_OPTIONS: OptionGroup = {
  title: 'AIP-1 envelopes',
  options: [
    {
      flags: '--public-key <key>',
      description: 'key of agents without a passport, or <agent id>=<key>: text, a file, or -',
      repeatable: true,
    },
    { flags: '--hmac-key-file <file>', description: 'key shared with every agent, for tier 0', values: 'file' },
    {
      flags: '--hmac-key <agent=file>',
      description: 'key shared with this agent alone, for tier 0',
      repeatable: true,
    },
    {
      flags: '--mandate <file>',
      description: 'what a principal allows the agent, beside what it declares',
      repeatable: true,
      values: 'file',
    },
    { flags: '--issuer-key <key>', description: 'key the mandates are signed with (default: the pinned principal)' },
    { flags: '--require-mandate', description: 'refuse an envelope without a mandate' },
    { flags: '--min-tier <tier>', description: 'judge lower tiers at this one', choices: ['0', '1', '2'] },
    {
      flags: '--registry <file>',
      description: 'JSON of known frameworks, builds and prompts, for tiers 1 and 2',
      values: 'file',
    },
  ],
};

/** Undefined when nothing was said. */
export async function envelopeTrust(cli: Scene, flags: EnvelopeFlags): Promise<EnvelopeTrust | undefined> {
  const { hmacKeyFile, issuerKey, requireMandate, minTier, registry } = flags;
  const said = [hmacKeyFile, issuerKey, requireMandate, minTier, registry];
  if (
    flags.mandate.length + flags.hmacKey.length + flags.publicKey.length === 0 &&
    said.every((each) => each === undefined)
  )
    return undefined;
  return {
    ...(await publicKeys(flags.publicKey, cli)),
    sharedKey: sharedKeys(
      await boundKeys(flags.hmacKey, cli),
      hmacKeyFile === undefined ? null : await hmacKey(cli.workspace, hmacKeyFile),
    ),
    mandate: await mandates(flags, cli),
    requireMandate: requireMandate ?? false,
    minTier: Number(minTier ?? 0) as Tier,
    registry: registry === undefined ? null : await registryIn(registry, cli),
  };
}

/** A DID, then `=`, then a key: base64 may end in `=` as well, but begins with no DID. */
const BOUND = /^(did:[^=]+)=(.+)$/s;

async function publicKeys(
  flags: readonly string[],
  cli: Scene,
): Promise<Pick<EnvelopeTrust, 'publicKey'> & Required<Pick<EnvelopeTrust, 'boundKey'>>> {
  const bound = new Map<string, VerifyKey>();
  let bare: VerifyKey | null = null;
  for (const flag of flags) {
    const [, did, text] = BOUND.exec(flag) ?? [];
    const id = did === undefined ? null : canonicalId(did);
    if (did !== undefined && id === null)
      throw new Failure('USAGE', 'A --public-key is not <agent id>=<key>.', {
        hint: '--public-key did:web:<domain>:agents:<name>=<key>',
      });
    if (id === null ? bare !== null : bound.has(id))
      throw new Failure('USAGE', `Two public keys are for ${id ?? 'every agent'}.`, {
        hint: 'bind them: --public-key <agent id>=<key>',
      });
    const key = await publicKeyFrom(text ?? flag, 'The --public-key', cli);
    if (id === null) bare = key;
    else bound.set(id, key);
  }
  return { publicKey: bare, boundKey: (agentId) => bound.get(agentId) ?? null };
}

async function boundKeys(flags: readonly string[], cli: Scene): Promise<Map<string, Uint8Array>> {
  const bound = new Map<string, Uint8Array>();
  for (const flag of flags) {
    const at = flag.indexOf('=');
    const id = at === -1 ? null : canonicalId(flag.slice(0, at));
    if (id === null || flag.slice(at + 1) === '')
      throw new Failure('USAGE', 'An --hmac-key is not <agent id>=<file>.', {
        hint: '--hmac-key did:web:<domain>:agents:<name>=<file>',
      });
    if (bound.has(id)) throw new Failure('USAGE', `Two keys are for ${id}.`, { hint: 'name one of them' });
    bound.set(id, await hmacKey(cli.workspace, flag.slice(at + 1)));
  }
  return bound;
}

async function mandates(
  { mandate: files, issuerKey, requireMandate }: EnvelopeFlags,
  cli: Scene,
): Promise<EnvelopeTrust['mandate']> {
  if (issuerKey !== undefined && files.length === 0 && requireMandate !== true)
    throw new Failure('USAGE', 'An --issuer-key is for a mandate.', { hint: 'name it with --mandate <file>' });
  const key = issuerKey === undefined ? null : await publicKeyFrom(issuerKey, 'The --issuer-key', cli);
  const found: GivenMandate[] = [];
  for (const file of files) found.push(mandateFinding(await readInput(file, cli), key));
  return mandatesByAgent(found);
}

async function registryIn(path: string, cli: Scene) {
  try {
    return readRegistry(await readJsonInput(path, cli));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${path} is not an attestation registry: ${error.reason}.`, {
      hint: 'aip help aip-1',
    });
  }
}
