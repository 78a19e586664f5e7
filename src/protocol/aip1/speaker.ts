import type { Constraint } from '../constraints/rules.js';
import type { Name } from '../naming/names.js';
import { jsonOfMinor } from '../constraints/money.js';
import type { Passport } from '../passport.js';
import { ShapeError } from '../json/shape.js';
import type { JsonObject } from '../json/values.js';
import { plainJson, type ValueObject } from './encoding/numbers.js';
import type { ReferencePassport } from './passport-folder.js';
import { referenceTime, type EnvelopeAgent } from './sign.js';

/**
 * What an agent with a native passport says of itself in an envelope. Constraints that AIP-1 has no word for are left out of
 * the boundaries: a verifier with the passport enforces them all the same, and one without it never could.
 */
export function speakerOf(passport: Passport): EnvelopeAgent {
  const { agent, document } = passport;
  return {
    identity: {
      id: agent.id,
      version: '1.0.0',
      runtime: 'aip-cli',
      attestation: {
        method: 'self_reported',
        framework_id: null,
        build_hash: null,
        system_prompt_hash: null,
        registry_signature: null,
        intent_classifier: { model: 'aip-classifier-v1', confidence_threshold: 0.95 },
      },
    },
    principal: {
      type: 'organization',
      id: document.principal,
      delegation_chain: [
        {
          from: document.principal,
          to: agent.id,
          scope: 'default',
          boundary_monotonicity: true,
          granted_at: referenceTime(passport.issuedAt),
          expires_at: passport.expiresAt === null ? null : referenceTime(passport.expiresAt),
        },
      ],
    },
    boundaries: boundariesOf(passport),
  };
}

function boundariesOf({ actions, deniedActions, constraints }: Passport): ValueObject {
  let perTransaction = 0;
  let perDay = 0;
  let geo: string | null = null;
  let window: ValueObject | null = null;
  for (const rule of constraints.all) {
    if (!isSpoken(rule)) continue;
    if (rule.kind === 'monetary_limit') perTransaction = capOf(rule);
    else if (rule.kind === 'daily_limit') perDay = capOf(rule);
    else if (rule.kind === 'geo_restriction') geo = rule.written.join(',');
    else if (rule.kind === 'time_window' && rule.window.kind === 'span') {
      // The native end is exclusive, AIP-1's is not.
      window = { start: referenceTime(rule.window.start), end: referenceTime(rule.window.end - 1) };
    }
  }
  return {
    allowed_actions: [...actions.keys()],
    denied_actions: [...deniedActions],
    monetary_limit: { per_transaction: perTransaction, per_day: perDay, currency: constraints.currency },
    data_access: [],
    geo_restriction: geo,
    time_window: window,
  };
}

/** AIP-1 takes 0 for "no cap", so a limit of nothing becomes the tightest cap it can express: one minor unit. */
function capOf({ limit, currency }: { limit: bigint; currency: string }): number {
  return Number(jsonOfMinor(limit === 0n ? 1n : limit, currency));
}

const SPOKEN: ReadonlySet<string> = new Set([
  'monetary_limit',
  'daily_limit',
  'currency',
  'geo_restriction',
  'time_window',
]);

/** The constraints of a passport that no envelope can carry, by name. */
export function unspokenConstraints({ document, constraints }: Passport): string[] {
  const names = Object.keys(document.constraints).filter((name) => !SPOKEN.has(name) && !name.startsWith('x-'));
  return [
    ...names,
    ...constraints.all.filter((rule) => SPOKEN.has(rule.kind) && !isSpoken(rule)).map(({ kind }) => kind),
  ];
}

function isAmount(source: readonly Name[]): boolean {
  return source.length === 1 && source[0]!.text === 'amount';
}

/** Envelopes cap `amount` and nothing else, and know spans of time but no hours of a day. */
function isSpoken(rule: Constraint): boolean {
  // A boundary of an envelope is for every action.
  if (rule.actions !== null) return false;
  if (rule.kind === 'monetary_limit' || rule.kind === 'daily_limit')
    return rule.source === null || isAmount(rule.source);
  return rule.kind !== 'time_window' || rule.window.kind === 'span';
}

/** What a passport of the reference says that no native one can hold, by name. */
export function unkeptMembers({ identity, boundaries }: ReferencePassport): string[] {
  const { frameworkId, buildHash, promptHash } = identity.attestation;
  const said: Record<string, boolean> = {
    framework_id: frameworkId !== null,
    build_hash: buildHash !== null,
    system_prompt_hash: promptHash !== null,
    data_access: (boundaries.document.data_access as readonly string[]).length > 0,
  };
  return Object.keys(said).filter((name) => said[name]);
}

/**
 * What a native passport for the same agent would hold; `instead` are the actions where the reference's passport allows any.
 * @throws ShapeError where it allows any action and `instead` names none
 */
export function nativeTermsOf(
  { boundaries, identity, principal }: ReferencePassport,
  instead: readonly string[] = [],
): {
  readonly agentId: string;
  readonly principal: string;
  readonly actions: readonly string[];
  readonly deniedActions: readonly string[];
  readonly constraints: JsonObject;
} {
  const actions = boundaries.allowed.length === 0 ? instead : boundaries.allowed;
  if (actions.length === 0) throw new ShapeError('the passport allows every action; name those it should allow');
  const limit = plainJson(boundaries.document.monetary_limit!) as JsonObject;
  const { perTransaction, perDay, currency, geo } = boundaries;
  const capped = perTransaction !== null || perDay !== null;
  const window = boundaries.document.time_window as JsonObject | null;
  return {
    agentId: identity.id,
    principal: principal.id,
    actions,
    deniedActions: boundaries.denied,
    constraints: {
      ...(perTransaction === null ? {} : { monetary_limit: limit.per_transaction! }),
      ...(perDay === null ? {} : { daily_limit: limit.per_day! }),
      ...(capped ? { currency } : {}),
      ...(geo === null ? {} : { geo_restriction: geo }),
      ...(window === null ? {} : { time_window: window }),
    },
  };
}
