/** What the use cases of the mesh need from the outside world. */
import type { Head } from '../../mesh/log/head.js';
import type { KeptDeny } from '../../mesh/client/copy.js';
import type { CopyPlace, CopyStep } from '../../mesh/client/place.js';
import type { PassportMark } from '../../mesh/passports.js';
import type { Standing } from '../../mesh/standing.js';
import type { Freshness } from '../../verify/context.js';
import { isPlainElsewhere } from '../../protocol/web-url.js';
import { Failure } from '../failure.js';

/** This machine's copy of the mesh's state, shared by all of its processes. */
export interface MeshCopy {
  /** What is kept, or null when there is nothing, or nothing that is whole: then the mesh is asked for all of it. */
  load(): KeptCopy | null;
  /**
   * Keeps a change, all of it or nothing. Another process may have written meanwhile: `ahead` when it has written the same and more,
   * `elsewhere` when the copy must be loaded anew before anything is written.
   */
  save(change: CopyChange): CopyPlace;
  /** Keeps that the copy at `position` was proven current at `wall`, in ms since the epoch. Answers where the copy is; elsewhere, nothing is kept. */
  prove(wall: number, position: Head): Head | null;
  /** When the copy was last proven current, in ms since the epoch; null when it never was. */
  provenAt(): number | null;
  /** Puts a deny or its end in force on this machine, beside whatever the mesh says. */
  setLocal(standing: Standing): void;
  /** What was set on this machine alone; null when nothing was. */
  local(subject: string): Standing | null;
  /** A deny of a history that the mesh no longer tells, in force here until it is reinstated; null when there is none. */
  kept(subject: string): Standing | null;
  /**
   * Puts a deny in force that the mesh has acknowledged and this copy has not applied yet; the fold takes over at `until`. A copy that is
   * that far already is left as it is.
   */
  anticipate(deny: KeptDeny): void;
  /** The standing in force of every subject that is revoked or suspended, also of a suspension that has run out. */
  stopped(): readonly Standing[];
  /** The standing in force: the strongest of what the mesh says, what must not be forgotten, and what was set here. */
  standing(subject: string): Standing | null;
  /** A small fact about this copy by name, shared by all processes of the machine; null when there is none. */
  note(name: string): string | null;
  setNote(name: string, value: string | null): void;
  /** The passports that the mesh demands: their documents may be missing here. */
  passportMarks(): readonly PassportMark[];
  close(): void;
}

/** `whole`: these are all standings, others are gone. */
export interface CopyChange extends CopyStep {
  readonly standings: readonly Standing[];
  /** Passports that the mesh has put in force since; with `whole`, all that are. */
  readonly passports: readonly PassportMark[];
  /** False where the mesh could tell of none, being of the first version. */
  readonly tellsPassports: boolean;
  /** All denies beside the fold, as this process knows them. */
  readonly kept: readonly KeptDeny[];
  /** The same before this change. */
  readonly keptBefore: readonly KeptDeny[];
}

/** What a machine keeps of the mesh between runs: how far it has read, who is denied, and since when. */
export interface KeptCopy {
  readonly position: Head;
  readonly standings: readonly Standing[];
  readonly kept: readonly KeptDeny[];
  /** False of a copy that an earlier version made, which was told of no passport. */
  readonly knowsPassports: boolean;
}

/** A request to the mesh. */
export interface MeshCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path, and a query where there is one. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** ms until the whole answer must be here. */
  readonly timeoutMs: number;
}

/** What became of one request to the mesh. */
export type MeshReply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** `sent`: the request may have arrived, so whether it was carried out is unknown. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly sent: boolean };

/** The mesh as one asks it: never rejects for what the network does. */
export interface MeshEndpoint {
  /** What is asked, for messages. */
  readonly url: string;
  ask(call: MeshCall): Promise<MeshReply>;
}

/** The note that says what people chose to call this machine. */
export const MACHINE_LABEL = 'label';

/** The note that says how far this machine's clock is ahead of the mesh's, in ms. */
const CLOCK_AHEAD = 'clock.ahead';

/** How old the last proof is, in ms; null when there was none, or it is ahead of `now`: the clock was set back, and nobody knows. */
export function proofAge(copy: Pick<MeshCopy, 'provenAt'>, now: number): number | null {
  const provenAt = copy.provenAt();
  return provenAt === null || provenAt > now ? null : now - provenAt;
}

/** How far this machine's clock is ahead of the mesh's, in ms; null where it was never heard. */
export function clockAhead(copy: Pick<MeshCopy, 'note'>): number | null {
  const text = copy.note(CLOCK_AHEAD);
  return text === null ? null : Number(text);
}

/**
 * The clock that suspensions end by (protocol, section 4), in ms since the epoch, where this machine's says `now`: the mesh's where this one is
 * ahead of it, so that a fast clock ends none early.
 */
export function standingTime(copy: Pick<MeshCopy, 'note'>, now: number): number {
  return now - Math.max(0, clockAhead(copy) ?? 0);
}

/** Forgets the clock of a mesh that this machine has left. */
export function forgetClock(copy: Pick<MeshCopy, 'setNote'>): void {
  copy.setNote(CLOCK_AHEAD, null);
}

/** Writes that down when it has changed by more than clocks drift, not with every heartbeat. */
export function noteClock(copy: Pick<MeshCopy, 'note' | 'setNote'>, aheadMs: number): void {
  const known = clockAhead(copy);
  if (known === null || Math.abs(known - aheadMs) > 2_000) copy.setNote(CLOCK_AHEAD, String(Math.round(aheadMs)));
}

/** How current a copy is, with what is written down about that. */
export function copyFreshness(
  copy: Pick<MeshCopy, 'note'>,
  known: Omit<Freshness, 'mesh' | 'clockAheadMs' | 'keyRefused'>,
): Freshness {
  const stale = known.ageMs === null || known.ageMs > known.maxAgeMs;
  const refused = stale && isKeyRefused(copy) ? { keyRefused: true } : {};
  return { mesh: true, ...known, ...refused, clockAheadMs: clockAhead(copy) };
}

const LEFT = 'left';
const UNCOUNTED = 'uncounted';
const KEY_REFUSED = 'key.refused';

/** True once the process that followed for this machine has said that it stops, until one follows again. */
export function hasLeft(copy: Pick<MeshCopy, 'note'>): boolean {
  return copy.note(LEFT) !== null;
}

/** Writes down that the process stops that follows for this machine. */
export function noteLeft(copy: Pick<MeshCopy, 'setNote'>, now: number): void {
  copy.setNote(LEFT, String(now));
}

/** True where the mesh does not miss this machine: its copy proves nothing without an answer of the mesh. */
export function isUnmissed(copy: Pick<MeshCopy, 'note'>): boolean {
  return hasLeft(copy) || copy.note(UNCOUNTED) !== null;
}

/** Writes down that the mesh has no room for this machine on its roster, or has again. */
export function noteCounted(copy: Pick<MeshCopy, 'note' | 'setNote'>, counted: boolean, now: number): void {
  if ((copy.note(UNCOUNTED) === null) !== counted) copy.setNote(UNCOUNTED, counted ? null : String(now));
}

/** True where the mesh has refused this machine's API key, and has proven nothing since. */
export function isKeyRefused(copy: Pick<MeshCopy, 'note'>): boolean {
  return copy.note(KEY_REFUSED) !== null;
}

/** Writes down that the mesh refuses this machine's API key (`now`, ms since the epoch), or does not: null. */
export function noteKeyRefused(copy: Pick<MeshCopy, 'note' | 'setNote'>, now: number | null): void {
  if (isKeyRefused(copy) !== (now !== null)) copy.setNote(KEY_REFUSED, now === null ? null : String(now));
}

/** Writes down that a process follows the mesh for this machine. */
export function noteFollowing(copy: Pick<MeshCopy, 'note' | 'setNote'>): void {
  for (const name of [LEFT, UNCOUNTED]) if (copy.note(name) !== null) copy.setNote(name, null);
}

/** Refuses to send an API key to `url` in the clear, unless that is `permitted`. @throws Failure USAGE */
export function refusePlainHttp(url: string, permitted: boolean): void {
  if (permitted || !isPlainElsewhere(url)) return;
  throw new Failure(
    'USAGE',
    `${new URL(url).origin} is plain http: the API key and every event would cross the network readable.`,
    {
      hint: 'use https; or, inside a network that you trust: aip mesh join --insecure-http, or mesh.insecure_http: true (AIP_MESH_INSECURE_HTTP=true)',
    },
  );
}
