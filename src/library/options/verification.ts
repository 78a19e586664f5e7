import { usage } from '../../app/failure.js';
import type { Trusting } from '../../verify/trusting.js';
import { givenFirst } from '../../app/verification/trust/local-trust.js';
import type { VerifyOptions } from '../../app/verification/intents.js';
import { plainParams } from '../../app/verification/plain-json.js';
import { isRequestId, type ActionApproval } from '../../protocol/approvals/approval.js';
import { readAnyApproval, sortedApprovals } from '../../protocol/approvals/any.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import { keyId, parsePrincipalId } from '../../protocol/identity/did.js';
import { verifyOptions } from '../../workspace/verification.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { PinnedKey } from '../../verify/context.js';
import { parsedOf, type AgentPassport } from '../agent-passport.js';
import { envelopeTrustOf, type EnvelopeOptions } from './envelopes.js';
import {
  choiceOption,
  dateOption,
  durationOption,
  flagOption,
  fractionOption,
  onlyKnown,
  type Duration,
} from './given.js';
import { publicKeyIn } from './public-key.js';

/** An approval as it is held: the object, its JSON text, or the bytes of that text. */
export type VerifiableApproval = string | Uint8Array | Readonly<Record<string, unknown>>;

/** Whom to trust and how to judge; what is left out is as the command line has it. */
export interface VerifyIntentOptions {
  /** Passports that come before the known ones; an older issue than the known one is refused. */
  readonly passport?: AgentPassport | readonly AgentPassport[];
  /** Principals' public keys that count instead of the pinned ones: `{'did:web:acme.com': 'ed25519:...'}`. */
  readonly principalKeys?: Readonly<Record<string, string>>;
  /** What envelopes of AIP-1 are held to beside these. */
  readonly envelopes?: EnvelopeOptions;
  /** How old an intent may be. Default: 300 s. */
  readonly maxAge?: Duration;
  /** How far ahead of this machine's clock it may be dated. Default: 30 s. */
  readonly maxSkew?: Duration;
  /** Least trust score that passes, 0 to 1, as `getTrustScore` tells it; below it AIP-E404. Default: not checked. */
  readonly minTrust?: number;
  /**
   * What becomes of an intent whose action has no schema, and in whose params a limit on money, destinations or values finds nothing to
   * measure: `warn` says so in `warnings`, `deny` refuses it (AIP-E208). Default: `warn`.
   */
  readonly unmeasured?: 'warn' | 'deny';
  /** Judges freshness, expiry and windows as of this moment. Default: now. */
  readonly at?: Date;
  /** Counts what is judged as of a moment ahead of now all the same. Without it that takes `dryRun`. */
  readonly allowFuture?: boolean;
  /** Country of the request, ISO 3166-1 alpha-2, for `geo_restriction`. */
  readonly geo?: string;
  /** What `aip approve` printed, for an intent that is refused with AIP-E209 without a person's word; one or several. */
  readonly approval?: VerifiableApproval | readonly VerifiableApproval[];
  /** The request that a person has approved, for a document that names none itself: an envelope of AIP-1 cannot. */
  readonly approvalRequest?: string;
  /** Judges; spends, counts and logs nothing. */
  readonly dryRun?: boolean;
  /**
   * `false`: no memory at all, for places that have none. Replays, limits over time and revocations are not looked for,
   * and the decision says so; a passport that holds limits over time is refused. Needs `passport` and `principalKeys`.
   */
  readonly state?: boolean;
  /** What the log keeps of params. Default: `masked`, all but what looks secret by its name. */
  readonly logParams?: 'full' | 'masked' | 'none';
  /** Where the intent came from; appears as `source` in the decision. */
  readonly source?: string;
}

/** How a call that runs on a yes may be judged: a dry run, or one as of another moment, is no yes to run on. */
export type CallVerifyOptions = Pick<
  VerifyIntentOptions,
  'principalKeys' | 'geo' | 'minTrust' | 'unmeasured' | 'state' | 'logParams'
>;

/** The names of `CallVerifyOptions`. */
export const CALL_VERIFY_OPTIONS: ReadonlySet<string> = new Set([
  ...['principalKeys', 'geo', 'minTrust', 'unmeasured', 'state', 'logParams'],
]);

/** What changes how is judged. */
const JUDGING = ['maxAge', 'maxSkew', 'minTrust', 'unmeasured', 'at', 'geo', 'dryRun', 'logParams'] as const;
const OPTIONS: ReadonlySet<string> = new Set([
  ...JUDGING,
  ...['passport', 'principalKeys', 'envelopes', 'allowFuture', 'state', 'source', 'approval', 'approvalRequest'],
]);
const DEFAULT: VerifyOptions = verifyOptions({});

/** How to judge, as the options say. */
export function judgingOf(options: VerifyIntentOptions | undefined): VerifyOptions {
  if (options === undefined) return DEFAULT;
  onlyKnown(options, OPTIONS, 'verifyIntent');
  const { source } = options;
  flagOption(options.state, 'state');
  flagOption(options.allowFuture, 'allowFuture');
  if (source !== undefined && typeof source !== 'string') throw usage('"source" is not a string.');
  return JUDGING.some((name) => options[name] !== undefined) ? changed(options) : DEFAULT;
}

function changed({
  maxAge,
  maxSkew,
  minTrust,
  unmeasured,
  at,
  geo,
  dryRun,
  logParams,
}: VerifyIntentOptions): VerifyOptions {
  if (geo !== undefined && (typeof geo !== 'string' || !/^[A-Z]{2}$/.test(geo)))
    throw usage('"geo" is not a two-letter country code in capitals.');
  return verifyOptions({
    maxAgeMs: maxAge === undefined ? undefined : durationOption(maxAge, 'maxAge'),
    maxSkewMs: maxSkew === undefined ? undefined : durationOption(maxSkew, 'maxSkew'),
    minTrust: minTrust === undefined ? undefined : fractionOption(minTrust, 'minTrust'),
    unmeasured: choiceOption(unmeasured, 'unmeasured', ['warn', 'deny']),
    at: at === undefined ? undefined : dateOption(at, 'at'),
    geo,
    dryRun: flagOption(dryRun, 'dryRun'),
    logParams: choiceOption(logParams, 'logParams', ['full', 'masked', 'none']),
  });
}

/** The approvals that the caller gives, of one exact intent and of requests. */
export function approvalsOf(given: NonNullable<VerifyIntentOptions['approval']>): {
  readonly exact: readonly Approval[];
  readonly answers: readonly ActionApproval[];
} {
  const several = Array.isArray(given) ? (given as readonly VerifiableApproval[]) : [given as VerifiableApproval];
  const read = several.map((each) => {
    try {
      return readAnyApproval(bytesOf(each));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw usage(`"approval" is no approval: ${error.reason}.`, 'pass what aip approve printed');
    }
  });
  return sortedApprovals(read);
}

/** The id of a request. */
export function requestIdOf(id: string): string {
  if (typeof id !== 'string' || !isRequestId(id)) throw usage('"approvalRequest" is not 32 lower-case hex digits.');
  return id;
}

function bytesOf(approval: VerifiableApproval): Uint8Array {
  if (approval instanceof Uint8Array) return approval;
  return Buffer.from(typeof approval === 'string' ? approval : JSON.stringify(plainParams(approval, 'approval')));
}

/** Whose word counts: what the caller gives, else what the verifier knows. Undefined when the caller gives nothing. */
export function trustingOf({
  passport,
  principalKeys,
  envelopes,
}: VerifyIntentOptions): ((own: Trusting) => Trusting) | undefined {
  if (passport === undefined && principalKeys === undefined && envelopes === undefined) return undefined;
  const given = isList(passport) ? passport.map(parsedOf) : passport === undefined ? [] : [parsedOf(passport)];
  if (principalKeys !== undefined && (typeof principalKeys !== 'object' || principalKeys === null))
    throw usage('"principalKeys" is not an object.', "{'did:web:acme.com': 'ed25519:...'}");
  // Now, because a key that does not parse is a mistake of this call.
  const keys = principalKeys === undefined ? NO_KEYS : Object.entries(principalKeys).map(givenPin);
  const trust = envelopes === undefined ? {} : { envelopes: envelopeTrustOf(envelopes) };
  return (own) => ({
    ...own,
    ...trust,
    passport: given.length === 0 ? own.passport : givenFirst(given, own.passport),
    pins: (principal) => keys.find(({ did }) => did === principal)?.pins ?? own.pins(principal),
  });
}

interface GivenPin {
  readonly did: string;
  readonly pins: readonly PinnedKey[];
}

const NO_KEYS: readonly GivenPin[] = [];

function isList(passport: VerifyIntentOptions['passport']): passport is readonly AgentPassport[] {
  return Array.isArray(passport);
}

/** Nothing is known but what the caller gives. */
export const KNOWS_NOTHING: Trusting = { passport: () => ({ status: 'unknown' }), pins: () => [] };

const MOST_PINS = 1024;
/** By the text of the key: importing one costs as much as a verification. */
const known = new Map<string, GivenPin>();

function givenPin([did, text]: [string, string]): GivenPin {
  const pin = known.get(text);
  if (pin?.did === did) return pin;
  if (parsePrincipalId(did) === null) throw usage(`"${did.slice(0, 80)}" is not of the form did:web:<domain>.`);
  const key = publicKeyIn(text, `The key of ${did}`);
  if (known.size >= MOST_PINS) known.clear();
  const made = { did, pins: [{ keyId: keyId(did, 1), key }] };
  known.set(text, made);
  return made;
}
