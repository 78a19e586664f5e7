/** Conformance cases as data: a document, what the verifier holds, and what it must say. Anyone can run them against any verifier. */
import { rfcTrustScore } from '../../protocol/aip1/trust-score.js';
import { parseExact } from '../../protocol/aip1/encoding/numbers.js';
import { verifyKeyOf, verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { fromHex } from '../../protocol/hex.js';
import { JsonError } from '../../protocol/json/parse.js';
import { passportOf } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import type { Json } from '../../protocol/json/values.js';
import type { PinnedKey, KnownTrust } from '../../verify/context.js';
import { drifts } from '../../verify/dialects/aip1/action-groups.js';
import { AIP1 } from '../../verify/dialects/aip1/dialect.js';
import { sharedKeys } from '../../verify/dialects/aip1/hmac-keys.js';
import type { MandateFinding } from '../../verify/dialects/aip1/trust.js';
import { unreadable, type Judgement } from '../../verify/judge.js';
import type { Trusting } from '../../verify/trusting.js';
import type { Memory, Meter, MeterReading, SpentNonce, StandingRecord, Usage } from '../ports/state.js';
import { settleDocument } from '../verification/settle.js';
import type { Sitting } from '../verification/sitting.js';
import { mandateFinding } from '../verification/trust/mandates.js';

/** What the verifier of a case holds beside the document. Everything is optional. */
export interface CaseSetting {
  /** 64 hex digits. */
  readonly public_key?: string;
  readonly hmac_key?: string;
  readonly passport?: Json;
  /** 64 hex digits: the pinned key of the passport's principal. */
  readonly principal_key?: string;
  readonly mandate?: string;
  readonly issuer_key?: string;
  readonly require_mandate?: boolean;
  readonly min_tier?: 0 | 1 | 2;
  readonly min_trust?: number;
  readonly geo?: string;
  readonly registry?: {
    readonly frameworks?: readonly string[];
    readonly builds?: Readonly<Record<string, string>>;
    readonly prompts?: Readonly<Record<string, string>>;
  };
  readonly standing?: readonly {
    readonly subject: string;
    readonly status: 'revoked' | 'suspended';
    readonly until?: string;
  }[];
  /** Age of the copy of the revocations, in ms, with at most 5000 allowed and a verifier that denies when stale. */
  readonly stale_ms?: number;
  readonly history?: {
    readonly total: number;
    readonly successful: number;
    readonly violations: number;
    readonly revocations?: number;
    readonly attestation_changes?: number;
  };
}

/** One case: what a verifier holds, what it is given, and what it must decide. */
export interface ConformanceCase {
  readonly name: string;
  /** What the case shows, in one sentence. */
  readonly shows: string;
  /** Documents judged in this order by one verifier; the expectation is of the last. Text, as the bytes matter. */
  readonly documents?: readonly string[];
  /** The same for documents that are no text: base64. */
  readonly bytes?: string;
  /** For E303, which no envelope reaches, because boundaries refuse first: the classifier by itself. */
  readonly drift?: { readonly action: string; readonly allowed: readonly string[] };
  /** RFC 3339; the suite's own time where it is absent. */
  readonly at?: string;
  readonly given: CaseSetting;
  readonly expect: {
    readonly code: string | null;
    readonly name?: string | null;
    readonly warnings?: readonly string[];
  };
}

/** All cases, and the moment (RFC 3339) at which they are judged unless they say another. */
export interface ConformanceSuite {
  readonly at: string;
  readonly cases: readonly ConformanceCase[];
}

/** How a case went. `expected` and `got` are error codes; null stands for accepted. */
export interface CaseReport {
  readonly name: string;
  readonly expected: string | null;
  readonly got: string | null;
  readonly passed: boolean;
}

/** Judges every case with this library, in memory. */
export function runConformance(suite: ConformanceSuite): CaseReport[] {
  return suite.cases.map((each) => {
    const { code, warnings } = answerTo(each, suite.at);
    const expected = each.expect;
    const warned = expected.warnings === undefined || String(expected.warnings) === String(warnings);
    return { name: each.name, expected: expected.code, got: code, passed: code === expected.code && warned };
  });
}

function answerTo(each: ConformanceCase, suiteTime: string): { code: string | null; warnings: readonly string[] } {
  if (each.drift !== undefined) {
    return { code: drifts(each.drift.action, each.drift.allowed) ? 'AIP-E303' : null, warnings: [] };
  }
  const last = judgeCase(each, suiteTime).at(-1)!;
  return { code: last.decision.error_code, warnings: last.decision.warnings.map(({ code }) => code) };
}

/** The judgements on a case's documents, by one verifier with a memory of its own; `by` concludes each. */
export function judgeCase(
  each: ConformanceCase,
  suiteTime: string,
  by: typeof settleDocument = settleDocument,
): Judgement[] {
  const now = parseTime(each.at ?? suiteTime)!;
  const sitting = sittingOf(each.given, now);
  const documents =
    each.bytes === undefined
      ? each.documents!.map((text) => Buffer.from(text, 'utf8'))
      : [Buffer.from(each.bytes, 'base64')];
  return documents.map((document) => judged(document, each, sitting, by));
}

/** Every document is judged as an envelope, also one that another verifier would take for no document at all. */
function judged(
  bytes: Uint8Array,
  { name, given }: ConformanceCase,
  sitting: Sitting,
  by: typeof settleDocument,
): Judgement {
  const { now } = sitting;
  const read = readEnvelopeIn(bytes);
  if ('refused' in read) return unreadable(AIP1, read.refused, now, name);
  const proven = read.prove({
    trusting: trustingOf(given),
    within: null,
    meant: null,
    policy: { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: given.min_trust ?? null },
    signatureHolds: verifySignature,
    now,
  });
  const { intent } = read;
  const prepared = {
    dialect: AIP1,
    submission: { bytes, source: name },
    startedAt: 0,
    intent,
    proven,
    pins: (): readonly PinnedKey[] => [],
    hooks: [],
    schemaProblems: () => [],
  };
  return by(sitting, prepared).judgement;
}

function readEnvelopeIn(bytes: Uint8Array): ReturnType<typeof AIP1.read> {
  try {
    return AIP1.read({ document: null, rounded: false, exact: () => parseExact(bytes) });
  } catch (error) {
    if (error instanceof JsonError) return { refused: AIP1.malformed(error.reason, error.offset) };
    if (error instanceof ShapeError) return { refused: AIP1.malformed(error.reason, null) };
    throw error;
  }
}

function keyOf(hex: string): VerifyKey {
  const key = verifyKeyOf(fromHex(hex)!);
  if (key === null) throw new Error('a conformance case names a key that is none');
  return key;
}

function trustingOf(given: CaseSetting): Trusting {
  const { registry, issuer_key } = given;
  const issuer = issuer_key === undefined ? null : keyOf(issuer_key);
  const mandate: MandateFinding =
    given.mandate === undefined ? { status: 'none' } : mandateFinding(Buffer.from(given.mandate, 'utf8'), issuer);
  return {
    passport: () =>
      given.passport === undefined ? { status: 'unknown' } : { status: 'found', passport: passportOf(given.passport) },
    pins: (principal) =>
      given.principal_key === undefined ? [] : [{ keyId: `${principal}#key-1`, key: keyOf(given.principal_key) }],
    envelopes: {
      publicKey: given.public_key === undefined ? null : keyOf(given.public_key),
      sharedKey: sharedKeys(new Map(), given.hmac_key === undefined ? null : fromHex(given.hmac_key)),
      mandate: () => mandate,
      minTier: given.min_tier ?? 0,
      requireMandate: given.require_mandate ?? false,
      registry:
        registry === undefined
          ? null
          : {
              frameworks: registry.frameworks === undefined ? null : new Set(registry.frameworks),
              builds: new Map(Object.entries(registry.builds ?? {})),
              prompts: new Map(Object.entries(registry.prompts ?? {})),
            },
    },
  };
}

/** `trust.initial_score`, as configured by default. */
const START_SCORE = 0.5;

/** One verifier that remembers from document to document, at one moment. */
function sittingOf({ history, stale_ms, geo, standing }: CaseSetting, now: number): Sitting {
  const past = {
    total: history?.total ?? 0,
    successful: history?.successful ?? 0,
    violations: history?.violations ?? 0,
    revocations: history?.revocations ?? 0,
    attestationChanges: history?.attestation_changes ?? 0,
  };
  // Of an agent without a past, a verifier's own score is where every agent starts.
  const score = past.total === 0 ? START_SCORE : rfcTrustScore({ ...past, delegationDepth: 1 });
  const known: KnownTrust = { score, meaningful: past.total > 0, history: past };
  return {
    memory: new CaseMemory(),
    standing: (subject) => standingIn(standing, subject, now),
    freshness: { mesh: stale_ms !== undefined, ageMs: stale_ms ?? null, maxAgeMs: 5000, onStale: 'deny' },
    spokenNames: () => [],
    addSpokenName: null,
    floors: () => [],
    raiseFloor: null,
    demands: () => null,
    token: () => null,
    trust: () => known,
    approved: () => false,
    answers: [],
    requester: null,
    geo: geo ?? null,
    wallNow: now,
    standingNow: now,
    now,
    dryRun: false,
    warnings: [],
  };
}

/** Nonces, and sums that never leave their window: a case is one moment. */
class CaseMemory implements Memory {
  readonly #spent = new Map<string, SpentNonce>();
  readonly #sums = new Map<string, bigint>();

  nonceRecord(_agentId: string, nonce: string): SpentNonce | null {
    return this.#spent.get(nonce) ?? null;
  }

  spendNonce(_agentId: string, nonce: string, firstSeenAt: number, firstResult: string): void {
    this.#spent.set(nonce, { firstSeenAt, firstResult });
  }

  forgottenUntil(): number {
    return 0;
  }

  read(_agentId: string, meter: Meter): MeterReading {
    if (meter.kind === 'count') return { kind: 'count', used: 0, roomAt: null };
    return { kind: 'sum', spent: this.#sums.get(meter.currency) ?? 0n };
  }

  // RFC-001 knows no requests for approval.
  approvalRequest = (): null => null;
  requestOf = (): null => null;
  pendingRequests = (): { agent: number; all: number } => ({ agent: 0, all: 0 });
  openRequest(): void {}
  spendRequest(): void {}

  recordUsage({ currency, amountMinor }: Usage): void {
    if (currency === null || amountMinor === null) return;
    this.#sums.set(currency, (this.#sums.get(currency) ?? 0n) + amountMinor);
  }
}

function standingIn(rows: CaseSetting['standing'], subject: string, now: number): StandingRecord | null {
  const found = rows?.find((each) => each.subject === subject);
  if (found === undefined) return null;
  return {
    subject,
    status: found.status,
    reason: 'conformance',
    changedAt: now - 1000,
    changedBy: null,
    suspendedUntil: found.until === undefined ? null : parseTime(found.until),
    version: 1,
  };
}
