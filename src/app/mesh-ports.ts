/** What the use cases of the mesh need from the outside world. */
import type { Head } from '../mesh/head.js';
import type { KeptDeny } from '../mesh/client/copy.js';
import type { Standing } from '../mesh/standing.js';

/** This machine's copy of the mesh's state, shared by all of its processes. */
export interface MeshCopy {
  /** What is kept, or null when there is nothing, or nothing that is whole: then the mesh is asked for all of it. */
  load(): KeptCopy | null;
  /** Keeps a change, all of it or nothing. `whole`: these are all standings, others are gone. */
  save(change: CopyChange): void;
  /** Keeps that the copy was proven current at `wall`, in ms since the epoch. */
  prove(wall: number): void;
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
  /** The standing in force: the strongest of what the mesh says, what must not be forgotten, and what was set here. */
  standing(subject: string): Standing | null;
  close(): void;
}

export interface CopyChange {
  readonly position: Head;
  readonly whole: boolean;
  readonly standings: readonly Standing[];
  /** All denies beside the fold. */
  readonly kept: readonly KeptDeny[];
}

export interface KeptCopy {
  readonly position: Head;
  readonly standings: readonly Standing[];
  readonly kept: readonly KeptDeny[];
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

export type MeshReply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** `sent`: the request may have arrived, so whether it was carried out is unknown. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly sent: boolean };

/** The mesh as one asks it: never rejects for what the network does. */
export interface MeshLine {
  /** What is asked, for messages. */
  readonly url: string;
  ask(call: MeshCall): Promise<MeshReply>;
}
