/** What holds for a subject, all that stands above it included. */
import { statusAt, type Status } from '../../mesh/standing.js';
import { EVERYONE, principalOf, scopeOf } from '../../mesh/subject.js';
import { formatTime } from '../../protocol/time.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { passportIn } from '../../protocol/passport.js';
import { proofAge, standingTime, type MeshCopy } from '../ports/mesh.js';
import type { State } from '../ports/state.js';
import type { MeshStanding } from './orders.js';

/** As `aip status --json` prints it. */
export interface HeldStanding {
  readonly agent_id: string;
  readonly status: Status;
  /** Who is denied: the subject itself, its principal, or `*`; null while none of them is. */
  readonly denied_by: string | null;
  readonly reason: string | null;
  readonly revoked_by: string | null;
  /** RFC 3339. */
  readonly changed_at: string | null;
  readonly suspended_until: string | null;
  /** Of the subject's own standing. */
  readonly version: number;
  readonly source: 'mesh' | 'this machine';
  /** Since this machine's copy was last proven current, in ms; of the mesh, since its server was: 0 of now; null when never or without a mesh. */
  readonly age_ms: number | null;
}

/** Subject, principal or text of the key, everyone: in the order in which verification asks. */
function chainOf(subject: string, keyText: string | null): string[] {
  const own = scopeOf(subject) === 'agent' ? principalOf(subject) : keyText;
  const above = own === null ? [EVERYONE] : [own, EVERYONE];
  return [...new Set([subject, ...above])];
}

/** What this machine knows. `keyText`: of a key that is named by its id. */
export function knownHere(
  copy: Pick<MeshCopy, 'standing' | 'provenAt' | 'note'>,
  subject: string,
  now: number,
  mesh: boolean,
  keyText: string | null = null,
): HeldStanding {
  const at = standingTime(copy, now);
  const standings = chainOf(subject, keyText).map((each) => ({ each, standing: copy.standing(each) }));
  const denied = standings.find(({ standing }) => statusAt(standing, at) !== 'active');
  const shown = denied?.standing ?? standings[0]!.standing;
  return {
    agent_id: subject,
    status: statusAt(denied?.standing ?? null, at),
    denied_by: denied?.each ?? null,
    reason: shown?.reason ?? null,
    revoked_by: shown?.changedBy ?? null,
    changed_at: shown === null ? null : formatTime(shown.changedAt),
    suspended_until: shown?.suspendedUntil == null ? null : formatTime(shown.suspendedUntil),
    version: standings[0]!.standing?.version ?? 0,
    source: 'this machine',
    age_ms: mesh ? proofAge(copy, now) : null,
  };
}

/** Ids of the keys of an agent's passport that are stopped as far as this machine knows: what they sign is refused here. */
export function stoppedKeysHere(
  state: Pick<State, 'passport'>,
  copy: Pick<MeshCopy, 'standing' | 'note'>,
  agent: string,
  now: number,
): readonly string[] {
  const known = state.passport(agent);
  const passport = known === null ? null : passportIn(known.text);
  const keys = passport === null ? [] : [passport.currentKey, ...passport.previousKeys];
  return keys
    .filter(({ validUntil }) => validUntil === null || validUntil > now)
    .filter(({ key }) => statusAt(copy.standing(formatPublicKey(key.publicKey)), standingTime(copy, now)) !== 'active')
    .map(({ keyId }) => keyId);
}

/** How an agent stands, as reports show it. */
export interface ReportedStanding extends Omit<HeldStanding, 'agent_id' | 'version'> {
  /** Who says so: what the mesh told this machine, or a word that was given on this machine alone. */
  readonly source: 'mesh' | 'this machine';
}

/** How an agent stands as far as this machine knows; `mesh`: whether it belongs to one. Sends nothing. */
export function standingReported(
  copy: Pick<MeshCopy, 'standing' | 'provenAt' | 'local' | 'note'>,
  agent: string,
  now: number,
  mesh: boolean,
): ReportedStanding {
  const { agent_id, version: _, ...held } = knownHere(copy, agent, now, mesh);
  const local = copy.local(held.denied_by ?? agent_id);
  const here =
    statusAt(local, standingTime(copy, now)) === held.status &&
    held.changed_at === (local === null ? null : formatTime(local.changedAt));
  return { ...held, source: !mesh || (held.denied_by !== null && here) ? 'this machine' : 'mesh' };
}

/** What the mesh says, unless this machine alone denies. */
export function standingInForce(
  own: MeshStanding,
  copy: Pick<MeshCopy, 'local' | 'kept' | 'standing' | 'provenAt' | 'note'>,
  now: number,
  keyText: string | null = null,
): HeldStanding {
  const denied = [own, ...own.above].find(({ status }) => status !== 'active');
  const here = chainOf(own.subject, keyText).some((each) =>
    [copy.local(each), copy.kept(each)].some((standing) => statusAt(standing, standingTime(copy, now)) !== 'active'),
  );
  if (denied === undefined && here) return knownHere(copy, own.subject, now, true, keyText);
  const shown = denied ?? own;
  return {
    agent_id: own.subject,
    status: shown.status,
    denied_by: denied?.subject ?? null,
    reason: shown.reason,
    revoked_by: shown.by,
    changed_at: shown.changedAt,
    suspended_until: shown.suspendedUntil,
    version: own.version,
    source: 'mesh',
    age_ms: own.ageMs,
  };
}
