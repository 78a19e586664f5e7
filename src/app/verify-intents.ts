import { readIntent, type Intent } from '../protocol/intent.js';
import type { EntryDraft } from '../protocol/entry.js';
import { verifySignature, verifySignatureAsync, type VerifyKey } from '../protocol/ed25519/verify.js';
import { JsonError, parseJson } from '../protocol/json.js';
import { NONCE_RETENTION_WINDOWS } from '../protocol/limits.js';
import type { Passport } from '../protocol/passport.js';
import { maskDetails, maskParams } from '../protocol/secrets.js';
import { ShapeError } from '../protocol/shape.js';
import { formatTime } from '../protocol/time.js';
import { signingKeys } from '../verify/checks/signature.js';
import { usageOf } from '../verify/constraints/index.js';
import type {
  Claim,
  Freshness,
  HookOutcome,
  Identified,
  PassportFinding,
  PinnedKey,
  Policy,
  SchemaCheck,
} from '../verify/context.js';
import {
  decide,
  identify,
  judge,
  malformed,
  STANDING_UNKNOWN,
  type Identity,
  type Judgement,
} from '../verify/judge.js';
import { isNonce } from '../verify/checks/nonce.js';
import type { Clock, Ledger, State } from './ports.js';

/** One document to judge. */
export interface Submission {
  readonly bytes: Uint8Array;
  /** Where it came from, for people: a path, `-`, or `line 12`. */
  readonly source: string | null;
}

export interface VerifierDeps {
  readonly state: Pick<State, 'transact' | 'rehearse'>;
  readonly clock: Clock;
  /** A clock that never goes back, in microseconds, for `latency_us`. */
  readonly ticks: () => number;
  /** The passport of an agent; asked once per agent and batch. */
  readonly passport: (agentId: string) => PassportFinding;
  /** The pinned keys of a principal. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** Loaded only when an action has a schema. */
  readonly loadSchemaCheck: () => Promise<SchemaCheck>;
  /** How current the copy of the revocations is; asked inside the transaction. */
  readonly freshness: (now: number) => Freshness;
  readonly hooks: (intent: Intent) => readonly HookOutcome[] | Promise<readonly HookOutcome[]>;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: (intent: Intent) => boolean;
  readonly trust: (ledger: Ledger, agentId: string) => Identified['facts']['trust'];
}

export interface VerifyOptions {
  readonly policy: Policy;
  /** Moves the clock of freshness, expiry and windows (`--at`), in ms since the epoch; null uses the system clock. */
  readonly at: number | null;
  /** Judges and commits nothing. */
  readonly dryRun: boolean;
  readonly geo: string | null;
  readonly logParams: 'full' | 'masked' | 'none';
  /** Spreads the signature arithmetic of a batch over the cores. */
  readonly parallel: boolean;
}

/** One submission on its way: read, and perhaps identified. */
interface Case {
  readonly source: string | null;
  readonly startedAt: number;
  readonly intent: Intent;
  readonly claim: Claim;
}

/** A batch that is read, its signatures judged, and nothing committed yet. */
export interface PreparedBatch {
  readonly cases: readonly (Case | Judgement)[];
  readonly identified: readonly (Identification | null)[];
  readonly hooks: readonly (readonly HookOutcome[])[];
  readonly schemaProblems: SchemaCheck;
  readonly wallNow: number;
  readonly now: number;
}

type Identification = ReturnType<typeof identify>;

/**
 * Judges a batch of documents. The decisions come back in order, after one durable commit that holds the spent nonces,
 * the counters and the log entries of all of them; when it fails nothing is decided.
 */
export async function verifyIntents(
  deps: VerifierDeps,
  options: VerifyOptions,
  submissions: readonly Submission[],
): Promise<Judgement[]> {
  return commitBatch(deps, options, await prepareBatch(deps, options, submissions));
}

/** Steps 1 and 2 for every document of a batch. A stream prepares its next batch while it commits this one. */
export async function prepareBatch(
  deps: VerifierDeps,
  options: VerifyOptions,
  submissions: readonly Submission[],
): Promise<PreparedBatch> {
  const wallNow = deps.clock();
  const now = options.at ?? wallNow;
  const findings = new Map<string, PassportFinding>();
  const prefetch = options.parallel && submissions.length > 1 ? new SignaturePrefetch() : null;
  const cases = submissions.map(({ bytes, source }): Case | Judgement => {
    const startedAt = deps.ticks();
    const read = readSubmission(bytes);
    if ('reason' in read) return malformed(read.reason, read.offset, now, source);
    const agentId = read.document.agent_id;
    let finding = findings.get(agentId);
    if (finding === undefined) findings.set(agentId, (finding = deps.passport(agentId)));
    const signatureHolds = prefetch === null ? verifySignature : prefetch.holds;
    const claim: Claim = { intent: read, finding, pins: deps.pins, signatureHolds, now };
    prefetch?.start(claim);
    return { source, startedAt, intent: read, claim };
  });
  await prefetch?.settled();
  const identified = cases.map((each) => ('claim' in each ? identify(each.claim) : null));
  const schemaProblems = await schemaCheckFor(deps, cases, identified);
  const hooks = await Promise.all(
    cases.map((each, i) => ('claim' in each && isIdentified(identified[i]) ? deps.hooks(each.intent) : [])),
  );
  return { cases, identified, hooks, schemaProblems, wallNow, now };
}

/** Steps 3 to 9 for every document of a batch, in order, in one transaction. */
export function commitBatch(deps: VerifierDeps, options: VerifyOptions, batch: PreparedBatch): Judgement[] {
  const { cases, identified, hooks, schemaProblems, wallNow, now } = batch;
  // A document that could not be read leaves no trace, so a batch of nothing else needs no transaction.
  if (!cases.some((each) => 'claim' in each)) return cases as Judgement[];
  const work = (ledger: Ledger): Judgement[] => {
    const freshness = deps.freshness(wallNow);
    const judgements = cases.map((each, i): Judgement => {
      if (!('claim' in each)) return each;
      const { intent, source } = each;
      const { agent_id, nonce } = intent.document;
      const found = identified[i]!;
      if ('refused' in found) {
        const outcome = found.refused;
        const judgement = decide({ intent, outcome, revocation: STANDING_UNKNOWN, warnings: [], now, source });
        ledger.append(entryOf(each, judgement, options, wallNow, deps.ticks()));
        return judgement;
      }
      const { passport } = found.identity;
      const facts: Identified['facts'] = {
        spent: isNonce(nonce) ? ledger.spentNonce(agent_id, nonce) : null,
        read: (meter) => ledger.read(agent_id, meter, now),
        schemaProblems,
        geo: options.geo,
        approved: deps.approved(intent),
        hooks: hooks[i]!,
        standing: (subject) => ledger.standing(subject),
        freshness,
        trust: options.policy.minTrust === null ? null : deps.trust(ledger, agent_id),
        wallNow,
      };
      const { outcome, revocation } = judge(found.identity, { intent, passport, policy: options.policy, facts, now });
      const judgement = decide({ intent, outcome, revocation, warnings: warningsOf(revocation), now, source });
      settle(ledger, each, passport, judgement, options, wallNow, now);
      ledger.append(entryOf(each, judgement, options, wallNow, deps.ticks()));
      return judgement;
    });
    ledger.prune(wallNow);
    return judgements;
  };
  return options.dryRun ? deps.state.rehearse(work) : deps.state.transact(work);
}

function isIdentified(found: Identification | null | undefined): found is { readonly identity: Identity } {
  return found !== null && found !== undefined && 'identity' in found;
}

/** Reads a document strictly, before any signature work. */
function readSubmission(bytes: Uint8Array): Intent | { reason: string; offset: number | null } {
  try {
    return readIntent(parseJson(bytes));
  } catch (error) {
    if (error instanceof JsonError) return { reason: error.reason, offset: error.offset };
    if (error instanceof ShapeError) return { reason: error.reason, offset: null };
    throw error;
  }
}

/**
 * Spends the nonce and counts what was accepted. A refused intent spends its nonce too, so that nobody can hold it back
 * and present it when the agent may do more; only one that waits for an approval or for the mesh stays open.
 */
function settle(
  ledger: Ledger,
  { intent }: Case,
  passport: Passport,
  { decision }: Judgement,
  options: VerifyOptions,
  wallNow: number,
  now: number,
): void {
  const { agent_id, action, nonce, params } = intent.document;
  const code = decision.error_code;
  const open = code === 'AIP-E209' || code === 'AIP-E405' || code === 'AIP-E301' || code === 'AIP-E304';
  if (!open) {
    const keepUntil = wallNow + NONCE_RETENTION_WINDOWS * options.policy.maxAgeMs;
    ledger.spendNonce(agent_id, nonce, wallNow, code ?? 'accepted', keepUntil);
  }
  if (!decision.success) return;
  const usage = usageOf(passport.constraints, action, params);
  if (usage !== null) ledger.recordUsage({ agentId: agent_id, action, at: now, ...usage });
}

function entryOf(
  { intent, startedAt }: Case,
  { decision }: Judgement,
  options: VerifyOptions,
  wallNow: number,
  ticks: number,
): EntryDraft {
  const { agent_id, action, params, nonce, signature } = intent.document;
  return {
    timestamp: formatTime(wallNow),
    agent_id,
    action,
    params: options.logParams === 'none' ? null : options.logParams === 'full' ? params : maskParams(params),
    status: decision.success ? 'success' : 'failed',
    error_code: decision.error_code,
    error_message: decision.error_message,
    details: options.logParams === 'full' ? decision.details : maskDetails(decision.details),
    nonce,
    signature,
    intent_hash: intent.hash,
    dialect: decision.dialect,
    latency_us: Math.max(0, Math.round(ticks - startedAt)),
  };
}

function warningsOf(revocation: { degraded: boolean }) {
  if (!revocation.degraded) return [];
  return [
    { code: 'revocation_degraded', message: 'The copy of the revocations is old; the last known standing was used.' },
  ];
}

async function schemaCheckFor(
  deps: VerifierDeps,
  cases: readonly (Case | Judgement)[],
  identified: readonly (Identification | null)[],
): Promise<SchemaCheck> {
  const needed = cases.some((each, i) => {
    const found = identified[i];
    return 'claim' in each && isIdentified(found) && found.identity.passport.actions.get(each.intent.document.action);
  });
  if (needed) return deps.loadSchemaCheck();
  return () => {
    throw new Error('params judged by a schema that was not loaded');
  };
}

/** Answers of the thread pool, kept by intent so that the ordered checks can ask for them synchronously. */
class SignaturePrefetch {
  readonly #answers = new Map<Uint8Array, { key: VerifyKey; holds: boolean }>();
  readonly #pending: Promise<void>[] = [];

  start({ intent, finding, now }: Claim): void {
    if (finding.status !== 'found' || intent.signature === null) return;
    const keys = signingKeys(finding.passport, intent, now);
    const key = Array.isArray(keys) ? keys[0] : undefined;
    if (key === undefined) return;
    this.#pending.push(
      verifySignatureAsync(key, intent.signedBytes, intent.signature).then((holds) => {
        this.#answers.set(intent.signedBytes, { key, holds });
      }),
    );
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  readonly holds = (key: VerifyKey, message: Uint8Array, signature: Uint8Array): boolean => {
    const answer = this.#answers.get(message);
    return answer?.key === key ? answer.holds : verifySignature(key, message, signature);
  };
}
