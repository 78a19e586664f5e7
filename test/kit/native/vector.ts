/** What a vector of test/vectors says: a document, the circumstances it is judged in, and the answer. */
import type { CheckName } from '../../../src/verify/decision.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

export interface StandingRow {
  readonly subject: string;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly reason: string | null;
  readonly changed_at: string;
  readonly changed_by: string | null;
  readonly suspended_until: string | null;
}

export interface IntentVector {
  /** What is judged, and why the answer is what it is. */
  readonly name: string;
  /** File in fixtures/. */
  readonly intent: string;
  /** Files in fixtures/ that the verifier is given. */
  readonly passports: readonly string[];
  /** Files in fixtures/ that it has judged before, in this order. */
  readonly before?: readonly string[];
  /** RFC 3339; the suite's time when absent. */
  readonly at?: string;
  readonly geo?: string;
  readonly max_age_s?: number;
  readonly min_trust?: number;
  readonly standing?: readonly StandingRow[];
  /** The state of a copy of the mesh's revocations; without one this machine's own record is all there is. */
  readonly copy?: { readonly age_ms: number | null; readonly on_stale: 'last-known' | 'deny' };
  readonly expect: {
    readonly exit: number;
    readonly code: string | null;
    /** The step that refuses. */
    readonly failed: CheckName | null;
    /** The codes of all violations, where there is more than the first. */
    readonly codes?: readonly string[];
    /** Members that `details` must hold. */
    readonly details?: JsonObject;
  };
}

export interface IntentSuite {
  readonly at: string;
  readonly principals: Readonly<Record<string, string>>;
  readonly vectors: readonly IntentVector[];
}

export interface PassportVector {
  readonly name: string;
  readonly passport: string;
  readonly at?: string;
  readonly expect: {
    /** Of `passport verify`: 3 when the file holds no JSON at all. */
    readonly exit: 0 | 3 | 10;
    readonly code: string | null;
    /** A part of the sentence that says why. */
    readonly says?: string;
  };
}

export interface PassportSuite {
  readonly at: string;
  readonly principals: Readonly<Record<string, string>>;
  readonly vectors: readonly PassportVector[];
}
