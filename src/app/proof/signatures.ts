/** Every agent's signature anew, where the log keeps what was signed: an acceptance that only this machine's file says, no agent has signed. */
import { readPassport, type Passport } from '../../protocol/passport.js';
import type { Entry } from '../../protocol/log/entry.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import { pinnedKeys } from '../keys/principals.js';
import type { ProvableLog } from '../ports/log.js';
import type { State } from '../ports/state.js';
import { signedDocument } from './prove.js';

/** The entries, what was signed of them, and by whom. */
export type SignedLog = Pick<State, 'entries' | 'pins'> & Pick<ProvableLog, 'judgedPassport' | 'sentDocument'>;

/** What was found of the signatures of accepted intents. */
export interface SignatureAudit {
  /** Signatures that hold, under a passport that a pinned principal signed. */
  readonly checked: number;
  /** Accepted, and not all that was signed is kept, or the passport or its principal's key is not known here any more. */
  readonly unchecked: number;
  /** The first accepted entry whose signature does not hold; null when there is none. */
  readonly bad: { readonly seq: number; readonly reason: string } | null;
}

/** Checks the accepted intents of the log, oldest first, and stops at the first whose signature does not hold. */
export async function checkSignatures(
  log: SignedLog,
  pause: (checked: number) => Promise<void>,
): Promise<SignatureAudit> {
  const passports = new Map<string, Passport | string | null>();
  let checked = 0;
  let unchecked = 0;
  for (const entry of log.entries({ status: 'success' })) {
    const hash = entry.passport_hash ?? '';
    if (!passports.has(hash)) passports.set(hash, passportOf(log, hash));
    const passport = passports.get(hash)!;
    const reason = typeof passport === 'string' ? passport : passport === null ? null : problemOf(log, entry, passport);
    if (typeof reason === 'string') return { checked, unchecked, bad: { seq: entry.seq, reason } };
    if (reason === null) unchecked += 1;
    else checked += 1;
    if ((checked + unchecked) % 1000 === 0) await pause(checked);
  }
  return { checked, unchecked, bad: null };
}

/** True where the signature holds, null where it cannot be checked, else why it does not. */
function problemOf(log: SignedLog, entry: Entry, passport: Passport): true | null | string {
  const sent = signedDocument(log, entry);
  if (sent === null || sent.document.sharesKey) return null;
  const keys = [passport.currentKey, ...passport.previousKeys];
  if (passport.agent.id !== entry.agent_id) return 'the passport it names is of another agent';
  const holds = keys.some(({ key }) => sent.document.signedWith(key));
  return holds || 'no key of the passport that it names has signed the intent';
}

/** A sentence for a passport that no pinned key signed; null for one that cannot be judged here. */
function passportOf(log: SignedLog, hash: string): Passport | string | null {
  const text = hash === '' ? null : log.judgedPassport(hash);
  if (text === null) return null;
  const passport = readPassport(Buffer.from(text));
  if (passport.hash() !== hash) return 'the passport kept for it is another one';
  const pins = pinnedKeys(log.pins(passport.document.principal));
  if (pins.length === 0) return null;
  return issuerProblem(passport, pins) === null ? passport : 'no pinned key has signed the passport that it names';
}
