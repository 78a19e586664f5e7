/** Whom a command trusts: pins of this machine, of the config, of `--principal-key`, and with `--resolve` those of the web. */
import { Failure } from '../../app/failure.js';
import { pinnedKeys } from '../../app/keys/principals.js';
import { keyId, parsePrincipalId } from '../../protocol/identity/did.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { PUBLIC_KEY_FORMS, readPublicKey } from '../../protocol/identity/public-key-forms.js';
import type { PinnedKey } from '../../verify/context.js';
import { publicKeyFrom } from '../input/public-key.js';
import { clean } from '../render/terminal/text.js';
import type { OptionSpec } from '../spec.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

export interface ResolveFlags {
  readonly principalKey: readonly string[];
  readonly resolve?: boolean;
}

export const RESOLVE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--principal-key <did=key>', description: 'trust this principal key for this run', repeatable: true },
  { flags: '--resolve', description: "fetch an unpinned principal's key from its did.json over HTTPS, for this run" },
];

async function flaggedPins(texts: readonly string[], cli: Scene): Promise<Map<string, PinnedKey[]>> {
  const given = new Map<string, PinnedKey[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const did = text.slice(0, at);
    if (at < 0 || parsePrincipalId(did) === null) throw badPin(text);
    const key = await publicKeyFrom(text.slice(at + 1), `The key of --principal-key ${did}`, cli);
    given.set(did, [...(given.get(did) ?? []), { keyId: keyId(did, 1), key }]);
  }
  return given;
}

/** The keys that flags name, and no others: neither this machine's nor the config's. */
export async function namedPins(texts: readonly string[], cli: Scene): Promise<(principal: string) => PinnedKey[]> {
  const given = await flaggedPins(texts, cli);
  return (principal) => given.get(principal) ?? [];
}

/** Looks up a principal's keys; a principal named by flag is not looked up elsewhere. */
export async function principalPins(
  cli: Scene,
  flags: ResolveFlags,
): Promise<(principal: string) => Promise<readonly PinnedKey[]>> {
  const given = await flaggedPins(flags.principalKey, cli);
  const config = await cli.config();
  for (const [did, key] of Object.entries(config.principals)) {
    // Files that do not agree on a principal's key leave it without one.
    if (!given.has(did)) given.set(did, key === null ? [] : [pinOf(did, key, 'config')]);
  }
  return async (principal) => {
    const flagged = given.get(principal);
    if (flagged !== undefined) return flagged;
    const known = pinnedKeys((await localState(cli.workspace)).pins(principal));
    if (known.length > 0 || flags.resolve !== true) return known;
    const { resolvePrincipal } = await import('./resolve.js');
    const found = await resolvePrincipal(cli.workspace, principal);
    cli.note(
      `Resolved ${principal}: ${found.map((key) => clean(key.keyId)).join(', ')} (for this run; pin it with: aip principal add ${principal} --resolve)`,
    );
    return found.flatMap(({ keyId, publicKey }) => {
      const key = verifyKeyOf(publicKey);
      return key === null ? [] : [{ keyId, key }];
    });
  };
}

function pinOf(did: string, text: string, where: string): PinnedKey {
  const reading = readPublicKey(text);
  const key = reading.kind === 'key' ? verifyKeyOf(reading.publicKey) : null;
  if (key === null)
    throw new Failure('USAGE', `The key in ${where} is not an Ed25519 public key.`, {
      hint: PUBLIC_KEY_FORMS,
    });
  return { keyId: keyId(did, 1), key };
}

function badPin(text: string): Failure {
  return new Failure('USAGE', `"${text.slice(0, 80)}" is not of the form did:web:<domain>=<key>.`);
}
