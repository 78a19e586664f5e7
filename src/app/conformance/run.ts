/** Conformance cases as data: a document, what the verifier holds, and what it must say. Anyone can run them against any verifier. */
import { readMandate } from '../../protocol/aip1/mandate.js';
import { parseExact } from '../../protocol/aip1/encoding/numbers.js';
import { importKey, verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { fromHex } from '../../protocol/hex.js';
import { JsonError } from '../../protocol/json/parse.js';
import { passportOf } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import type { Json } from '../../protocol/json/values.js';
import type { SpentNonce, StandingRecord } from '../../verify/context.js';
import { drifts } from '../../verify/aip1/action-groups.js';
import type { Aip1Claim, Aip1Facts, MandateFinding, Reading } from '../../verify/aip1/context.js';
import { examine, judgeEnvelope, readingOf, type Aip1Judgement } from '../../verify/aip1/judge.js';

/** What the verifier of a case holds beside the document. Everything is optional. */
export interface Given {
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
  readonly given: Given;
  readonly expect: {
    readonly code: string | null;
    readonly name?: string | null;
    readonly warnings?: readonly string[];
  };
}

export interface ConformanceSuite {
  readonly at: string;
  readonly cases: readonly ConformanceCase[];
}

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

/** The judgements on a case's documents, by one verifier with a memory of its own. */
export function judgeCase(each: ConformanceCase, suiteTime: string): Aip1Judgement[] {
  const now = parseTime(each.at ?? suiteTime)!;
  const memory = new Memory(each.given, now);
  const documents =
    each.bytes === undefined
      ? each.documents!.map((text) => Buffer.from(text, 'utf8'))
      : [Buffer.from(each.bytes, 'base64')];
  return documents.map((document) => {
    const reading = read(document);
    const examined = examine(claimOf(reading, each.given, now));
    const entropy = reading.status === 'read' ? reading.envelope.entropy : null;
    const judgement = judgeEnvelope(examined, entropy === null ? null : memory.facts(entropy), each.name);
    memory.settle(judgement);
    return judgement;
  });
}

function read(document: Uint8Array): Reading {
  try {
    return readingOf(parseExact(document));
  } catch (error) {
    if (error instanceof JsonError) return { status: 'malformed', reason: error.reason, offset: error.offset };
    if (error instanceof ShapeError) return { status: 'malformed', reason: error.reason, offset: null };
    throw error;
  }
}

function keyOf(hex: string): VerifyKey {
  const key = importKey(fromHex(hex)!);
  if (key === null) throw new Error('a conformance case names a key that is none');
  return key;
}

function mandateOf({ mandate, issuer_key }: Given): MandateFinding {
  if (mandate === undefined) return { status: 'none' };
  try {
    const issuerKey = issuer_key === undefined ? null : keyOf(issuer_key);
    return { status: 'found', mandate: readMandate(parseExact(Buffer.from(mandate, 'utf8'))), issuerKey };
  } catch (error) {
    if (error instanceof JsonError || error instanceof ShapeError)
      return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

function claimOf(reading: Reading, given: Given, now: number): Aip1Claim {
  const { registry } = given;
  return {
    reading,
    finding:
      given.passport === undefined ? { status: 'unknown' } : { status: 'found', passport: passportOf(given.passport) },
    pins: (principal) =>
      given.principal_key === undefined ? [] : [{ keyId: `${principal}#key-1`, key: keyOf(given.principal_key) }],
    publicKey: given.public_key === undefined ? null : keyOf(given.public_key),
    hmacKey: given.hmac_key === undefined ? null : fromHex(given.hmac_key),
    mandate: mandateOf(given),
    limits: [],
    policy: {
      maxAgeMs: 300_000,
      maxSkewMs: 30_000,
      minTrust: given.min_trust ?? null,
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
    signatureHolds: verifySignature,
    now,
  };
}

/** What one verifier remembers from document to document. */
class Memory {
  readonly #given: Given;
  readonly #now: number;
  readonly #spent = new Map<string, SpentNonce>();
  readonly #sums = new Map<string, bigint>();

  constructor(given: Given, now: number) {
    this.#given = given;
    this.#now = now;
  }

  facts(entropy: string): Aip1Facts {
    const { history, stale_ms, geo } = this.#given;
    return {
      spent: this.#spent.get(entropy) ?? null,
      read: (meter) =>
        meter.kind === 'sum'
          ? { kind: 'sum', spent: this.#sums.get(meter.currency) ?? 0n }
          : { kind: 'count', used: 0, roomAt: null },
      schemaProblems: () => [],
      geo: geo ?? null,
      approved: false,
      hooks: [],
      standing: (subject) => this.#standing(subject),
      freshness: { mesh: stale_ms !== undefined, ageMs: stale_ms ?? null, maxAgeMs: 5000, onStale: 'deny' },
      trust: null,
      wallNow: this.#now,
      history:
        history === undefined
          ? null
          : {
              total: history.total,
              successful: history.successful,
              violations: history.violations,
              revocations: history.revocations ?? 0,
              attestationChanges: history.attestation_changes ?? 0,
              delegationDepth: 1,
            },
    };
  }

  settle({ decision, spend, usage }: Aip1Judgement): void {
    if (spend !== null) {
      this.#spent.set(spend.nonce, { firstSeenAt: this.#now, firstResult: decision.error_code ?? 'accepted' });
    }
    if (usage !== null && usage.currency !== null && usage.amountMinor !== null) {
      this.#sums.set(usage.currency, (this.#sums.get(usage.currency) ?? 0n) + usage.amountMinor);
    }
  }

  #standing(subject: string): StandingRecord | null {
    const found = this.#given.standing?.find((each) => each.subject === subject);
    if (found === undefined) return null;
    return {
      subject,
      status: found.status,
      reason: 'conformance',
      changedAt: this.#now - 1000,
      changedBy: null,
      suspendedUntil: found.until === undefined ? null : parseTime(found.until),
      version: 1,
    };
  }
}
