/** How this machine listens: as which verifier, and what is written down when it stops. */
import { MACHINE_LABEL, noteLeft, type MeshCopy } from '../../app/ports/mesh.js';
import { writeLeaving, type ListeningVerifier, type OnStale } from '../../mesh/roster/member.js';
import { parseApiKey } from '../../mesh/access/api-key.js';
import { VERSION } from '../version.js';
import type { MeshAccess } from './access.js';
import { machineKey, meshLines } from '../../workspace/mesh.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

const DAY_MS = 24 * 3_600_000;
/** Policies are written down at most this often, in ms: every verification reports its own. */
const NOTE_MS = 3_600_000;
const LOOSE = 'policy.last-known';
const LONGEST = 'policy.max-age';
const DEPARTED = 'departed';
const INTRODUCED = 'introduced';

/** This machine as the mesh is told of it: by its own key, with the loosest policy that decided here within a day. */
export async function listeningVerifier(cli: Scene, copy: Pick<MeshCopy, 'note'>): Promise<ListeningVerifier> {
  const config = await cli.config();
  const now = cli.io.now();
  const { key, host } = await machineKey(cli.workspace);
  const loose = Number(copy.note(LOOSE) ?? 0) > now - DAY_MS;
  const [longest = 0, at = 0] = (copy.note(LONGEST) ?? '').split('@').map(Number);
  return {
    key,
    host,
    label: copy.note(MACHINE_LABEL),
    program: VERSION,
    onStale: loose ? 'last-known' : config.get('revocation.on_stale'),
    maxAgeMs: Math.max(config.get('revocation.max_age'), at > now - DAY_MS ? longest : 0),
  };
}

/** Writes down by which policy this home decides, for what is said of it to the mesh. */
export function notePolicy(
  copy: Pick<MeshCopy, 'note' | 'setNote'>,
  onStale: OnStale,
  maxAgeMs: number,
  now: number,
): void {
  if (onStale === 'last-known' && !(Number(copy.note(LOOSE) ?? 0) > now - NOTE_MS)) copy.setNote(LOOSE, String(now));
  const [longest = 0, at = 0] = (copy.note(LONGEST) ?? '').split('@').map(Number);
  const due = maxAgeMs > longest || at <= now - DAY_MS || (maxAgeMs === longest && at <= now - NOTE_MS);
  if (due) copy.setNote(LONGEST, `${maxAgeMs}@${now}`);
}

/** Writes down what people call this machine, for everything here that speaks with the mesh; null leaves it to the API key and the host. */
export function nameMachine(copy: Pick<MeshCopy, 'note' | 'setNote'>, label: string | null): void {
  if (copy.note(MACHINE_LABEL) !== label) copy.setNote(MACHINE_LABEL, label);
}

/** True where a decision of this machine has asked the mesh before, or somebody followed: it was told who decides here. */
export function isIntroduced(copy: Pick<MeshCopy, 'note'>): boolean {
  return copy.note(INTRODUCED) !== null;
}

/** Writes that down; `now` is null for a machine that begins anew, with another API key. */
export function notesIntroduced(copy: Pick<MeshCopy, 'note' | 'setNote'>, now: number | null): void {
  if (isIntroduced(copy) !== (now !== null)) copy.setNote(INTRODUCED, now === null ? null : String(now));
}

/** Writes down that this machine has left its mesh, for a follower that still runs here. */
export function departs(copy: Pick<MeshCopy, 'setNote'>, now: number): void {
  copy.setNote(DEPARTED, String(now));
}

/** True where this machine has left its mesh since the follower began. */
export function hasDeparted(copy: Pick<MeshCopy, 'note'>): boolean {
  return copy.note(DEPARTED) !== null;
}

/** A machine that begins to follow is in the mesh again. */
export function arrives(copy: Pick<MeshCopy, 'note' | 'setNote'>): void {
  if (hasDeparted(copy)) copy.setNote(DEPARTED, null);
}

/** Says that this machine stops listening: written here first, so that nothing is decided on a copy that the mesh no longer counts. */
export async function announceLeaving(
  cli: Scene,
  access: MeshAccess,
  apiKey: string,
  copy: MeshCopy,
): Promise<boolean> {
  noteLeft(copy, cli.io.now());
  const { key } = await machineKey(cli.workspace);
  const body = Buffer.from(JSON.stringify(writeLeaving(key, parseApiKey(apiKey)?.keyId ?? '')));
  for (const line of await meshLines(cli.workspace, access, apiKey)) {
    const reply = await line.ask({ method: 'POST', target: '/v1/mesh/leave', body, timeoutMs: 1_500 });
    // One that never listened is not on the roster.
    if (reply.kind === 'answered') return reply.status === 200 || reply.status === 404;
  }
  return false;
}
