/** One action out of this machine's log, as a bundle that a stranger can check. */
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Entry, LogRecord } from '../../protocol/log/entry.js';
import { leafText } from '../../protocol/log/leaf.js';
import { inclusionProof } from '../../protocol/transparency/tree.js';
import { readPassport } from '../../protocol/passport.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import { pinnedKeys } from '../keys/principals.js';
import { Failure } from '../failure.js';
import type { ProvableLog } from '../ports/log.js';
import type { State } from '../ports/state.js';
import { provenApprovals } from './approvals.js';
import { entryJson, withoutShown, writeBundle, type Bundle, type Inclusion } from './bundle.js';
import { noteText, signTree, withoutHole, type NoteSigner, type TreeLog } from './checkpoint.js';
import { readSent, shownMembers, type SignedForm, type SentDocument } from './sent.js';

/** What a bundle is made of. */
export type ProvingLog = TreeLog & ProvableLog & Pick<State, 'pins' | 'look'>;

/** `cosign` adds the lines of witnesses to the checkpoint. */
export type Cosign = (note: ReturnType<typeof signTree>) => Promise<ReturnType<typeof signTree>['note']>;

/** What this machine does not keep of a decision. */
export interface PresentedIntent {
  /** The document as it was sent, where the log withholds part of it; null otherwise. */
  readonly given: Uint8Array | null;
  /** Those that were presented with the intent. */
  readonly approvals: readonly (Approval | ActionApproval)[];
}

/**
 * The bundle of the decision that `named` means: its number, its intent hash or its nonce.
 * @throws Failure NOT_FOUND, or USAGE where it cannot be proved
 */
export async function proveEntry(
  log: ProvingLog,
  named: string,
  { given, approvals }: PresentedIntent,
  key: NoteSigner,
  cosign: Cosign,
): Promise<string> {
  const entry = decisionNamed(log, named);
  const { after } = log.tree();
  if (entry.seq <= after || entry.salts === null) {
    throw new Failure(
      'USAGE',
      `Entry ${entry.seq} is of the first version of the log, which proves itself only as a whole.`,
      {
        hint: 'aip logs export -o log.jsonl && aip logs verify --file log.jsonl',
      },
    );
  }
  const sent = given === null ? signedDocument(log, entry) : sentDocument(given, entry);
  const intent = shownMembers(sent);
  const passport = entry.passport_hash === null ? null : log.judgedPassport(entry.passport_hash);
  // Before the tree, which then has it: others log meanwhile.
  const outcome = outcomeOf(log, entry.seq);
  const signed = withoutHole(() => signTree(log, key));
  const size = signed.head.size;
  const bundle: Bundle = {
    type: 'aip-proof',
    version: 1,
    intent: sent?.sent ?? null,
    passport: passport === null ? null : (parseJsonText(passport) as JsonObject),
    principal_key: passport === null ? null : issuerKeyOf(log, passport),
    approvals: provenApprovals(log, entry, intent, approvals),
    decision: withoutShown(entry, intent),
    inclusion: inclusionOf(log, entry, size),
    outcome: outcome === null ? null : { entry: entryJson(outcome), inclusion: inclusionOf(log, outcome, size) },
    checkpoint: noteText(await cosign(signed)),
  };
  return writeBundle(bundle);
}

/** The path of an entry in the tree of `size` leaves. Fails with STATE where the tree is not the one of the entries. */
export function inclusionOf(log: TreeLog, record: LogRecord, size: number): Inclusion {
  const { after, nodes } = log.tree();
  const index = record.seq - after - 1;
  if (leafText(record) === null)
    throw new Failure('STATE', `Entry ${record.seq} is damaged.`, { hint: 'aip logs verify' });
  const hashes = withoutHole(() => inclusionProof(index, size, nodes));
  return { index, hashes: hashes.map((hash) => Buffer.from(hash).toString('base64')) };
}

function decisionNamed(log: ProvingLog, named: string): Entry {
  const wanted = named.trim();
  const candidates = /^[1-9]\d{0,14}$/.test(wanted) ? [Number(wanted)] : log.find(wanted);
  let found: Entry | null = null;
  for (const seq of candidates) {
    const entry = log.decision(seq)?.entry ?? null;
    if (entry === null) continue;
    const fits = String(entry.seq) === wanted || entry.intent_hash === wanted || entry.nonce === wanted;
    // Of several presentations of one intent the accepted one is what happened.
    if (fits && (found === null || entry.status === 'success')) found = entry;
  }
  if (found !== null) return found;
  throw new Failure(
    'NOT_FOUND',
    `The log holds no verification with the seq, intent_hash or nonce "${wanted.slice(0, 80)}".`,
    {
      hint: 'aip logs tail --json',
    },
  );
}

/** The signed document, as it was kept or put together from the entry; null where the log does not hold all that was signed. */
export function signedDocument(log: Pick<ProvableLog, 'sentDocument'>, entry: Entry): SentDocument | null {
  const kept = log.sentDocument(entry.seq);
  const found = kept === null ? null : documentOf(Buffer.from(kept), entry);
  return found ?? rebuilt(entry);
}

function rebuilt(entry: Entry): SentDocument | null {
  const { agent_id, action, params, target, nonce, signature, approval_request, key_id, intent_timestamp } = entry;
  if (params === null || nonce === null || signature === null || action === null || intent_timestamp === null)
    return null;
  const body = {
    ...{ agent_id, action, params, timestamp: intent_timestamp, nonce, signature },
    ...(target === null ? {} : { target }),
  };
  // An intent may name its key, or leave that to the passport; a request may come beside it.
  const requested = approval_request === null ? [body] : [{ ...body, approval_request }, body];
  const spellings: JsonObject[] = requested.flatMap((each) => [
    each,
    ...(key_id === null ? [] : [{ ...each, key_id }]),
  ]);
  for (const each of spellings) {
    const found = documentOf(each, entry);
    if (found !== null) return found;
  }
  return null;
}

function documentOf(given: Uint8Array | SignedForm, { intent_hash }: Entry): SentDocument | null {
  const sent = readSent(given);
  return sent?.document.intent.hash === intent_hash ? sent : null;
}

function sentDocument(bytes: Uint8Array, entry: Entry): SentDocument {
  const found = documentOf(bytes, entry);
  if (found !== null) return found;
  if (entry.intent_hash === null)
    throw new Failure('USAGE', `The hash of entry ${entry.seq} was erased: no document can be shown to be the one.`, {
      hint: `aip logs prove ${entry.seq}, which says what is withheld`,
    });
  throw new Failure('USAGE', `The document given is not the one that entry ${entry.seq} is of.`, {
    hint: 'aip intent inspect <file>: compare its hash with intent_hash',
  });
}

function outcomeOf(log: ProvingLog, seq: number): LogRecord | null {
  let found: LogRecord | null = null;
  for (const at of log.outcomesOf(seq)) {
    for (const record of log.records({ afterSeq: at - 1, type: 'outcome' })) {
      const word = record.seq === at && record.type === 'outcome' ? record : null;
      if (word !== null && (found === null || !word.claimed)) found = word;
      break;
    }
  }
  return found;
}

/** The pinned key that signed the passport; null where it is pinned no longer. */
function issuerKeyOf(log: ProvingLog, text: string): string | null {
  const passport = readPassport(Buffer.from(text));
  const pins = pinnedKeys(log.pins(passport.document.principal));
  const signer = pins.find((pin) => issuerProblem(passport, [pin]) === null);
  return signer === undefined ? null : signer.key.text;
}
