/** The kill switch: revoke, suspend and reinstate, through the mesh or on this machine alone. */
import { writeCommand, type Action, type Command } from '../../mesh/command.js';
import { partOf, type ValueOf } from '../../mesh/document.js';
import type { SCHEMAS } from '../../mesh/schemas.js';
import { statusAt, type Standing, type Status } from '../../mesh/standing.js';
import { isNamedKey, scopeOf } from '../../mesh/subject.js';
import { toHex } from '../../protocol/hex.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { askFirst, requireAsked } from './answers.js';
import { handIn, type OrderDeps } from './hand-in.js';
import { regionIn, replicationQuery, type RegionReport } from './regions.js';
import { standingTime, type MeshCopy, type MeshEndpoint } from '../ports/mesh.js';

/** An operator's order before it is sent: revoke, suspend or reinstate whom, and why. */
export interface Order {
  readonly action: Action;
  /** An agent, a principal, a key, or `*`. */
  readonly subject: string;
  readonly reason: string | null;
  readonly by: string | null;
  /** Only of `suspend`. */
  readonly durationMs: number | null;
  /** Where the subject is the id of a key: its text, as far as this machine knows it. */
  readonly keyText?: string | null;
}

/** What came of it, as `--json` prints it. */
export interface OrderReport {
  readonly agent_id: string;
  readonly status: Status;
  /** Place in the mesh's log; null on this machine alone. */
  readonly seq: number | null;
  readonly version: number;
  readonly cmd_id: string;
  readonly durable: boolean;
  /** Verifiers that confirmed having applied it. */
  readonly propagated_to: number;
  /** Verifiers that listen. */
  readonly connected: number;
  /** From the commit to the last confirmation; null while there is none. */
  readonly propagation_ms: number | null;
  /** Each region that should have it; none on this machine alone. */
  readonly regions: readonly RegionReport[];
  /** False when the subject was in that state already. */
  readonly changed: boolean;
}

/** A verifier that should listen and does not, as `--json` prints it. */
export interface AbsentVerifier {
  readonly verifier: string;
  readonly label: string;
  readonly key_id: string;
  /** RFC 3339. */
  readonly last_seen: string;
  readonly on_stale: string | null;
  /** From when on it refuses everything, RFC 3339; null where it goes by what it last knew. */
  readonly refuses_since: string | null;
}

/** A command that the mesh took, and who has not confirmed it. */
export interface GivenOrder extends Unconfirmed {
  readonly outcome: OrderReport;
}

/** Who has not confirmed what the mesh ordered. */
export interface Unconfirmed {
  /** Verifiers on the roster that have not confirmed in time, and may still go by what held before. */
  readonly missing: number;
  /** Verifiers that should listen: everyone who ever did, and neither left nor was taken off. */
  readonly roster: number;
  /** Those of them that do not listen and have not confirmed, as far as the mesh names them. */
  readonly absent: readonly AbsentVerifier[];
  /** How many such there are: the mesh names a hundred at most. */
  readonly absentTotal: number;
  /** Labels of those that listen and have not confirmed, as far as the mesh names them. */
  readonly late: readonly string[];
}

const UNSURE = 'Whether the command arrived is unknown: give it again, which is harmless.';

/** How long an endpoint may take to say how a subject stands, in ms. */
const ANSWER_MS = 5_000;

/**
 * Gives the order. Every endpoint is tried, and the first one twice: the command's id makes sure that it is carried out once,
 * also when an answer was lost on the way.
 */
export async function giveOrder(deps: OrderDeps, order: Order): Promise<GivenOrder> {
  const { lines, random, replicating } = deps;
  const stands = order.action === 'reinstate' ? standsAs(await askStanding(lines, order.subject)) : null;
  const { keyText = null } = order;
  const command: Command = {
    ...order,
    subject: stands?.subject ?? order.subject,
    keyText: stands === null ? keyText : null,
    cmdId: toHex(random(16)),
    version: stands?.version ?? null,
    logId: null,
    expiresAt: null,
  };
  const body = writeCommand(command);
  const query = (waitMs: number): string => replicationQuery(replicating, waitMs);
  return handIn(deps, { path: '/v1/mesh/commands', query, body, unsure: UNSURE }, (answer) => givenOf(answer, command));
}

/** Whom a reinstatement is about: a key that was named by its id is stopped by its text. */
function standsAs(own: MeshStanding): Pick<MeshStanding, 'subject' | 'version'> {
  if (own.status !== 'active' || !isNamedKey(own.subject)) return own;
  return own.above.find(({ subject, status }) => status !== 'active' && scopeOf(subject) === 'key') ?? own;
}

/** What each order may come to: a suspension of who is revoked leaves the revocation. */
const COMES_TO = {
  revoke: ['revoked'],
  suspend: ['suspended', 'revoked'],
  reinstate: ['active'],
} as const satisfies Readonly<Record<Action, readonly Status[]>>;

const OUTCOME = [
  'agent_id',
  'status',
  'seq',
  'version',
  'cmd_id',
  'durable',
  'propagated_to',
  'connected',
  'propagation_ms',
  'regions',
  'changed',
] as const;

/** The answer to this very command: one that a proxy mixed up or kept from another time must not pass for it. */
function givenOf(answer: JsonObject, command: Command): GivenOrder {
  const { key_id = null, ...outcome } = partOf('CommandAnswer', answer, OUTCOME, ['key_id']);
  const { subject, cmdId, action } = command;
  // Of the id of a key, the mesh tells the text that it knows it by.
  const resolved = isNamedKey(subject) && scopeOf(outcome.agent_id) === 'key' && key_id === subject;
  requireAsked(outcome, { agent_id: resolved ? outcome.agent_id : subject, cmd_id: cmdId });
  if (!(COMES_TO[action] as readonly Status[]).includes(outcome.status))
    throw new ShapeError(`"status" is not what ${action} comes to`);
  return {
    outcome: { ...outcome, regions: outcome.regions.map(regionIn) },
    ...unconfirmedIn('CommandAnswer', answer),
  };
}

/** Who has not confirmed, by the answer to what was ordered. @throws ShapeError */
export function unconfirmedIn(name: 'CommandAnswer' | 'Published', answer: JsonObject): Unconfirmed {
  const told = partOf(name, answer, ['unsettled', 'roster', 'absent'], ['late', 'absent_more']);
  const { unsettled, roster, absent, absent_more = 0, late = [] } = told;
  return {
    ...{ missing: unsettled, roster, absent: absent.map(absentIn), absentTotal: absent.length + absent_more },
    late: late.map(({ label }) => label),
  };
}

/** An absent verifier in an answer of the mesh. @throws ShapeError */
export function absentIn(value: JsonObject): AbsentVerifier {
  const members = ['verifier', 'label', 'key_id', 'last_seen', 'on_stale', 'refuses_since'] as const;
  return partOf('AbsentVerifier', value, members);
}

/** Puts an acknowledged deny in force on this machine, before its event arrives. */
export function anticipateDeny(
  copy: Pick<MeshCopy, 'anticipate' | 'note'>,
  order: Order,
  outcome: OrderReport,
  now: number,
): void {
  const { status, version, seq } = outcome;
  if (status === 'active' || seq === null) return;
  const { reason, by, durationMs } = order;
  const subject = outcome.agent_id;
  const suspendedUntil = status === 'suspended' && durationMs !== null ? standingTime(copy, now) + durationMs : null;
  copy.anticipate({
    standing: { subject, status, reason, changedAt: now, changedBy: by, suspendedUntil, version, seq },
    until: seq,
  });
}

/** Carries the order out on this machine alone. */
export function orderHere(
  copy: Pick<MeshCopy, 'local' | 'setLocal' | 'note'>,
  order: Order,
  id: string,
  now: number,
): OrderReport {
  const before = copy.local(order.subject);
  const at = standingTime(copy, now);
  const after = standingHere(before, order, at);
  const changed = statusAt(before, at) !== statusAt(after, at);
  // Nothing to lift is nothing to write.
  if (order.action !== 'reinstate' || before !== null) copy.setLocal(after);
  return {
    agent_id: order.subject,
    status: after.status,
    seq: null,
    version: after.version,
    cmd_id: id,
    durable: true,
    propagated_to: 0,
    connected: 0,
    propagation_ms: null,
    regions: [],
    changed,
  };
}

/** As the fold of the mesh: denies never weaken. */
function standingHere(before: Standing | null, order: Order, now: number): Standing {
  const { subject, reason, by, durationMs, action } = order;
  const version = (before?.version ?? 0) + (action === 'reinstate' && before === null ? 0 : 1);
  const base = { subject, reason, changedAt: now, changedBy: by, version, seq: 0 };
  if (action === 'reinstate') return { ...base, status: 'active', suspendedUntil: null };
  if (action === 'revoke' || before?.status === 'revoked') return { ...base, status: 'revoked', suspendedUntil: null };
  const earlier = before?.status === 'suspended' ? (before.suspendedUntil ?? 0) : 0;
  return { ...base, status: 'suspended', suspendedUntil: Math.max(now + (durationMs ?? 0), earlier) };
}

/** What a mesh says of a subject. */
export interface MeshStanding {
  readonly subject: string;
  readonly status: Status;
  readonly reason: string | null;
  readonly by: string | null;
  /** RFC 3339. */
  readonly changedAt: string | null;
  readonly suspendedUntil: string | null;
  readonly version: number;
  /** Those who stand above it: its principal, the text of a key that was named by its id, and everyone. */
  readonly above: readonly MeshStanding[];
  /** Ids of the keys of its passport in force that are stopped: what they sign is refused, however it stands itself. */
  readonly stoppedKeys: readonly string[];
  /** True where the mesh has a standing, a passport or a registration of it. */
  readonly known: boolean;
  /** How old this is by the server that said it, ms: 0 of now; null where it cannot say, or the mesh has gone on elsewhere. */
  readonly ageMs: number | null;
}

/** What the first endpoint says that answers. */
export async function askStanding(lines: readonly MeshEndpoint[], subject: string): Promise<MeshStanding> {
  const target = `/v1/mesh/status/${encodeURIComponent(subject)}`;
  return askFirst(lines, { method: 'GET', target, timeoutMs: ANSWER_MS }, (answer) => standingOf(answer, subject));
}

const STANDING = ['agent_id', 'status', 'reason', 'revoked_by', 'changed_at', 'suspended_until', 'version'] as const;

function standingOf(answer: JsonObject, subject: string): MeshStanding {
  const own = partOf('SubjectStatus', answer, [...STANDING, 'above'], ['stopped_keys', 'known', 'age_ms']);
  requireAsked(own, { agent_id: subject });
  const { version, above, stopped_keys = [], known = false, age_ms = 0 } = own;
  return {
    ...standingIn(own),
    above: above.map(standingIn),
    stoppedKeys: stopped_keys.map(({ key_id }) => key_id),
    known: version > 0 || known,
    ageMs: age_ms,
  };
}

function standingIn(told: Pick<ValueOf<(typeof SCHEMAS)['SubjectStatus']>, (typeof STANDING)[number]>): MeshStanding {
  const { agent_id, status, reason, revoked_by, changed_at, suspended_until, version } = told;
  return {
    ...{ subject: agent_id, status, reason, by: revoked_by, changedAt: changed_at, suspendedUntil: suspended_until },
    version,
    above: [],
    stoppedKeys: [],
    known: version > 0,
    ageMs: 0,
  };
}
