/**
 * The check of a bundle, without state and without trust in anything that the bundle carries: each step says whether it is shown (`ok`), contradicted
 * (`broken`), or not shown to somebody with these keys (`unproven`).
 */
import { sameJson } from '../../protocol/json/canonical.js';
import { readOrNull, ShapeError } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { entryHash } from '../../protocol/log/chain.js';
import { isCounted } from '../../protocol/log/attribution.js';
import type { Entry, LogRecord } from '../../protocol/log/entry.js';
import { commitment, leafText, saltsOf } from '../../protocol/log/leaf.js';
import { maskString, paramsCommitted } from '../../protocol/log/secrets.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import {
  noteSignatureHolds,
  readCheckpointText,
  readNote,
  type Note,
  type NoteKey,
} from '../../protocol/transparency/note.js';
import { leafHash, rootFromInclusion } from '../../protocol/transparency/tree.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import { outcomeIn, withShown, type Bundle, type Inclusion } from './bundle.js';
import { approvedText, hear, NO_EVIDENCE, unapproved, type Heard } from './approvals.js';
import { signedBy } from './checkpoint.js';
import { readSent, shownMembers, type SentDocument } from './sent.js';
import type { ProofReport, ProofTrust, Rejudge, Step, StepName } from './report.js';

const EXIT: Readonly<Record<StepName, number>> = {
  who: 10,
  when: 11,
  what: 12,
  limits: 12,
  decision: 13,
  outcome: 15,
  recorded: 15,
  seen: 15,
};

/** How far the claim of an intent may lie from the clock of its verifier before it is said, ms. */
const FAR_MS = 24 * 3_600_000;

/** Checks a bundle that was read. `given` is the document as it was sent: the bundle may lack it, and is of no other. */
export async function checkProof(
  bundle: Bundle,
  given: SentDocument | null,
  trust: ProofTrust,
  rejudge: Rejudge,
): Promise<ProofReport> {
  const held = bundle.intent === null ? null : readSent(bundle.intent);
  const entry = withShown(bundle.decision, shownMembers(held));
  // Who holds a bundle can erase from it. Without its hash any document of the same agent would do that lacks what is gone.
  const sent = isErased(entry, 'intent_hash') ? null : bundle.intent === null ? given : held;
  const intent = sent?.document.intent ?? null;
  const passport = bundle.passport === null ? null : passportIn(bundle.passport);
  const at = parseTime(String(entry.timestamp)) ?? 0;

  const who = whoOf(entry, sent, passport, at, trust);
  const place = placeOf(bundle, entry, trust);
  // Without a passport that counts and a signature under it there is nothing to hold it to.
  const heard =
    who.status === 'ok' && intent !== null && passport !== null && passport !== 'damaged'
      ? hear(bundle.approvals, { entry, intent, passport, at, verifier: place.verifier, ...trust })
      : null;
  const limits =
    who.status === 'ok' || sent === null
      ? await limitsOf(entry, sent, passport, at, { bundle, heard, rejudge })
      : unproven('Whose limits hold is not shown.');
  const when = whenOf(entry, at);
  const became = outcomeOf(bundle, entry, trust);
  const steps: readonly Step[] = [
    { step: 'who', ...who },
    { step: 'what', ...whatOf(entry, sent, given) },
    { step: 'limits', ...limits },
    { step: 'decision', status: place.status, message: verdictIn(entry, place) },
    { step: 'when', ...when, status: when.status === 'ok' ? place.status : when.status },
    { step: 'recorded', status: place.status, message: place.message },
    ...(became === null ? [] : [{ step: 'outcome' as const, ...became }]),
    { step: 'seen', ...seenBy(place.note, trust) },
  ];
  const fault = faultIn(steps, trust);
  return {
    ok: fault === undefined,
    agent_id: text(entry.agent_id),
    action: text(entry.action),
    target: text(intent === null ? entry.target : intent.document.target),
    principal: passport === null || passport === 'damaged' ? null : passport.document.principal,
    params: intent?.document.params ?? entry.params ?? null,
    status: text(entry.status),
    error_code: text(entry.error_code),
    decided_at: text(entry.timestamp),
    log: place.origin,
    seq: typeof entry.seq === 'number' ? entry.seq : null,
    approved_by: heard?.by ?? [],
    steps,
    exit_code: fault === undefined ? 0 : EXIT[fault.step],
  };
}

/** What fails the check: a contradiction, else what is not shown and was asked for; undefined where nothing does. */
function faultIn(steps: readonly Step[], { verifiers, witnesses }: ProofTrust): Step | undefined {
  const asked: StepName[] = ['who', 'what', 'limits'];
  if (verifiers.length > 0) asked.push('decision', 'when', 'recorded', 'outcome');
  if (witnesses.length > 0) asked.push('seen');
  return (
    steps.find(({ status }) => status === 'broken') ??
    steps.find(({ step, status }) => status === 'unproven' && asked.includes(step))
  );
}

interface Word {
  readonly status: Step['status'];
  readonly message: string;
}
const ok = (message: string): Word => ({ status: 'ok', message });
const broken = (message: string): Word => ({ status: 'broken', message });
const unproven = (message: string): Word => ({ status: 'unproven', message });

const WITHHELD = 'params withheld: not all that was signed is shown.';

function whoOf(
  entry: Entry,
  sent: SentDocument | null,
  passport: Passport | 'damaged' | null,
  at: number,
  trust: ProofTrust,
): Word {
  if (passport === 'damaged') return broken('The passport in the bundle is none.');
  if (passport === null) return unproven('The bundle holds no passport: nothing was in force when it was judged.');
  if (passport.agent.id !== entry.agent_id) return broken('The passport is of another agent.');
  if (passport.hash() !== entry.passport_hash) return broken('The passport is not the one that the decision names.');
  const { principal } = passport.document;
  const pins = trust.pins(principal);
  if (pins.length === 0) return unproven(`No key of ${principal} was given: --principal-key ${principal}=<key>.`);
  const problem = issuerProblem(passport, pins);
  if (problem !== null) return broken(problem);
  if (at + FAR_MS < passport.issuedAt || (passport.expiresAt !== null && at >= passport.expiresAt))
    return broken('The passport was not in force at the time of the decision.');
  if (sent === null) return unproven(WITHHELD);
  if (sent.document.sharesKey)
    return unproven('An HMAC proves it: that shows who sent it to the verifier with the same key, and to nobody else.');
  const keys = [passport.currentKey, ...passport.previousKeys];
  const signer = keys.find(({ key }) => sent.document.signedWith(key));
  if (signer === undefined) return broken('The signature on the intent is of no key of the passport.');
  if (entry.key_id !== null && entry.key_id !== signer.keyId)
    return broken('The decision names another key than the one that signed.');
  return ok(
    `${passport.agent.id} signed it with ${signer.keyId}, and ${principal} answers for it (serial ${passport.serial}).`,
  );
}

function whatOf(entry: Entry, sent: SentDocument | null, given: SentDocument | null): Word {
  if (sent === null) return unproven(WITHHELD);
  if (given !== null && given.document.intent.hash !== entry.intent_hash)
    return broken('The decision is about another document than the one given.');
  const { intent } = sent.document;
  const { agent_id, action, params, timestamp, nonce, signature, target = null } = intent.document;
  // Which target it was is shown by the hash of the whole, which the leaf commits to.
  const isMasked = (name: string, value: string | null): boolean =>
    name === 'target' && value !== null && entry.target === maskString(value);
  if (intent.hash !== entry.intent_hash) return broken('The decision is about another document.');
  const same =
    entry.agent_id === agent_id &&
    entry.action === action &&
    entry.intent_timestamp === timestamp &&
    Object.entries({ nonce, signature, target }).every(
      ([name, value]) => isErased(entry, name) || entry[name as 'nonce'] === value || isMasked(name, value),
    );
  if (!same) return broken('The decision is about another document.');
  const salts = saltsOf(entry);
  const committed = paramsIn(entry, params);
  for (const [name, value] of Object.entries(committed)) {
    if (isErased(entry, `params.${name}`)) return unproven(`params withheld: "${name}" was erased.`);
    const shown = entry.params !== null && Object.hasOwn(entry.params, name) ? entry.params[name] : undefined;
    const sent = entry.withheld?.[name];
    if (sent === undefined ? !sameJson(shown, value) : !isCommitted(salts, name, value, sent))
      return broken(`The log commits to another value of "${name}".`);
  }
  const names = new Set([...Object.keys(entry.params ?? {}), ...Object.keys(entry.withheld ?? {})]);
  if ([...names].some((name) => !Object.hasOwn(committed, name)))
    return broken('The log commits to more params than were sent.');
  return ok(`It asked for "${action}", with exactly these params.`);
}

/** The params as the entry commits to them: earlier entries, and those with all params, hold every name as it was sent. */
function paramsIn({ params: shown, withheld, erased }: Entry, params: JsonObject): JsonObject {
  const held = new Set([shown, withheld, erased].flatMap((each) => Object.keys(each ?? {})));
  const isHeld = (name: string): boolean => [name, `params.${name}`, `sent.${name}`].some((each) => held.has(each));
  return Object.keys(params).every(isHeld) ? params : paramsCommitted(params);
}

function isCommitted(salts: ReadonlyMap<string, Uint8Array> | null, name: string, value: Json, sent: string): boolean {
  const salt = salts?.get(`sent.${name}`);
  return salt !== undefined && commitment(salt, value) === sent;
}

function isErased({ erased }: Entry, slot: string): boolean {
  return erased !== null && typeof erased === 'object' && Object.hasOwn(erased, slot);
}

/** By what limits are judged again. */
interface Limiting {
  readonly bundle: Bundle;
  readonly heard: Heard | null;
  readonly rejudge: Rejudge;
}

async function limitsOf(
  entry: Entry,
  sent: SentDocument | null,
  passport: Passport | 'damaged' | null,
  at: number,
  { bundle: { approvals }, heard, rejudge }: Limiting,
): Promise<Word> {
  if (passport === null || passport === 'damaged')
    return unproven('Without a passport there are no limits to judge by.');
  if (sent === null) return unproven('params withheld: limits cannot be judged again.');
  const { evidence, by, problem } = heard ?? { evidence: NO_EVIDENCE, by: [], problem: null };
  if (problem !== null) {
    const message = `An approval in the bundle does not count: ${problem}.`;
    return entry.status === 'success' ? broken(message) : unproven(message);
  }
  const code = await rejudge(sent.sent, passport, at, evidence);
  if (entry.status === 'success') {
    if (code === null)
      return ok(`It is within every limit of the passport that can be judged without the past${approvedText(by)}.`);
    if (code === 'AIP-E209') return unproven(unapproved(approvals.length > 0, evidence.verifier === null));
    if (sent.dialect.circumstances.includes(code))
      return unproven(`Whether it was within the limits hangs on what is not in the bundle (${code}).`);
    return broken(`The passport does not permit it (${code}), and it was accepted.`);
  }
  // A stranger is not shown which approvals the verifier was not given.
  if (code === 'AIP-E209' && (entry.approval_request !== null || approvals.length > 0))
    return unproven(`That no approval counted is the verifier's word (${code}).`);
  if (code === entry.error_code) return ok(`The passport does not permit it (${code}).`);
  return unproven(`The refusal with ${String(entry.error_code)} is the verifier's word.`);
}

function verdictIn(entry: Entry, { status }: Place): string {
  const looked = isCounted(entry) ? '' : ', and only looked on: the call ran';
  const verdict = entry.status === 'success' ? 'accepted it' : `refused it with ${String(entry.error_code)}${looked}`;
  return status === 'ok' ? `The verifier ${verdict}.` : `It says that a verifier ${verdict}.`;
}

function whenOf(entry: Entry, at: number): Word {
  const { intent_timestamp: claimed } = entry;
  if (at === 0 || formatTime(at) !== entry.timestamp) return broken('The entry holds no time.');
  if (claimed === null) return unproven('The intent named no time.');
  const apart = Math.abs(at - claimed * 1000);
  // How old an intent may be is the verifier's to say; a reader should see it.
  const far = apart > FAR_MS ? ', more than a day apart' : '';
  return ok(
    `Signed at ${formatTime(claimed * 1000)} by the agent's clock, decided at ${entry.timestamp} by the verifier's${far}.`,
  );
}

interface Place extends Word {
  /** The trusted key that signed the checkpoint in which the entry is; null where that is not shown. */
  readonly verifier: Uint8Array | null;
  readonly note: Note | null;
  readonly origin: string | null;
}

function placeOf(bundle: Bundle, entry: Entry, trust: ProofTrust): Place {
  let note: Note | null = null;
  let origin: string | null = null;
  const said = (word: Word, verifier: Uint8Array | null = null): Place => ({ ...word, note, origin, verifier });
  try {
    note = readNote(bundle.checkpoint);
    const head = readCheckpointText(note.text);
    origin = head.origin;
    if (!isLeaf(entry, bundle.inclusion, head)) return said(broken('The entry is not in the tree of the checkpoint.'));
    if (trust.verifiers.length === 0) return said(unproven("No verifier's key was given: --verifier-key <key>."));
    const signer = trust.verifiers.find((key) => signedBy(note!, head.origin, key));
    if (signer === undefined)
      return said(broken('The checkpoint is signed by none of the verifiers whose keys were given.'));
    // What the first version wrote stands before the tree.
    const last = entry.seq - bundle.inclusion.index - 1 + head.size;
    return said(ok(`It is entry ${entry.seq} of ${head.origin}, among ${last}.`), signer);
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof TypeError)) throw error;
    return said(broken('The checkpoint or the entry cannot be read.'));
  }
}

function isLeaf(
  record: LogRecord,
  { index, hashes }: Inclusion,
  { size, root }: { size: number; root: Uint8Array },
): boolean {
  if (entryHash(record) !== record.hash) return false;
  const leaf = leafText(record);
  if (leaf === null) return false;
  const path = hashes.map((hash) => Buffer.from(hash, 'base64'));
  const found = rootFromInclusion(leafHash(leaf), index, size, path);
  return found !== null && Buffer.from(found).equals(root);
}

function outcomeOf(bundle: Bundle, entry: Entry, trust: ProofTrust): Word | null {
  const outcome = outcomeIn(bundle);
  if (outcome === null) return null;
  try {
    const note = readNote(bundle.checkpoint);
    const head = readCheckpointText(note.text);
    const fits = outcome.type === 'outcome' && outcome.of === entry.seq && outcome.agent_id === entry.agent_id;
    if (!fits || !isLeaf(outcome, bundle.outcome!.inclusion, head))
      return broken('The outcome is not one of this decision.');
    const by = outcome.claimed ? 'somebody claims' : 'its caller says';
    const message = `It ended as ${outcome.status}: so ${by}.`;
    return trust.verifiers.some((key) => signedBy(note, head.origin, key)) ? ok(message) : unproven(message);
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof TypeError)) throw error;
    return broken('The outcome cannot be read.');
  }
}

function seenBy(note: Note | null, { witnesses, mesh }: Pick<ProofTrust, 'witnesses' | 'mesh'>): Word {
  if (note === null) return broken('The checkpoint cannot be read.');
  const wordOf = (key: NoteKey): readonly string[] => {
    const word = noteSignatureHolds(note, key);
    return word === null ? [] : [`${key.name}${word.time === null ? '' : ` at ${formatTime(word.time * 1000)}`}`];
  };
  const words = witnesses.flatMap(wordOf);
  if (words.length < witnesses.length)
    return unproven(`Seen by ${words.length} of the ${witnesses.length} witnesses asked for.`);
  if (mesh !== null && !witnesses.some(({ name }) => name === mesh.name)) words.push(...wordOf(mesh));
  if (words.length > 0) return ok(`Seen by ${words.join(', ')}.`);
  const none = mesh === null ? '' : 'The mesh that this machine has joined is not among those who saw it. ';
  return unproven(`${none}No witness's key was given: --witness-key <name>+<hash>+<key>, or a mesh's ed25519:<key>.`);
}

function passportIn(document: JsonObject): Passport | 'damaged' {
  return readOrNull(() => passportOf(document)) ?? 'damaged';
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
