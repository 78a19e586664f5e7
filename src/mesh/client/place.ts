/** Where a copy that several processes write to stands, seen from a process that is about to write its next change. */
import type { Head } from '../log/head.js';

/** Where the written copy stands, seen from a change of this process. */
export type CopyPlace =
  /** Where the change begins, or on the way that it goes: it may be written. */
  | 'here'
  /** Another process has written this change and more. */
  | 'ahead'
  /** On another way: to write over it could take back what it knows. */
  | 'elsewhere';

/** From where to where a change of the copy leads, event by event. */
export interface CopyStep {
  /** What this process knows to be written; null before it has read or written a copy. */
  readonly from: Head | null;
  readonly position: Head;
  /** The events on the way, in order; none where a snapshot was taken up. */
  readonly events: readonly { readonly seq: number; readonly hash: string }[];
  /** A snapshot takes the place of everything. */
  readonly whole: boolean;
}

/** `file`: how far the copy is, null where there is none that is whole. */
export function copyPlace(file: Head | null, { from, position, events, whole }: CopyStep): CopyPlace {
  if (file === null) return whole ? 'here' : 'elsewhere';
  if (from !== null && isSame(file, from)) return 'here';
  if (isSame(file, position)) return 'here';
  if (whole || file.logId !== position.logId) return 'elsewhere';
  if (file.seq > position.seq) return 'ahead';
  return events.some(({ seq, hash }) => seq === file.seq && hash === file.hash) ? 'here' : 'elsewhere';
}

/** True for the same place of the same log. */
export function isSame(one: Head, other: Head): boolean {
  return one.logId === other.logId && one.seq === other.seq && one.hash === other.hash;
}
