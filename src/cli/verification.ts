/** What `intent verify`, `intent sign`, `exec` and the demo verify with: this machine's state, pins, passports and config. */
import type { VerifierDeps, VerifyOptions } from '../app/verify-intents.js';
import { pinnedKeys } from '../app/principals.js';
import type { State } from '../app/ports.js';
import { parseJsonText } from '../protocol/json.js';
import { passportOf, type Passport } from '../protocol/passport.js';
import { ShapeError } from '../protocol/shape.js';
import type { PassportFinding, PinnedKey } from '../verify/context.js';
import type { Cli } from './cli.js';
import { principalPins, type ResolveFlags } from './pins.js';
import { localState, ticks } from './wiring.js';

export interface VerificationFlags extends ResolveFlags {
  readonly dryRun?: boolean;
  readonly geo?: string;
  /** ms since the epoch. */
  readonly at?: number;
  /** ms. */
  readonly maxAge?: number;
  readonly parallel?: boolean;
  /** Passports given by the caller: they come before known ones. */
  readonly passports: readonly (Passport | UnreadablePassport)[];
}

/** A passport file that names its agent and is not valid: its intents are refused with E103, not answered by a known passport. */
export interface UnreadablePassport {
  readonly agentId: string;
  readonly reason: string;
}

export async function verification(
  cli: Cli,
  flags: VerificationFlags,
): Promise<{ deps: VerifierDeps; options: VerifyOptions }> {
  const [state, config] = await Promise.all([localState(cli), cli.config()]);
  const given = new Map(flags.passports.map((each) => ['agent' in each ? each.agent.id : each.agentId, each]));
  const pins = await pinsFor(cli, flags, state, [...given.values()]);
  const deps: VerifierDeps = {
    state,
    clock: cli.io.now,
    ticks,
    passport: passportLookup(given, state),
    pins,
    loadSchemaCheck: async () => (await import('../adapters/json-schema.js')).schemaProblems,
    freshness: () => ({
      mesh: false,
      ageMs: null,
      maxAgeMs: config.get('revocation.max_age'),
      onStale: config.get('revocation.on_stale'),
    }),
    hooks: () => [],
    approved: () => false,
    trust: () => null,
  };
  const options: VerifyOptions = {
    policy: {
      maxAgeMs: flags.maxAge ?? config.get('verify.max_age'),
      maxSkewMs: config.get('verify.max_skew'),
      minTrust: config.get('verify.min_trust'),
    },
    at: flags.at ?? null,
    dryRun: flags.dryRun ?? false,
    geo: flags.geo ?? null,
    logParams: config.get('log.params'),
    parallel: flags.parallel ?? false,
  };
  return { deps, options };
}

/** A given passport, else the known one. An older given one is refused: its agent may once have been allowed more. */
function passportLookup(
  given: ReadonlyMap<string, Passport | UnreadablePassport>,
  state: Pick<State, 'passport'>,
): (agentId: string) => PassportFinding {
  const parsed = new Map<string, PassportFinding>();
  return (agentId) => {
    const known = state.passport(agentId);
    const own = given.get(agentId);
    if (own === undefined) {
      if (known === null) return { status: 'unknown' };
      let finding = parsed.get(known.text);
      if (finding === undefined) parsed.set(known.text, (finding = findingOf(known.text)));
      return finding;
    }
    if (!('agent' in own)) return { status: 'unreadable', reason: own.reason };
    const newer = known === null ? null : findingOf(known.text);
    if (newer?.status === 'found' && newer.passport.issuedAt > own.issuedAt) {
      return {
        status: 'unreadable',
        reason: `a later one, issued at ${newer.passport.document.issued_at}, is known here`,
      };
    }
    return { status: 'found', passport: own };
  };
}

function findingOf(text: string): PassportFinding {
  try {
    return { status: 'found', passport: passportOf(parseJsonText(text)) };
  } catch (error) {
    if (error instanceof ShapeError) return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

/** Pins looked up once a principal and run. Those of given passports are resolved ahead, because that may need the network. */
async function pinsFor(
  cli: Cli,
  flags: ResolveFlags,
  state: Pick<State, 'pins'>,
  given: readonly (Passport | UnreadablePassport)[],
): Promise<(principal: string) => readonly PinnedKey[]> {
  const lookup = await principalPins(cli, flags);
  const found = new Map<string, readonly PinnedKey[]>();
  for (const each of given) {
    if ('agent' in each) found.set(each.document.principal, await lookup(each.document.principal));
  }
  for (const principal of flags.resolve === true ? [] : namedPrincipals(flags))
    found.set(principal, await lookup(principal));
  return (principal) => {
    let pins = found.get(principal);
    if (pins === undefined) found.set(principal, (pins = pinnedKeys(state.pins(principal))));
    return pins;
  };
}

function namedPrincipals(flags: ResolveFlags): string[] {
  return flags.principalKey.map((text) => text.slice(0, Math.max(0, text.indexOf('='))));
}
