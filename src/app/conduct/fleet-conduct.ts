/** Counts and trust scores over the fleet's log, kept in memory and brought up to date when someone looks. */
import { isAttributable, isCounted, PRESENTED_BEFORE } from '../../protocol/log/attribution.js';
import type { Entry, LogRecord, OutcomeEntry } from '../../protocol/log/entry.js';
import { parseTime } from '../../protocol/time.js';
import type { FleetAgent, FleetConduct } from '../../mesh/fleet.js';
import type { LogTable } from '../../mesh/log/store.js';
import { GUIDE_RULES, type TrustRules } from '../../trust/rules.js';
import { newcomer, observe, readTrust, type TrustState } from '../../trust/score.js';

const HOUR = 3_600_000;
const HOURS = 24;
const PAGE = 500;
/** The ones seen last are kept. */
const MAX_AGENTS = 20_000;
/** Any string can get into a log as an agent's id. Such names have a bound of their own, so that they push no agent out. */
const MAX_STRANGERS = 500;
/** The refused intents that came last are known by their hashes; a hash has 71 characters. */
const MAX_REFUSED = 20_000;
const MAX_HASH = 80;

interface Tally {
  successful: number;
  failed: number;
  unattributed: number;
  /** Final words of callers on what was accepted. */
  readonly ended: { ok: number; error: number };
  lastAt: number;
  readonly trust: TrustState;
  /** By hour since the epoch: accepted, refused. */
  readonly hours: Map<number, [number, number]>;
}

/** What folding the logs of a whole mesh needs. */
export interface FleetDeps {
  readonly logs: Pick<LogTable, 'read'>;
  readonly rules?: TrustRules;
  /** Lets others have their turn between pages. */
  readonly pause: () => Promise<void>;
}

/** Entries count in the order of their arrival, so that every reader of the same log gets the same digits. */
export function fleetConduct({ logs, rules = GUIDE_RULES, pause }: FleetDeps): FleetConduct {
  const tallies: Tallies = { agents: new Map(), strangers: new Map(), refused: new Map() };
  let row = 0;
  let reading: Promise<void> | null = null;

  async function catchUp(now: number): Promise<void> {
    for (;;) {
      const rows = await logs.read({ after: row, limit: PAGE });
      for (const each of rows) {
        const record = JSON.parse(each.text) as LogRecord;
        // Entries of the first version name no type.
        if ((record.type ?? 'verification') === 'verification') count(tallies, record as Entry, rules, now);
        else if (record.type === 'outcome') countOutcome(tallies, record);
        row = each.row;
      }
      if (rows.length < PAGE) return;
      await pause();
    }
  }

  return {
    async agents(now) {
      await (reading ??= catchUp(now).finally(() => (reading = null)));
      const found = [...tallies.agents, ...tallies.strangers].map(([agentId, tally]) =>
        agentOf(agentId, tally, rules, now),
      );
      return found.sort((a, b) => b.lastAt - a.lastAt);
    },
  };
}

interface Tallies {
  /** Those that something can be held to. */
  readonly agents: Map<string, Tally>;
  readonly strangers: Map<string, Tally>;
  /** By hash, of intents whose refusal was held against their agent: the verifier that was first. */
  readonly refused: Map<string, string>;
}

/**
 * The holder of a refused intent can take it to every verifier: its agent is held to it once. What one verifier has seen before
 * it says by itself.
 */
function once({ refused }: Tallies, entry: Entry): Entry {
  const { intent_hash: hash, error_code, verifier } = entry;
  if (error_code === null || hash === null || hash.length > MAX_HASH || !isAttributable(entry)) return entry;
  const first = refused.get(hash);
  if (first !== undefined && first !== verifier)
    return { ...entry, details: { ...entry.details, [PRESENTED_BEFORE]: true } };
  if (refused.size >= MAX_REFUSED) refused.delete(refused.keys().next().value!);
  refused.set(hash, verifier);
  return entry;
}

function count(tallies: Tallies, logged: Entry, rules: TrustRules, now: number): void {
  if (!isCounted(logged)) return;
  const entry = once(tallies, logged);
  const { agents, strangers } = tallies;
  const at = parseTime(entry.timestamp) ?? 0;
  const known = agents.has(entry.agent_id) || isAttributable(entry);
  const tally = agents.get(entry.agent_id) ??
    strangers.get(entry.agent_id) ?? {
      successful: 0,
      failed: 0,
      unattributed: 0,
      ended: { ok: 0, error: 0 },
      lastAt: 0,
      trust: newcomer(rules),
      hours: new Map<number, [number, number]>(),
    };
  // Moved to the end: the one at the beginning was not seen for the longest time.
  agents.delete(entry.agent_id);
  strangers.delete(entry.agent_id);
  const [group, most] = known ? [agents, MAX_AGENTS] : [strangers, MAX_STRANGERS];
  if (group.size >= most) group.delete(group.keys().next().value!);
  group.set(entry.agent_id, tally);

  const success = entry.status === 'success';
  if (success) tally.successful += 1;
  else if (isAttributable(entry)) tally.failed += 1;
  else tally.unattributed += 1;
  tally.lastAt = Math.max(tally.lastAt, at);
  observe(tally.trust, { ...entry, at }, rules);
  const hour = Math.floor(at / HOUR);
  const last = Math.floor(now / HOUR);
  // By the clock here: a verifier whose clock runs far ahead must not push out the hours that are shown.
  if (hour <= last - HOURS || hour > last + 1) return;
  const counts = tally.hours.get(hour) ?? [0, 0];
  counts[success ? 0 : 1] += 1;
  tally.hours.set(hour, counts);
  if (tally.hours.size > 2 * HOURS) {
    for (const each of tally.hours.keys()) if (each <= last - HOURS) tally.hours.delete(each);
  }
}

/** A verifier records one final word of a decision. Of agents that no decision names nothing is kept, and trust is never touched. */
function countOutcome({ agents, strangers }: Tallies, { agent_id: id, claimed, status }: OutcomeEntry): void {
  const tally = agents.get(id) ?? strangers.get(id);
  if (tally === undefined || claimed !== false) return;
  if (status === 'ok') tally.ended.ok += 1;
  else if (status === 'error') tally.ended.error += 1;
}

function agentOf(agentId: string, tally: Tally, rules: TrustRules, now: number): FleetAgent {
  const { score, meaningful } = readTrust(tally.trust, rules, now);
  const last = Math.floor(now / HOUR);
  const { successful, failed, unattributed, ended, lastAt } = tally;
  return {
    agentId,
    successful,
    failed,
    unattributed,
    outcomes: { ...ended, unknown: Math.max(0, successful - ended.ok - ended.error) },
    lastAt,
    trust: score,
    trustMeaningful: meaningful,
    hours: Array.from({ length: HOURS }, (_, i) => tally.hours.get(last - HOURS + 1 + i) ?? ([0, 0] as const)),
  };
}
