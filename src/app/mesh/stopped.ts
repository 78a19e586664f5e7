/** Everything that is stopped: what the mesh says, what this machine holds, and where the two differ. */
import { partOf } from '../../mesh/document.js';
import { FLEET_ABOVE } from '../../mesh/limits.js';
import { deniesAt, statusAt, type Standing, type Status } from '../../mesh/standing.js';
import { EVERYONE, scopeOf } from '../../mesh/subject.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { formatTime } from '../../protocol/time.js';
import { shellWord } from '../failure.js';
import { standingTime, type MeshCopy, type MeshEndpoint } from '../ports/mesh.js';
import { askFirst } from './answers.js';
import { askStanding, type MeshStanding } from './orders.js';

/** Questions that wait for their answers at once: an endpoint is asked over so many connections. */
const ASKED_AT_ONCE = 4;

/** One subject that is stopped somewhere, as `aip status --json` lists it. */
export interface Stopped {
  readonly subject: string;
  readonly scope: string | null;
  /** The ids by which passports and pins here know a key that is named by its text; empty for everything else. */
  readonly key_ids: readonly string[];
  readonly status: Status;
  readonly reason: string | null;
  readonly by: string | null;
  /** RFC 3339. */
  readonly since: string | null;
  /** RFC 3339; of a suspension. */
  readonly until: string | null;
  /** What the mesh says; null where none was asked, or it did not answer. */
  readonly mesh: Status | null;
  readonly here: Status;
  /** The command that makes both the same; null where they are. */
  readonly repair: string | null;
}

/** Gives a key its ids, and everything else none. */
export type KeyNames = (subject: string) => readonly string[];

/** What this machine holds; the mesh was not asked. */
export function stoppedHere(copy: Pick<MeshCopy, 'stopped' | 'note'>, now: number, names: KeyNames): Stopped[] {
  return copy
    .stopped()
    .filter((standing) => deniesAt(standing, standingTime(copy, now)))
    .map((standing) => factsOf(standing))
    .map((facts) => ({ ...facts, key_ids: names(facts.subject), mesh: null, here: facts.status, repair: null }))
    .sort(inOrder);
}

/** What the mesh says, and how old that is by the server that said it: as of one standing. */
export interface StoppedAnywhere {
  readonly stopped: readonly Stopped[];
  readonly ageMs: number | null;
  /** More may be stopped than the mesh lists. */
  readonly isPart?: true;
}

/** What the mesh says of everything that is stopped there or here. @throws Failure as the mesh's answers do */
export async function stoppedAnywhere(
  lines: readonly MeshEndpoint[],
  copy: Pick<MeshCopy, 'stopped' | 'standing' | 'local' | 'note'>,
  now: number,
  names: KeyNames,
): Promise<StoppedAnywhere> {
  // The mesh itself is always asked for: where nothing is stopped, that has an age as well.
  const there = await stoppedThere(lines);
  const subjects = new Set([EVERYONE, ...copy.stopped().map(({ subject }) => subject), ...there.subjects]);
  const found: Stopped[] = [];
  let ageMs: number | null = 0;
  for await (const told of standingsThere(lines, [...subjects])) {
    const { subject } = told;
    ageMs = ageMs === null || told.ageMs === null ? null : Math.max(ageMs, told.ageMs);
    const own = copy.standing(subject);
    const here = statusAt(own, standingTime(copy, now));
    if (told.status === 'active' && here === 'active') continue;
    const facts = told.status === 'active' ? factsOf(own!) : factsThere(told);
    // What the mesh has lifted after it was denied needs no second order: this machine has not heard of it.
    const behind =
      statusAt(copy.local(subject), standingTime(copy, now)) === 'active' && told.version > (own?.version ?? 0);
    const leftMs = here === 'suspended' ? own!.suspendedUntil! - standingTime(copy, now) : null;
    const repair = repairOf(subject, told.status, here, { reason: facts.reason, leftMs, behind });
    found.push({ ...facts, key_ids: names(subject), mesh: told.status, here, repair });
  }
  return { stopped: found.sort(inOrder), ageMs, ...(there.isPart ? { isPart: true } : {}) };
}

/** What the mesh says of each, some at a time: where all agents are stopped, one after the other would take as many round trips. */
async function* standingsThere(
  lines: readonly MeshEndpoint[],
  subjects: readonly string[],
): AsyncIterable<MeshStanding> {
  for (let from = 0; from < subjects.length; from += ASKED_AT_ONCE)
    yield* await Promise.all(subjects.slice(from, from + ASKED_AT_ONCE).map((each) => askStanding(lines, each)));
}

/** The subjects that the mesh's list of its fleet says are stopped. @throws Failure: a list that cannot be had is not an empty one */
function stoppedThere(lines: readonly MeshEndpoint[]): Promise<{ subjects: string[]; isPart: boolean }> {
  return askFirst(lines, { method: 'GET', target: '/v1/mesh/fleet', timeoutMs: 5_000 }, (answer) => {
    const { above, agents, more = 0 } = partOf('Fleet', answer, ['above', 'agents'], ['more']);
    // Agents that are stopped come first: where the last one of the list is, those beyond it may be.
    const last = agents.at(-1);
    const isCut = more > 0 && last !== undefined && partOf('FleetAgent', last, ['status']).status !== 'active';
    const subjects = [...above.map(({ subject }) => subject), ...agents.flatMap(stoppedAgentIn)];
    return { subjects, isPart: isCut || above.length >= FLEET_ABOVE };
  });
}

/** The agent where it is stopped itself, not by what stands above it. */
function stoppedAgentIn(agent: JsonObject): string[] {
  const { agent_id, status, status_of } = partOf('FleetAgent', agent, ['agent_id', 'status', 'status_of']);
  return status !== 'active' && status_of === agent_id ? [agent_id] : [];
}

/** A deny is never lost by a repair: what is denied in one place is denied in both, unless a person reinstates it. */
function repairOf(
  subject: string,
  there: Status,
  here: Status,
  of: { readonly reason: string | null; readonly leftMs: number | null; readonly behind: boolean },
): string | null {
  if (there === here || (there !== 'active' && here !== 'active')) return null;
  const who = subject === EVERYONE ? '--everyone' : shellWord(subject);
  const { reason, leftMs, behind } = of;
  if (there !== 'active' || behind) return 'aip mesh follow';
  // What ends by itself here stays so: a revocation takes an admin to undo.
  const order = leftMs === null ? `revoke ${who}` : `suspend ${who} --for ${Math.ceil(leftMs / 1000)}s`;
  return `aip ${order} --reason ${shellWord(reason ?? 'stopped on one machine')}`;
}

function factsOf({ subject, status, reason, changedBy, changedAt, suspendedUntil }: Standing) {
  return {
    subject,
    scope: scopeOf(subject),
    status,
    reason,
    by: changedBy,
    since: formatTime(changedAt),
    until: suspendedUntil === null ? null : formatTime(suspendedUntil),
  };
}

function factsThere({ subject, status, reason, by, changedAt, suspendedUntil }: MeshStanding) {
  return { subject, scope: scopeOf(subject), status, reason, by, since: changedAt, until: suspendedUntil };
}

const RANK: Readonly<Record<string, number>> = { mesh: 0, principal: 1, key: 2, agent: 3 };

/** What stops most comes first. */
function inOrder(a: Stopped, b: Stopped): number {
  return (RANK[a.scope ?? 'agent'] ?? 3) - (RANK[b.scope ?? 'agent'] ?? 3) || (a.subject < b.subject ? -1 : 1);
}
