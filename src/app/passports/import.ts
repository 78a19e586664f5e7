/** Makes a passport of another machine known here. */
import { keyNumber } from '../../protocol/identity/did.js';
import { NATIVE_CODES, SUPERSEDED } from '../../protocol/codes.js';
import { passportIn, type Passport } from '../../protocol/passport.js';
import { Failure } from '../failure.js';
import type { State } from '../ports/state.js';
import { floorOf } from './floors.js';
import { judgePassport, type PinLookup } from './judge.js';

/** What importing a passport needs. */
export interface ImportPassportDeps {
  readonly state: Pick<
    State,
    | 'passport'
    | 'rememberPassport'
    | 'floors'
    | 'raiseFloor'
    | 'standing'
    | 'standingNow'
    | 'keys'
    | 'rememberKey'
    | 'forgetKey'
  >;
  readonly pins: PinLookup;
  /** Whether there is a file at a path. */
  readonly fileExists: (path: string) => Promise<boolean>;
  /** ms since the epoch. */
  readonly now: number;
}

/** What importing came to. */
export interface Imported {
  readonly passport: Passport;
  readonly result: 'imported' | 'known already' | 'replaced';
}

/**
 * Checks who signed the passport and that it was not replaced, and makes it the known one and the least that counts.
 * `source` names it for people, `path` is where it is kept; null for stdin. `older` takes one without serial that was issued earlier.
 * @throws Failure PASSPORT_REFUSED (AIP-E103, AIP-E104), KEY_REVOKED (AIP-E406), UNREADABLE (no JSON), USAGE (an earlier one)
 */
export async function importPassport(
  { state, pins, fileExists, now }: ImportPassportDeps,
  bytes: Uint8Array,
  { source, path, older }: { readonly source: string; readonly path: string | null; readonly older: boolean },
): Promise<Imported> {
  const { report, passport, replaced } = await judgePassport(bytes, source, pins, now, state);
  if (passport === null || !report.valid) {
    // Where the principal is pinned the passport was edited or replaced: another pin is what a forger would ask for.
    const again =
      passport === null ||
      report.error_code === NATIVE_CODES.PASSPORT_EXPIRED.code ||
      (await pins(passport.document.principal)).length > 0;
    const hint = again
      ? `get ${replaced?.details.reason === SUPERSEDED ? 'the one that replaced it' : 'it again'} from its principal`
      : `if you trust it: aip principal add ${report.principal} --public-key <key>`;
    const code = report.error_code === NATIVE_CODES.KEY_REVOKED.code ? 'KEY_REVOKED' : 'PASSPORT_REFUSED';
    throw new Failure(code, `${report.error_code} ${report.error_message}: ${report.message}`, { hint });
  }
  const { agent } = passport;
  const known = state.passport(agent.id);
  // A known passport that cannot be read says nothing about versions, and may be replaced.
  const before = known === null ? null : passportIn(known.text);
  // An agent could otherwise bring back the wider limits it once had.
  if (before !== null && passport.serial === 0 && passport.issuedAt < before.issuedAt && !older) {
    throw new Failure('USAGE', `The known passport of ${agent.id} was issued later (${before.document.issued_at}).`, {
      hint: 'if the older one is meant: --older',
    });
  }
  // As it came: what is written differently is signed differently.
  const text = Buffer.from(bytes).toString('utf8');
  const same = before !== null && Buffer.compare(before.signedBytes, passport.signedBytes) === 0;
  // A copy of what is known is not where the next serial goes, as long as the file is there that it was made or read in.
  const kept = same && known?.path != null && (path === null || (await fileExists(known.path))) ? known.path : path;
  state.rememberPassport({ agentId: agent.id, name: agent.name, text, path: kept, addedAt: now });
  const floor = floorOf(passport, await pins(passport.document.principal), now);
  if (floor !== null) state.raiseFloor(floor);
  if (known === null) nameRequestedKey(state, passport);
  return { passport, result: known === null ? 'imported' : same ? 'known already' : 'replaced' };
}

/** The key that was made here for a request has the number that its principal gave it, where the one it asked for was another key's. */
function nameRequestedKey(state: ImportPassportDeps['state'], { agent, currentKey, previousKeys }: Passport): void {
  const own = state.keys().filter(({ keyId }) => keyNumber(agent.id, keyId) !== null);
  const [made] = own;
  if (own.length !== 1 || [currentKey, ...previousKeys].some(({ keyId }) => keyId === made!.keyId)) return;
  state.rememberKey({ ...made!, keyId: currentKey.keyId });
  state.forgetKey(made!.keyId);
}
