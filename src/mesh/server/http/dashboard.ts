/** The dashboard: a page without data, and what it asks for with a key. */
import { formatTime } from '../../../protocol/time.js';
import { DASHBOARD_PAGE, PAGE_POLICY } from '../../dashboard/document.js';
import type { ApiKeyRecord } from '../../access/api-key.js';
import type { EffectiveStatus, FleetAgent } from '../../fleet.js';
import { statusAt, type Standing } from '../../standing.js';
import { FLEET_ABOVE } from '../../limits.js';
import type { Member } from '../../roster/member.js';
import { EVERYONE, isCanary, principalOf, scopeOf } from '../../subject.js';
import { keyHolders, PassportKeys } from '../key-texts.js';
import { jsonReply, textReply, type Reply, type Request, type WholeReply } from './exchange.js';
import type { MeshServer } from '../mesh-server.js';

/** The limits that the guide warns at. */
const HIGH_FAILURE_RATE = 0.1;
const LOW_TRUST = 0.7;
const MAX_AGENTS = 200;
const MAX_LOGS = 200;

/** `GET /`. */
export function dashboardPage(): WholeReply {
  const reply = textReply(200, 'text/html; charset=utf-8', DASHBOARD_PAGE, {
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  });
  return { ...reply, fixed: true };
}

/** Every agent that was logged, is denied, or has a published passport; those that need a person first. */
export async function fleet(server: MeshServer, request: Request): Promise<Reply> {
  const { store, clock, options } = server;
  const now = clock.wall();
  const find = (request.query.get('find') ?? '').toLowerCase();
  const { standings, serials, holders } = await standingsOf(server);
  const known = new Map(standings.map((standing) => [standing.subject, standing]));
  const conduct = new Map<string, FleetAgent>();
  for (const agent of (await options.conduct?.agents(now)) ?? []) conduct.set(agent.agentId, agent);
  const ids = new Set(conduct.keys());
  for (const { subject } of standings) if (scopeOf(subject) === 'agent' && !isCanary(subject)) ids.add(subject);
  for (const agent of serials.keys()) ids.add(agent);

  const all = [...ids].map((id) => ({
    id,
    agent: conduct.get(id) ?? null,
    effective: effectiveStatus(id, known, now),
  }));
  const rows = all
    .filter(({ id }) => id.toLowerCase().includes(find))
    .map((row) => ({ ...row, rank: rankOf(row.agent, row.effective) }))
    .sort((a, b) => a.rank - b.rank || (b.agent?.lastAt ?? 0) - (a.agent?.lastAt ?? 0) || (a.id < b.id ? -1 : 1));
  const above = standings.filter(({ subject }) => scopeOf(subject) !== 'agent');
  // What stops most comes first: keys that were rotated away may be many.
  const reach = ({ subject }: Standing): number => ['mesh', 'principal'].indexOf(scopeOf(subject) ?? '') >>> 0;
  const denied = above
    .filter((standing) => statusAt(standing, now) !== 'active')
    .sort((a, b) => reach(a) - reach(b) || (a.subject < b.subject ? -1 : 1));
  const logs = await store.logs.ends(MAX_LOGS);
  const keys = new Map((await store.keys.list()).map((key) => [key.keyId, key]));
  const listeners = server.roster.all();
  return jsonReply(200, {
    agents: rows
      .slice(0, MAX_AGENTS)
      .map(({ id, agent, effective }) => agentForm(id, agent, effective, serials.get(id) ?? null)),
    more: Math.max(0, rows.length - MAX_AGENTS),
    totals: totalsOf(all),
    above: denied.slice(0, FLEET_ABOVE).map((standing) => ({
      subject: standing.subject,
      key_of: holders.get(standing.subject) ?? null,
      status: statusAt(standing, now),
      reason: standing.reason,
    })),
    logs: logs.map(({ verifier, keyId, seq, at }) => ({
      verifier,
      label: logLabel(listeners, keys.get(keyId), verifier),
      key_id: keyId,
      seq,
      last_shipped_ms: Math.max(0, now - at),
    })),
    counted: options.conduct !== undefined,
    entries: await store.logs.head(),
    time: formatTime(now),
  });
}

/** What people call the verifier whose log it is: as the one that listens under its API key, else as the key, else as its log is signed. */
function logLabel(listeners: readonly Member[], key: ApiKeyRecord | undefined, verifier: string): string {
  if (key?.maxVerifiers !== 1) return key?.label == null ? verifier : `${key.label}/${verifier}`;
  const listening = listeners.filter(({ keyId }) => keyId === key.keyId);
  return (listening.length === 1 ? listening[0]!.label : key.label) ?? verifier;
}

interface Folded {
  readonly seq: number;
  readonly standings: readonly Standing[];
  /** Of each published passport in force. */
  readonly serials: ReadonlyMap<string, number>;
  /** Whose keys were stopped, by their texts. */
  readonly holders: ReadonlyMap<string, string>;
}

const latest = new WeakMap<MeshServer, Folded>();
/** While keys are stopped there are events, and a page that asks after each: the passports are not all read again for it. */
const published = new WeakMap<MeshServer, PassportKeys>();

/** All standings and passports; read anew only when there was an event since, because pages ask every few seconds. */
async function standingsOf(server: MeshServer): Promise<Folded> {
  const known = latest.get(server);
  if (known !== undefined && known.seq === server.head.seq) return known;
  const { head, standings } = await server.store.snapshot();
  const marks = await server.store.passports.marks();
  const serials = new Map(marks.flatMap(({ agent, serial }) => (serial === null ? [] : [[agent, serial] as const])));
  const stopped = standings.filter(({ status, subject }) => status !== 'active' && subject.startsWith('ed25519:'));
  // In the order of the list.
  const keys = stopped.map(({ subject }) => subject).sort();
  const read = published.get(server) ?? new PassportKeys();
  published.set(server, read);
  const holders = await keyHolders(server.store, keys.slice(0, FLEET_ABOVE), read);
  const folded = { seq: head.seq, standings, serials, holders };
  latest.set(server, folded);
  return folded;
}

/** What is in force for an agent: the strongest of what was said of it, of its principal, and of everyone. */
function effectiveStatus(id: string, known: ReadonlyMap<string, Standing>, now: number): EffectiveStatus {
  let found: EffectiveStatus = { status: 'active', reason: null, of: id };
  for (const subject of [id, principalOf(id), EVERYONE]) {
    const standing = known.get(subject);
    const status = statusAt(standing ?? null, now);
    if (status === 'active' || found.status === 'revoked' || found.status === status) continue;
    found = { status, reason: standing!.reason, of: subject };
  }
  return found;
}

/** Of every agent, whatever is looked for and however many are listed. */
function totalsOf(all: readonly { readonly agent: FleetAgent | null; readonly effective: EffectiveStatus }[]) {
  const hours = all.flatMap(({ agent }) => agent?.hours ?? []);
  return {
    agents: all.length,
    stopped: all.filter(({ effective }) => effective.status !== 'active').length,
    accepted: hours.reduce((sum, [accepted]) => sum + accepted, 0),
    refused: hours.reduce((sum, [, refused]) => sum + refused, 0),
  };
}

/** 0: stopped. 1: active, and something is wrong with it. 2: active. 3: only ever named by strangers, who may name anything. */
function rankOf(agent: FleetAgent | null, { status }: EffectiveStatus): number {
  if (status !== 'active') return 0;
  if (agent === null) return 2;
  const rate = failureRate(agent);
  if (rate === null) return 3;
  return (rate !== null && rate > HIGH_FAILURE_RATE) || (agent.trustMeaningful && agent.trust < LOW_TRUST) ? 1 : 2;
}

function failureRate({ successful, failed }: FleetAgent): number | null {
  return successful + failed === 0 ? null : failed / (successful + failed);
}

function agentForm(id: string, agent: FleetAgent | null, effective: EffectiveStatus, serial: number | null) {
  return {
    agent_id: id,
    // Strangers can get any string logged as an agent's id; such a one cannot be revoked.
    revocable: scopeOf(id) === 'agent',
    status: effective.status,
    reason: effective.reason,
    status_of: effective.of,
    // Of its published passport; null where none is.
    serial,
    successful: agent?.successful ?? 0,
    failed: agent?.failed ?? 0,
    unattributed: agent?.unattributed ?? 0,
    outcomes: agent?.outcomes ?? { ok: 0, error: 0, unknown: 0 },
    failure_rate: agent === null ? null : failureRate(agent),
    trust_score: agent === null || failureRate(agent) === null ? null : agent.trust,
    trust_meaningful: agent?.trustMeaningful ?? false,
    last_at: agent === null ? null : formatTime(agent.lastAt),
    hours: agent?.hours ?? [],
  };
}
