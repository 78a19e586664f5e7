/** What `intent verify`, `intent sign`, `exec` and the demo verify with: this machine's state, pins, passports and config. */
import type { VerifierDeps, VerifyOptions } from '../../app/verification/intents.js';
import { givenFirst, LocalTrust, type UnreadablePassport } from '../../app/verification/trust/local-trust.js';
import type { EnvelopeTrust } from '../../verify/dialects/aip1/trust.js';
import { sortedApprovals } from '../../protocol/approvals/any.js';
import type { Passport } from '../../protocol/passport.js';
import { approvedBy } from '../../verify/approvals/approved.js';
import type { Demands } from '../../app/verification/replaced.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Config } from '../config/load.js';
import type { GivenApproval } from './approvals.js';
import { requestRelay } from '../approvals/relay.js';
import { meshAccess } from '../mesh/access.js';
import type { MeshJudging } from '../mesh/freshness.js';
import { principalPins, type ResolveFlags } from '../passports/pins.js';
import { requirePolicy } from '../config/load.js';
import { trustRules } from '../config/trust-rules.js';
import { verifierDeps, verifyOptions } from '../../workspace/verification.js';
import { fleetAt } from '../../workspace/fleet/memory.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Lifetime & Surroundings;

export interface VerificationFlags extends ResolveFlags {
  readonly dryRun?: boolean;
  readonly geo?: string;
  /** ms since the epoch. */
  readonly at?: number;
  /** ms. */
  readonly maxAge?: number;
  readonly parallel?: boolean;
  /** True where only this machine is asked, whatever it shares with others. */
  readonly alone?: boolean;
  /** True for a command that judges for as long as it runs. */
  readonly live?: boolean;
  readonly envelopes?: EnvelopeTrust | undefined;
  readonly approvals?: readonly GivenApproval[];
  /** What is demanded of passports beside what is known here. */
  readonly demands?: Demands;
  /** Passports given by the caller: they come before known ones. */
  readonly passports: readonly (Passport | UnreadablePassport)[];
}

export async function verification(
  cli: Scene,
  flags: VerificationFlags,
): Promise<{ deps: VerifierDeps; options: VerifyOptions }> {
  const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
  requirePolicy(config);
  state.conduct.judgeBy(trustRules(config));
  const trust = new LocalTrust(state);
  const pins = await pinsFor(cli, flags, trust, flags.passports);
  const { exact, answers } = sortedApprovals((flags.approvals ?? []).map(({ approval }) => approval));
  const relay = flags.dryRun === true ? null : await requestRelay(cli);
  const deps = verifierDeps(cli.workspace.world, state, {
    passport: givenFirst(flags.passports, trust.passport),
    pins,
    ...(flags.envelopes === undefined ? {} : { envelopes: flags.envelopes }),
    ...(await freshnessOf(cli, { live: flags.live ?? false, decides: flags.dryRun !== true })),
    hooks: await hooksOf(cli, config.get('hooks')),
    approved: approvedBy(exact, pins),
    answers,
    ...(relay === null ? {} : { relay }),
    fleet: flags.alone === true ? null : await fleetAt(cli.workspace, config.get('state.url')),
    ...(flags.demands === undefined ? {} : { demands: flags.demands }),
    trust: (_, agentId) => state.conduct.trust(agentId, cli.io.now()),
  });
  const options = verifyOptions({
    maxAgeMs: ageSet(flags.maxAge, config),
    maxSkewMs: config.get('verify.max_skew'),
    minTrust: config.get('verify.min_trust'),
    unmeasured: config.get('verify.unmeasured'),
    dialects: config.get('verify.dialects'),
    at: flags.at,
    dryRun: flags.dryRun,
    geo: flags.geo,
    logParams: config.get('log.params'),
    parallel: flags.parallel,
  });
  return { deps, options };
}

/** The age that a flag, the environment or a file sets; undefined leaves it to the default. */
function ageSet(flag: number | undefined, config: Config): number | undefined {
  const entry = config.entries.find(({ name }) => name === 'verify.max_age');
  return flag ?? (entry?.origin === 'default' ? undefined : config.get('verify.max_age'));
}

/** Without a mesh this machine's own record is all there is, and nothing of the mesh is loaded. */
async function freshnessOf(cli: Scene, judging: MeshJudging): Promise<Pick<VerifierDeps, 'freshness' | 'vouched'>> {
  const [config, access] = await Promise.all([cli.config(), meshAccess(cli)]);
  if (access !== null) return (await import('../mesh/freshness.js')).meshFreshness(cli, access, judging);
  const [maxAgeMs, onStale] = [config.get('revocation.max_age'), config.get('revocation.on_stale')];
  return { freshness: () => ({ mesh: false, ageMs: null, maxAgeMs, onStale }) };
}

/** Loaded only where there are any: it is code of the user's. */
async function hooksOf(cli: Scene, paths: readonly string[]): Promise<VerifierDeps['hooks']> {
  if (paths.length === 0) return () => null;
  const { configuredHooks } = await import('../config/hooks.js');
  const ask = await configuredHooks(cli, paths);
  return () => ask;
}

/**
 * Pins of flags and config are taken instead of this machine's, whose passport it may be; those that need the network are resolved
 * ahead. This machine's are asked for every time: a principal that is removed counts no longer in a stream that goes on.
 */
async function pinsFor(
  cli: Scene,
  flags: ResolveFlags,
  trust: LocalTrust,
  given: readonly (Passport | UnreadablePassport)[],
): Promise<(principal: string) => readonly PinnedKey[]> {
  const lookup = await principalPins(cli, flags);
  const fixed = new Map<string, readonly PinnedKey[]>();
  const configured = Object.keys((await cli.config()).principals);
  for (const principal of [...namedPrincipals(flags), ...configured]) fixed.set(principal, await lookup(principal));
  for (const each of flags.resolve === true ? given : []) {
    const principal = 'agent' in each ? each.document.principal : null;
    if (principal === null || fixed.has(principal) || trust.pins(principal).length > 0) continue;
    fixed.set(principal, await lookup(principal));
  }
  return (principal) => fixed.get(principal) ?? trust.pins(principal);
}

function namedPrincipals(flags: ResolveFlags): string[] {
  return flags.principalKey.map((text) => text.slice(0, Math.max(0, text.indexOf('='))));
}
