import { keyId as formatKeyId } from '../protocol/did.js';
import { importKey } from '../protocol/ed25519/verify.js';
import type { Passport } from '../protocol/passport.js';
import { issuerProblem } from '../verify/checks/passport.js';
import type { PinnedKey } from '../verify/context.js';
import { Failure } from './failure.js';
import { createKey, openKey, type HeldKey, type KeyringDeps } from './keyring.js';
import type { KeyRecord, KeyStoreName, Pin, State } from './ports.js';

export interface PrincipalDeps extends KeyringDeps {
  readonly state: KeyringDeps['state'] & Pick<State, 'pins' | 'pin'>;
  /** Resolves a moment later. */
  readonly moment?: () => Promise<void>;
}

/** How many moments another process has between storing a principal's key and pinning it. */
const MOMENTS = 20;

/** The key a principal issues passports with, and whether it was made just now. */
export interface IssuerKey {
  readonly key: HeldKey;
  readonly record: KeyRecord;
  readonly made: boolean;
}

/**
 * The principal's signing key on this machine. It is made (in `makeIn`, when that is given) and pinned only when the principal is entirely unknown here:
 * a principal that is pinned but whose key is not here has it elsewhere, and a second one would split its identity.
 */
export async function issuerKey(
  deps: PrincipalDeps,
  principal: string,
  makeIn: KeyStoreName | null,
): Promise<IssuerKey> {
  const pins = deps.state.pins(principal);
  for (const pin of [...pins].reverse()) {
    const record = deps.state.key(pin.keyId);
    if (record !== null) return { key: await openKey(deps, pin.keyId, pin.publicKey), record, made: false };
  }
  const [pinned] = pins;
  if (pinned !== undefined) {
    throw new Failure('KEY_NOT_FOUND', `${principal} is pinned here, but its private key is not on this machine.`, {
      hint: `issue the passport where ${pinned.keyId} lives, then: aip passport import <file>`,
    });
  }
  if (makeIn === null) {
    throw new Failure('KEY_NOT_FOUND', `This machine holds no key of ${principal}.`, {
      hint: 'run this where the passport was made',
    });
  }
  if (makeIn === 'env') {
    throw new Failure(
      'USAGE',
      "A principal's key lives in the keychain or in an encrypted file, not in the environment.",
      {
        hint: 'add --principal-key-store file, with a passphrase in AIP_KEY_PASSPHRASE',
      },
    );
  }
  let created;
  try {
    created = await createKey(deps, formatKeyId(principal, 1), makeIn);
  } catch (error) {
    // Two first passports at once: the other one's key is the principal's.
    if (error instanceof Failure && error.code === 'EXISTS' && (await isPinnedSoon(deps, principal))) {
      return issuerKey(deps, principal, null);
    }
    throw error;
  }
  const { record, ...key } = created;
  deps.state.pin({
    did: principal,
    keyId: key.keyId,
    publicKey: key.publicKey,
    pinnedAt: deps.clock(),
    source: 'created',
  });
  return { key, record, made: true };
}

async function isPinnedSoon({ state, moment }: PrincipalDeps, principal: string): Promise<boolean> {
  for (let left = moment === undefined ? 0 : MOMENTS; left > 0 && state.pins(principal).length === 0; left--) {
    await moment!();
  }
  return state.pins(principal).length > 0;
}

/** Pins as the verification reads them. A key that the acceptance rule refuses is no pin. */
export function pinnedKeys(pins: readonly Pin[]): PinnedKey[] {
  return pins.flatMap((pin) => {
    const key = importKey(pin.publicKey);
    return key === null ? [] : [{ keyId: pin.keyId, key }];
  });
}

/** A passport that its pinned principal did not sign is never believed, kept or signed again. */
export function requireIssued(state: Pick<State, 'pins'>, passport: Passport): void {
  const { principal } = passport.document;
  const pins = pinnedKeys(state.pins(principal));
  const problem = issuerProblem(passport, pins);
  if (problem === null) return;
  throw new Failure('PASSPORT_REFUSED', `AIP-E103 PASSPORT_INVALID: ${problem}`, {
    hint:
      pins.length === 0
        ? `aip principal add ${principal} --public-key <key>`
        : 'get the passport from its principal again',
  });
}
