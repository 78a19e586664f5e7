/** Everything that is stopped, for people. */
import type { Stopped } from '../../app/mesh/stopped.js';
import { EVERYONE } from '../../mesh/subject.js';
import type { Paint } from './terminal/paint.js';
import { provenText } from '../../protocol/time.js';
import { atServer, isOfNow } from './standing.js';
import { clean } from './terminal/text.js';

export interface StoppedList {
  readonly source: 'mesh' | 'this machine';
  /** Of the mesh, as of a standing; else since the copy here was last proven current, in ms; null when never or without a mesh. */
  readonly age_ms: number | null;
  readonly stopped: readonly Stopped[];
}

/** A block a subject, ids whole; what differs names the command that repairs it. `mesh`: this machine belongs to one. */
export function renderStopped({ source, age_ms, stopped }: StoppedList, mesh: boolean, paint: Paint): string {
  const where =
    source === 'mesh'
      ? isOfNow(age_ms)
        ? 'the mesh'
        : `the mesh, ${atServer(age_ms)}`
      : mesh
        ? `this machine, whose copy of the mesh was ${provenText(age_ms)}`
        : 'this machine, which belongs to no mesh';
  if (stopped.length === 0) return `Nothing is stopped, says ${where}.`;
  const blocks = stopped.map((each) => {
    const { subject, status, reason, by, since, until, repair } = each;
    const who = subject === EVERYONE ? 'every agent' : clean(subject);
    const named = each.key_ids.length === 0 ? '' : ` (${clean(each.key_ids.join(', '))})`;
    const end = status === 'suspended' && until !== null ? ` until ${until}` : '';
    const lines = [
      `${paint.red(paint.bold(status.toUpperCase()))} ${paint.bold(who)}${named}${end}`,
      `  ${since === null ? 'since when is not known' : `since ${since}`}${by === null ? '' : ` by ${clean(by)}`}: ${clean(reason ?? 'no reason given')}`,
    ];
    if (repair !== null)
      lines.push(
        `  ${paint.yellow('differs')}: ${each.mesh} on the mesh, ${each.here} here; to repair: ${clean(repair)}`,
      );
    return lines.join('\n');
  });
  // What only this machine denies is nothing that the mesh says.
  const alone = stopped.filter((each) => each.mesh === 'active').length;
  const told = stopped.length - alone;
  const rest = alone === 0 ? '' : `${told === 0 ? '' : `; ${alone} more`} on this machine alone`;
  const total = told === 0 && alone > 0 ? `${alone} stopped${rest}` : `${told} stopped, says ${where}${rest}`;
  return [...blocks, '', `${total}.`].join('\n');
}
