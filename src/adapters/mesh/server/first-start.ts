/** Whether a data folder without a store is one that was never served: only then may a log begin in it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';

/** What a restore, or a return of an old home, moved aside. */
const ASIDE = /^mesh\.db\.before-[0-9a-f]+$/;
/**
 * What no folder has before its first start: what was moved aside, a restore that was under way, the link to a store elsewhere, the logs
 * beside a store, the first admin's key, and the snapshot of a region. `mesh.key` alone may be placed there by hand.
 */
const TRACES = [ASIDE, /^mesh\.db\.restoring/, /^mesh\.db$/, /^shipped\.db$/, /^admin\.key$/, /^snapshot\.ndjson$/];

/**
 * Refuses a folder that had a store: an empty log under the same key would let every agent act that was revoked. @throws Failure STATE
 */
export function requireFirstStart(folder: string): void {
  // Before the store is looked for: a first start at the same time makes the store first, and the rest beside it.
  const names = readdirSync(folder);
  const path = join(folder, 'mesh.db');
  if (existsSync(path)) return;
  const trace = TRACES.flatMap((each) => names.filter((name) => each.test(name)))[0];
  if (trace === undefined) return;
  const seen = join(folder, trace);
  const why = trace === 'mesh.db' ? 'is a link that leads nowhere' : `is gone, and ${seen} shows that it was there`;
  throw new Failure('STATE', `The mesh store ${path} ${why}. Nothing was changed.`, { hint: hint(folder, names) });
}

function hint(folder: string, names: readonly string[]): string {
  const restore = `aip mesh restore <backup> --data ${shellWord(folder)}`;
  const back = putBack(folder, names);
  if (back !== null) return `put back what was moved aside: ${back}; or a backup: ${restore}`;
  // The embedded store always has its logs beside it.
  return names.includes('shipped.db') ? restore : `${restore}; where a database holds the log: --store <url>`;
}

/** The command that puts back what was moved aside last, with its write-ahead log; null where nothing was. */
function putBack(folder: string, names: readonly string[]): string | null {
  const moved = names
    .filter((name) => ASIDE.test(name))
    .map((name) => ({ name, at: statSync(join(folder, name)).ctimeMs }))
    .sort((a, b) => b.at - a.at)[0]?.name;
  if (moved === undefined) return null;
  const walIsAside = names.includes(`${moved}-wal`);
  // A write-ahead log that stayed is of what was moved only where a restore ended between the two: another one would spoil it.
  if (names.includes('mesh.db-wal') && (walIsAside || !names.includes('mesh.db.restoring'))) return null;
  return (walIsAside ? ['', '-wal'] : [''])
    .map((end) => `mv ${shellWord(join(folder, moved + end))} ${shellWord(join(folder, `mesh.db${end}`))}`)
    .join(' && ');
}
