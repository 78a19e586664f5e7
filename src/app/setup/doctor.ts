import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { passportIn, type Passport } from '../../protocol/passport.js';
import { formatSeconds, formatTime, parseTime } from '../../protocol/time.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import { checkLog, type ChainedLog } from '../logs/check.js';
import { Failure, shellWord } from '../failure.js';
import { issuerDenial, type FloorMemory, type PinLookup } from '../passports/judge.js';
import type { KeyRecord, State } from '../ports/state.js';

/** One thing that `aip doctor` looked at, and what it found. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do about it: a command that can be pasted, or one thing to do. */
  readonly hint: string | null;
  /** With what the command ends when this failed. */
  readonly exitCode: number;
}

/** The exit codes of what the doctor finds. */
export const EXIT = { config: 2, state: 3, keys: 4 } as const;

/** A finding: all is well. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, hint: null, exitCode: 0 };
}

/** A finding that stops nothing. */
export function warning(check: string, message: string, hint: string | null): Finding {
  return { check, status: 'warning', message, hint, exitCode: 0 };
}

/** A finding that stops work, and the exit code that says so. */
export function failedFinding(check: string, message: string, hint: string | null, exitCode: number): Finding {
  return { check, status: 'failed', message, hint, exitCode };
}

/** A failure as a finding; what is no failure is a bug, and thrown on. */
export function failing(check: string, error: unknown, exitCode?: number): Finding {
  if (!(error instanceof Failure)) throw error;
  return failedFinding(check, error.message, error.hint, exitCode ?? error.exitCode);
}

/** With less room a commit may fail, and with less than the second it does, in bytes. */
const [LITTLE_ROOM, NO_ROOM] = [16 * 1024 * 1024, 128 * 1024];

/** A state file that opens; `left`: bytes that its disk still takes, null where it does not say. */
export function inspectRoom(stateFile: string, left: number | null): Finding {
  if (left === null || left >= LITTLE_ROOM) return ok('state', `${stateFile} opens and can be written.`);
  const message = `${stateFile} opens, and its disk has room for ${Math.floor(left / 1024)} KiB: where none is left, nothing is decided or changed.`;
  const hint = `df -h ${shellWord(stateFile)}`;
  return left < NO_ROOM ? failedFinding('state', message, hint, EXIT.state) : warning('state', message, hint);
}

/** Longer logs are checked from here to their end; `aip logs verify` checks all. */
const NEWEST = 10_000;

/** Whether the newest entries of the log are chained. */
export async function inspectLog(log: ChainedLog): Promise<Finding> {
  const { after, head } = log.bounds();
  const total = head.seq - after.seq;
  const check = await checkLog(log, { newest: NEWEST, pause: async () => undefined });
  if (!check.ok) {
    const message = `The hash chain of the log is broken at entry ${check.seq}: ${check.reason}.`;
    return failedFinding('log', message, 'aip logs verify', EXIT.state);
  }
  if (total === 0) return ok('log', 'The log is empty.');
  const which =
    total > NEWEST ? `newest ${NEWEST} of ${total} entries` : total === 1 ? 'one entry' : `${total} entries`;
  return ok('log', `The hash chain of the ${which} is whole.`);
}

/** No computer that runs this was made before. */
const BUILT = Date.UTC(2025, 0, 1);

/** Freshness, expiry and replay windows all rest on the clock. */
export function inspectClock(state: Pick<State, 'entries'>, now: number, skewMs: number): Finding {
  const hint = 'set the clock, e.g. timedatectl set-ntp true';
  if (now < BUILT)
    return failedFinding('clock', `The clock says ${formatTime(now)}, which is long past.`, hint, EXIT.config);
  const [newest] = state.entries({ last: 1 });
  const at = newest === undefined ? null : parseTime(newest.timestamp);
  if (at !== null && at - now > skewMs) {
    const message = `The newest log entry is from ${newest!.timestamp}, ${Math.round((at - now) / 1000)} s in the future: the clock was set back, or ran ahead then.`;
    return warning('clock', message, hint);
  }
  // Later entries of a clock that was set right hide them.
  const ahead = [...state.entries({ since: now + skewMs + 1, last: MOST_AHEAD })];
  if (ahead.length > 0) {
    const entries =
      ahead.length === 1
        ? 'An entry'
        : `${ahead.length === MOST_AHEAD ? `${MOST_AHEAD} or more` : ahead.length} entries`;
    const message = `${entries} of the log ${ahead.length === 1 ? 'is' : 'are'} dated after now (${ahead[0]!.timestamp}): the clock ran ahead then, or --at was used. Health counts them from then on; rates and daily limits count them already, as a clock set back opens no window.`;
    return warning('clock', message, 'aip logs tail --since ' + formatSeconds(now));
  }
  return ok('clock', `The clock says ${formatTime(now)}.`);
}

/** So many entries from the future are counted. */
const MOST_AHEAD = 100;

/** A passport that ends within this time is due for renewal. */
const SOON_MS = 14 * 86_400_000;

/** What keeps the passports known here from counting at `now` (ms since the epoch), or soon will. */
export async function inspectPassports(
  state: FloorMemory & Pick<State, 'passports'>,
  pins: PinLookup,
  now: number,
  passportAt: (path: string) => Promise<Passport | null>,
): Promise<Finding[]> {
  const known = state.passports();
  const findings: Finding[] = [];
  for (const { agentId, name, text, path } of known) {
    const passport = passportIn(text);
    if (passport === null) {
      findings.push(
        failedFinding('passport', `The passport of ${agentId} is damaged.`, 'aip passport import <file>', EXIT.state),
      );
      continue;
    }
    const finding = await inspectPassport(state, passport, name, pins, now);
    const written = path === null ? null : await passportAt(path);
    const older = written?.agent.id === agentId && written.serial < passport.serial;
    if (finding !== null) findings.push(finding);
    // A process that is killed between the two leaves it so, and so does a newer passport that the mesh brings.
    else if (older) {
      const message = `${path} holds serial ${written.serial} of ${agentId}; ${passport.serial} is in force, and the file is refused.`;
      findings.push(warning('passport', message, `aip passport show ${name} --json > ${shellWord(path!)}`));
    }
  }
  if (findings.length > 0) return findings;
  if (known.length === 0) return [ok('passport', 'No passports are known yet.')];
  const all = known.length === 1 ? 'The one known passport is' : `All ${known.length} known passports are`;
  return [ok('passport', `${all} signed by a pinned principal and in force.`)];
}

async function inspectPassport(
  memory: FloorMemory,
  passport: Passport,
  name: string,
  pins: PinLookup,
  now: number,
): Promise<Finding | null> {
  const { agent, document, expiresAt } = passport;
  const { principal } = document;
  const pinned = await pins(principal);
  const problem = issuerProblem(passport, pinned);
  if (problem !== null) {
    const hint =
      pinned.length === 0 ? `aip principal add ${principal} --public-key <key>` : 'aip passport import <file>';
    return warning('passport', `${agent.id} is not believed here: ${problem}`, hint);
  }
  const hint = `aip passport renew ${name}`;
  const denied = issuerDenial(memory, passport, pinned, now);
  if (denied !== null) return warning('passport', `${agent.id} is not believed here: ${denied.message}`, hint);
  if (expiresAt === null || expiresAt - now > SOON_MS) return null;
  if (now >= expiresAt) return warning('passport', `${agent.id} expired at ${document.expires_at}.`, hint);
  const days = Math.floor((expiresAt - now) / 86_400_000);
  const left = days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`;
  return warning('passport', `${agent.id} expires ${left}, at ${document.expires_at}.`, hint);
}

/** A private key that this machine is to hold. */
export interface ExpectedKey {
  readonly record: KeyRecord;
  /** What to do when it is gone. */
  readonly remedy: string;
}

/** The current keys of known agents, and those of principals, as far as this machine holds them. */
export function expectedKeys(state: Pick<State, 'passports' | 'pins' | 'key'>): ExpectedKey[] {
  const ids = new Map<string, string>();
  for (const { name, text } of state.passports()) {
    const passport = passportIn(text);
    if (passport !== null)
      ids.set(passport.currentKey.keyId, `restore it from a backup, or: aip passport rotate ${name}`);
  }
  for (const { keyId } of state.pins()) ids.set(keyId, 'restore it from a backup');
  return [...ids].flatMap(([keyId, remedy]) => {
    const record = state.key(keyId);
    return record === null ? [] : [{ record, remedy }];
  });
}

/** Pinned keys that the acceptance rule refuses count for nothing. */
export function inspectPins(state: Pick<State, 'pins' | 'key'>): Finding[] {
  const pins = state.pins();
  const bad = pins.filter(({ publicKey }) => verifyKeyOf(publicKey) === null);
  if (bad.length > 0) {
    return bad.map(({ did, keyId }) =>
      failedFinding(
        'principal',
        `The pinned key ${keyId} is not acceptable.`,
        `aip principal remove ${did}`,
        EXIT.state,
      ),
    );
  }
  const dids = new Set(pins.map(({ did }) => did));
  if (dids.size === 0) return [ok('principal', 'No principals are pinned yet.')];
  const held = new Set(pins.filter(({ keyId }) => state.key(keyId) !== null).map(({ did }) => did));
  const all = dids.size === 1 ? '1 principal is pinned' : `${dids.size} principals are pinned`;
  return [ok('principal', `${all}; this machine signs for ${held.size === 0 ? 'none' : [...held].join(', ')}.`)];
}
