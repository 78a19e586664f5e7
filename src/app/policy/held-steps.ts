/** Steps 5 and 6 of the verifier under a passport, where the other steps are taken as they were found: what a replay of the log asks. */
import type { Constraint, Constraints } from '../../protocol/constraints/rules.js';
import type { Intent } from '../../protocol/intent.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Entry } from '../../protocol/log/entry.js';
import type { Passport } from '../../protocol/passport.js';
import { usageOf } from '../../verify/limits/usage.js';
import type { Facts, Policy, SchemaCheck } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';
import { WHAT } from '../../verify/dialects/native/pipeline.js';
import type { Meter, MeterReading, Usage } from '../../verify/meters.js';
import { runChecks } from '../../verify/pipeline.js';

/** What is asked about one entry. */
export interface EntryQuestion {
  readonly entry: Entry;
  readonly params: JsonObject;
  /** When it was judged, ms since the epoch. */
  readonly at: number;
  readonly geo: string | null;
  readonly read: (meter: Meter, now: number) => MeterReading;
}

/** A passport as a replay asks it. */
export class HeldSteps {
  readonly passport: Passport;
  readonly #policy: Policy;
  readonly #schemaProblems: SchemaCheck;
  readonly #keys = new Map<Constraint, string>();
  readonly #known: ReadonlySet<string>;

  constructor(passport: Passport, unmeasured: Policy['unmeasured'], schemaProblems: SchemaCheck) {
    this.passport = passport;
    this.#policy = { maxAgeMs: 0, maxSkewMs: 0, minTrust: null, unmeasured: unmeasured ?? 'warn' };
    this.#schemaProblems = schemaProblems;
    this.#known = new Set(passport.constraints.all.map((rule) => this.keyOf(rule)));
  }

  /** One text for rules that say the same. */
  keyOf(rule: Constraint): string {
    let key = this.#keys.get(rule);
    if (key === undefined) {
      key = JSON.stringify(rule, (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value instanceof Set ? [...value] : value,
      );
      this.#keys.set(rule, key);
    }
    return key;
  }

  /** True when this passport holds the same rule. */
  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** The first thing wrong, by the verifier's own checks; null when nothing is. No person has approved anything. */
  refusal(question: EntryQuestion, limits: Constraints, schemaProblems = this.#schemaProblems): Violation | null {
    const { entry, params, at, geo, read } = question;
    const intent = intentOf(entry, params, at);
    const facts: Facts = {
      ...NOTHING,
      memory: { ...NOTHING_BEFORE, read: (_, meter, now) => read(meter, now) },
      schemaProblems,
      geo,
      now: at,
      wallNow: at,
      standingNow: at,
    };
    const outcome = runChecks(WHAT, {
      ...{ intent, facts, limits: [limits], passport: this.passport, policy: this.#policy },
      believed: [],
    });
    return outcome.violations[0] ?? null;
  }

  /** What the entry is counted with where it is accepted. */
  usage(params: JsonObject): Pick<Usage, 'currency' | 'amountMinor'> {
    return usageOf(this.passport.constraints, params);
  }

  /** What is wrong with params by the schema of an action. */
  schemaProblems(schema: JsonObject, params: JsonObject): ReturnType<SchemaCheck> {
    return this.#schemaProblems(schema, params);
  }
}

function intentOf(
  { agent_id, action, target, intent_hash, nonce, intent_timestamp }: Entry,
  params: JsonObject,
  at: number,
): Intent {
  return {
    document: {
      ...{ agent_id, action: action ?? '', params, ...(target === null ? {} : { target }) },
      ...{ timestamp: intent_timestamp ?? Math.floor(at / 1000), nonce: nonce ?? '', signature: '' },
    },
    signedBytes: NO_BYTES,
    signature: null,
    hash: intent_hash ?? '',
  };
}

const NO_BYTES = new Uint8Array();

const NOTHING_BEFORE: Omit<NonNullable<Facts['memory']>, 'read'> = {
  nonceRecord: () => null,
  forgottenUntil: () => 0,
  approvalRequest: () => null,
  requestOf: () => null,
  pendingRequests: () => ({ agent: 0, all: 0 }),
};

const NOTHING: Omit<Facts, 'memory' | 'schemaProblems' | 'geo' | 'now' | 'wallNow' | 'standingNow'> = {
  approving: () => ({ exact: false, actionHash: '', spent: null, judge: () => ({ by: 0, problems: [] }) }),
  hooks: [],
  standing: () => null,
  freshness: { mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'last-known' },
  spokenNames: () => [],
  replaced: () => null,
  trust: () => null,
};
