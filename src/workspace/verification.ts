/** What a verifier stands on, and how it judges: the one place where the options of callers become those of the use case. */
import type { JudgingDeps, VerifierDeps, VerifyOptions } from '../app/verification/intents.js';
import { DEFAULT_MAX_AGE_S, DEFAULT_MAX_SKEW_S } from '../protocol/limits.js';
import { lazy } from '../protocol/lazy.js';
import type { Policy, SchemaCheck } from '../verify/context.js';
import type { LocalState } from './state.js';
import type { OpenThrowaway } from '../app/policy/cases.js';
import type { World } from './world.js';

/** How to judge, as a caller says it; what is left out is as the guide says. */
export interface Judging {
  /** How old a document of any dialect may be, in ms. Left out: 300 s for what has no lifetime of its own. */
  readonly maxAgeMs?: number | undefined;
  /** How far ahead of this machine's clock it may be dated, in ms. */
  readonly maxSkewMs?: number | undefined;
  /** Least trust score that passes, 0 to 1; null checks none. */
  readonly minTrust?: number | null | undefined;
  /** What becomes of params in which a limit finds nothing to measure; left out warns. */
  readonly unmeasured?: Policy['unmeasured'] | undefined;
  /** The dialects that are accepted; left out accepts all. */
  readonly dialects?: Policy['dialects'] | undefined;
  /** Judges freshness, expiry and windows as of this moment, ms since the epoch. */
  readonly at?: number | undefined;
  /** Country of the request, ISO 3166-1 alpha-2. */
  readonly geo?: string | undefined;
  /** Judges and commits nothing. */
  readonly dryRun?: boolean | undefined;
  readonly logParams?: VerifyOptions['logParams'] | undefined;
  /** Spreads the signature arithmetic of a batch over the cores. */
  readonly parallel?: boolean | undefined;
}

/** The guide's defaults: 300 s of age, 30 s of skew, no minimum of trust, masked params in the log. */
export function verifyOptions(judging: Judging): VerifyOptions {
  const { maxAgeMs, dialects } = judging;
  return {
    policy: {
      ...(maxAgeMs === undefined ? { maxAgeMs: DEFAULT_MAX_AGE_S * 1000 } : { maxAgeMs, ageLimitMs: maxAgeMs }),
      maxSkewMs: judging.maxSkewMs ?? DEFAULT_MAX_SKEW_S * 1000,
      minTrust: judging.minTrust ?? null,
      unmeasured: judging.unmeasured ?? 'warn',
      ...(dialects === undefined ? {} : { dialects }),
    },
    at: judging.at ?? null,
    dryRun: judging.dryRun ?? false,
    geo: judging.geo ?? null,
    logParams: judging.logParams ?? 'masked',
    parallel: judging.parallel ?? false,
  };
}

let schemaCheck: SchemaCheck | null = null;

/** Loaded once a process; not a promise any more once it is here. */
export function loadSchemaCheck(): SchemaCheck | Promise<SchemaCheck> {
  return (
    schemaCheck ?? import('../adapters/json-schema.js').then(({ schemaProblems }) => (schemaCheck = schemaProblems))
  );
}

/** Whose word counts, what hooks say, and what a person has approved: each caller knows its own. */
export type Word = Pick<JudgingDeps, 'passport' | 'pins' | 'envelopes' | 'hooks' | 'approved' | 'answers'>;

/** A verifier without memory. */
export function judgingDeps({ clock }: Pick<World, 'clock'>, word: Word): JudgingDeps {
  return { ...word, clock, loadSchemaCheck };
}

/** Verifiers on empty states in memory, each with a clock of its own: nothing is asked of this machine. */
export async function throwawayVerifiers({ world }: { readonly world: World }): Promise<OpenThrowaway> {
  const [{ openThrowaway }, { stateOn }, { signerOf }] = await Promise.all([
    import('../adapters/sqlite/file/create.js'),
    import('../adapters/sqlite/state.js'),
    import('../adapters/mesh/mesh-key.js'),
  ]);
  return ({ passport, pins, clock }) => {
    const { ticks, random } = world;
    const state = Object.assign(stateOn(openThrowaway(random), 'in memory', { random, clock }), {
      verifierKey: lazy(() => signerOf(random(32))),
    });
    const deps = verifierDeps({ clock, ticks, random }, state, {
      passport: (agentId) => (agentId === passport.agent.id ? { status: 'found', passport } : { status: 'unknown' }),
      pins: (principal) => (principal === passport.document.principal ? pins : []),
      hooks: () => null,
      approved: () => false,
      freshness: () => ({ mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'last-known' }),
      trust: () => null,
    });
    return { deps, options: verifyOptions({}), close: () => state.close() };
  };
}

/** A verifier over this machine's state, and what it shares with others. `trust` reads a score, under the rules that the caller goes by. */
export function verifierDeps(
  world: Pick<World, 'clock' | 'ticks' | 'random'>,
  state: LocalState,
  word: Word & Pick<VerifierDeps, 'fleet' | 'freshness' | 'vouched' | 'trust' | 'relay'>,
): VerifierDeps {
  const { clock, ticks, random } = world;
  const requester = lazy(() => ({ ...state.verifierKey(), random }));
  return { ...word, state, clock, ticks, loadSchemaCheck, requester };
}
