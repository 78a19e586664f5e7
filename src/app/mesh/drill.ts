/** Proves the kill switch on a live mesh, with a canary that no agent is. */
import { toHex } from '../../protocol/hex.js';
import { isRefusedAs } from './answers.js';
import { answersTo, meshOverview, type Listener } from './overview.js';
import type { OrderDeps } from './hand-in.js';
import { giveOrder, type AbsentVerifier } from './orders.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { SignatureCheck } from '../../mesh/log/signing.js';

/** A verifier's part in a drill. */
export interface DrilledVerifier {
  readonly verifier: string | null;
  /** What people call it. */
  readonly label: string | null;
  readonly mode: string;
  /** From the commit to its confirmation, the slowest of all rounds; null when it did not confirm, or cannot. */
  readonly ms: number | null;
  readonly confirmed: boolean;
}

/** As `aip mesh drill --json` prints it. */
export interface DrillReport {
  readonly canary: string;
  readonly rounds: number;
  readonly verifiers: readonly DrilledVerifier[];
  readonly connected: number;
  /** How many verifiers should listen. */
  readonly roster: number;
  /** Those of them that do not, as far as the mesh names them. */
  readonly absent: readonly AbsentVerifier[];
  readonly absent_total: number;
  /** What every verifier was asked to repeat; null when nothing was. */
  readonly challenge: string | null;
  /** Their signed answers: each is a `mesh-applied` document that holds the challenge. */
  readonly answers: readonly JsonObject[];
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** `yes`: all that listen confirmed. `no`: one that reports did not. `unknown`: some do not report, one may still accept, or no verifier listens. */
  readonly can_halt: 'yes' | 'no' | 'unknown';
  readonly within_ms: number;
  readonly ok: boolean;
  /** False when the canary stays revoked, because the API key may not reinstate. */
  readonly reinstated: boolean;
}

/** How a drill is held: so many rounds, each of `withinMs` at the most. */
export interface DrillOptions {
  readonly withinMs: number;
  readonly rounds: number;
  /** 32 to 128 hex digits that every verifier answers with, signed; null asks for none. */
  readonly challenge?: string | null;
}

/** Revokes and reinstates a canary, which is no agent, and times every verifier's confirmation. @throws Failure NETWORK */
export async function drill(
  deps: OrderDeps & { readonly check: SignatureCheck },
  { withinMs, rounds, challenge = null }: DrillOptions,
): Promise<DrillReport> {
  const canary = `did:web:drill.invalid:agents:canary-${toHex(deps.random(4))}`;
  const slowest = new Map<string, DrilledVerifier>();
  const all: number[] = [];
  let reinstated = true;
  let connected = 0;
  const order = { subject: canary, by: null, durationMs: null };
  // It travels as the reason, over the very route that a revocation takes.
  const reason = challenge === null ? 'drill' : `drill ${challenge}`;
  const answers = new Map<string, JsonObject>();
  let absent: readonly AbsentVerifier[] = [];
  let [roster, absent_total] = [0, 0];
  let now = '';
  // The answers to the orders count the whole roster, also those whom the asked server does not list.
  let unsettled = false;
  for (let round = 0; round < rounds; round++) {
    const given = await giveOrder({ ...deps, waitMs: withinMs }, { ...order, action: 'revoke', reason });
    unsettled ||= given.missing > 0;
    const seen = await meshOverview(deps.lines[0]!, deps.check);
    connected = seen.connected;
    [absent, absent_total, roster, now] = [seen.absent, seen.absentTotal, seen.roster, seen.time];
    if (challenge !== null)
      for (const answer of await answersTo(deps.lines[0]!, challenge)) answers.set(answer.public_key as string, answer);
    for (const one of measured(seen.listeners, given.outcome.seq!, given.outcome.propagation_ms)) {
      const name = one.verifier ?? `unnamed ${slowest.size}`;
      const before = slowest.get(name);
      if (one.ms !== null) all.push(one.ms);
      if (one.verifier === null ? before === undefined && round === 0 : worse(one, before)) slowest.set(name, one);
    }
    reinstated = (await lift(deps, order)) && reinstated;
    if (!reinstated) break;
  }
  const verifiers = [...slowest.values()];
  const reporting = verifiers.filter(({ verifier }) => verifier !== null);
  const missed = reporting.some(({ confirmed }) => !confirmed);
  const atLarge = absent.filter(({ refuses_since }) => refuses_since === null || refuses_since > now);
  const uncertain = unsettled || atLarge.length > 0 || reporting.length === 0 || verifiers.length > reporting.length;
  const can_halt = missed ? 'no' : uncertain ? 'unknown' : 'yes';
  all.sort((a, b) => a - b);
  const p99_ms = quantile(all, 0.99);
  const ok =
    reporting.length > 0 && !missed && !unsettled && atLarge.length === 0 && p99_ms !== null && all.at(-1)! <= withinMs;
  const report: DrillReport = {
    canary,
    rounds,
    verifiers,
    connected,
    roster,
    absent,
    absent_total,
    challenge,
    answers: [...answers.values()],
    p50_ms: quantile(all, 0.5),
    p99_ms,
    can_halt,
    within_ms: withinMs,
    ok,
    reinstated,
  };
  await keep(deps, report);
  return report;
}

/** The mesh shows what the last drill found; that it could not be kept changes nothing of what was found. */
async function keep({ lines }: Pick<OrderDeps, 'lines'>, report: DrillReport): Promise<void> {
  const { p50_ms, p99_ms, can_halt, ok, rounds, verifiers, absent_total: absent } = report;
  const kept = { p50_ms, p99_ms, can_halt, ok, rounds, verifiers: verifiers.length, absent };
  const body = Buffer.from(JSON.stringify(kept));
  await lines[0]!.ask({ method: 'POST', target: '/v1/mesh/drill', body, timeoutMs: 2_000 });
}

/**
 * When each verifier confirmed, counted from the commit. The mesh says how long ago each was heard, and how long after the commit
 * the last of them was, all by its own clock: the difference is each one's time.
 */
function measured(listeners: readonly Listener[], seq: number, lastMs: number | null): DrilledVerifier[] {
  const confirmed = listeners.filter((one) => one.reports && one.seq >= seq);
  const latest = Math.min(...confirmed.map(({ lastSeenMs }) => lastSeenMs));
  return listeners.map((one) => {
    const { verifier, label, mode, lastSeenMs } = one;
    if (!confirmed.includes(one) || lastMs === null) return { verifier, label, mode, ms: null, confirmed: false };
    return {
      verifier,
      label,
      mode,
      ms: Math.max(0, Math.round((lastMs - (lastSeenMs - latest)) * 10) / 10),
      confirmed: true,
    };
  });
}

function worse(one: DrilledVerifier, before: DrilledVerifier | undefined): boolean {
  if (before === undefined || !one.confirmed) return true;
  return before.confirmed && (one.ms ?? 0) > (before.ms ?? 0);
}

async function lift(deps: OrderDeps, order: { subject: string; by: null; durationMs: null }): Promise<boolean> {
  try {
    await giveOrder({ ...deps, waitMs: 0 }, { ...order, action: 'reinstate', reason: 'drill' });
    return true;
  } catch (error) {
    if (isRefusedAs(error, 'FORBIDDEN')) return false;
    throw error;
  }
}

function quantile(sorted: readonly number[], q: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!;
}
