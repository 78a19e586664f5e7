import { keyId as formatKeyId } from '../../protocol/identity/did.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { looksLikeKeyAddress, type KeyAddressText } from '../../protocol/identity/key-address.js';
import type { Passport } from '../../protocol/passport.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { deniedNow } from '../../verify/believed-keys.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import type { PinnedKey, StandingRecord } from '../../verify/context.js';
import { Failure } from '../failure.js';
import { createKey, findKey, keyAt, openKey, recordAt, type HeldKey, type KeyringDeps } from './keyring.js';
import type { KeyPlace, KeyRecord, Pin, State } from '../ports/state.js';

/** What finding or making a principal's key needs. */
export interface PrincipalDeps extends KeyringDeps {
  readonly state: KeyringDeps['state'] & Pick<State, 'pins' | 'pin' | 'standing' | 'standingNow'>;
  /** Where the principal's key is asked, this once; null asks the remembered place. */
  readonly issuerAt?: KeyAddressText | null;
}

/** The key a principal issues passports with. */
export interface IssuerKey {
  readonly key: HeldKey;
  readonly record: KeyRecord;
  /** Null when it was pinned before; else where it came from when it was pinned just now. */
  readonly pinned: 'made' | 'found' | null;
}

/**
 * The principal's signing key on this machine. It is made (in `makeIn`, when that is given) and pinned only when the principal is entirely unknown here:
 * a principal that is pinned but whose key is not here has it elsewhere, and a second one would split its identity.
 * A key that `makeIn` holds already is taken up. @throws Failure KEY_REVOKED, KEY_NOT_FOUND; and as the key's store
 */
export async function issuerKey(deps: PrincipalDeps, principal: string, makeIn: KeyPlace | null): Promise<IssuerKey> {
  const pins = inGoodStanding(deps, principal);
  if (deps.issuerAt != null && pins.length > 0) {
    const key = await keyAt(deps, deps.issuerAt, [...pins].reverse());
    return { key, record: recordAt(deps, key.keyId, deps.issuerAt), pinned: null };
  }
  for (const pin of [...pins].reverse()) {
    const record = deps.state.key(pin.keyId);
    if (record !== null) return { key: await openKey(deps, pin.keyId, pin.publicKey), record, pinned: null };
  }
  const [pinned] = pins;
  if (pinned !== undefined) {
    throw new Failure('KEY_NOT_FOUND', `${principal} is pinned here, but its private key is not on this machine.`, {
      hint:
        makeIn === null
          ? `run this where ${pinned.keyId} lives`
          : `issue the passport where ${pinned.keyId} lives, then: aip passport import <file>`,
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
  const issuer = await makeOrFind(deps, formatKeyId(principal, 1), makeIn);
  const { key } = issuer;
  deps.state.pin({
    did: principal,
    keyId: key.keyId,
    publicKey: key.publicKey,
    pinnedAt: deps.clock(),
    source: 'created',
  });
  return issuer;
}

/** The pins of a principal without denied keys: what such a key signs is refused everywhere. @throws Failure KEY_REVOKED where no other is left */
function inGoodStanding({ state, clock }: PrincipalDeps, principal: string): Pin[] {
  const all = state.pins(principal);
  const facts = { standing: (subject: string) => state.standing(subject), standingNow: state.standingNow(clock()) };
  const denialOf = ({ keyId, publicKey }: Pin): StandingRecord | null =>
    deniedNow(facts, formatPublicKey(publicKey)) ?? deniedNow(facts, keyId);
  const good = all.filter((pin) => denialOf(pin) === null);
  if (good.length > 0 || all.length === 0) return good;
  const suspended = all.find((pin) => denialOf(pin)?.status === 'suspended');
  throw new Failure('KEY_REVOKED', `AIP-E406 KEY_REVOKED: no key of ${principal} that is pinned here may sign now.`, {
    hint:
      suspended === undefined
        ? `aip key import <file> --id ${formatKeyId(principal, all.length + 1)}`
        : `wait for the end of its suspension, or: aip reinstate ${suspended.keyId}`,
  });
}

/**
 * A key in the store that nothing pins was left there by a process that was killed before it pinned it, by an unpinning,
 * or this moment by another first passport: it is the principal's, and a second one could never take its place.
 */
async function makeOrFind(deps: KeyringDeps, keyId: string, store: KeyPlace): Promise<IssuerKey> {
  if (looksLikeKeyAddress(store)) {
    const { record, ...key } = await createKey(deps, keyId, store);
    return { key, record, pinned: 'found' };
  }
  try {
    const { record, ...key } = await createKey(deps, keyId, store);
    return { key, record, pinned: 'made' };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'EXISTS') throw error;
    const { record, ...key } = await findKey(deps, keyId, store);
    return { key, record, pinned: 'found' };
  }
}

/** Pins as the verification reads them. A key that the acceptance rule refuses is no pin. */
export function pinnedKeys(pins: readonly Pin[]): PinnedKey[] {
  return pins.flatMap((pin) => {
    const key = verifyKeyOf(pin.publicKey);
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
