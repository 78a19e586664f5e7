/** Whether a data folder is one that was never served: only then may a log begin for it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';

/** What a restore, or a return of an old home, moved aside. */
const ASIDE = /^mesh\.db\.before-[0-9a-f]+$/;
/**
 * What no folder has before its first start: what was moved aside, a restore that was under way, the link to a store elsewhere, the logs
 * beside a store, the first admin's key, and the snapshot of a region.
 */
const TRACES = [ASIDE, /^mesh\.db\.restoring/, /^mesh\.db$/, /^shipped\.db$/, /^admin\.key$/, /^snapshot\.ndjson$/];

/** The first start makes it after the store: one that is there before was placed by hand, or its store is lost or elsewhere. */
const KEY = 'mesh.key';

/**
 * Refuses a folder that had a store, or has a key without one: an empty log under the same key would let every agent act that was
 * revoked. `newLog`: the key was placed there for a mesh that has no log yet. @throws Failure STATE
 */
export function requireFirstStart(folder: string, newLog: boolean): void {
  // Before the store is looked for: a first start at the same time makes the store first, and the rest beside it.
  const names = readdirSync(folder);
  const path = join(folder, 'mesh.db');
  if (existsSync(path)) return;
  const trace = traceIn(names);
  if (trace === null && names.includes(KEY) && !newLog)
    throw new Failure('STATE', `${folder} holds the key of a mesh, and no store. Nothing was changed.`, {
      hint: `${hint(folder, names)}; where nothing was ever signed with that key: --new-log`,
    });
  if (trace === null) return;
  const seen = join(folder, trace);
  const why = trace === 'mesh.db' ? 'is a link that leads nowhere' : `is gone, and ${seen} shows that it was there`;
  throw new Failure('STATE', `The mesh store ${path} ${why}. Nothing was changed.`, { hint: hint(folder, names) });
}

/** The first thing in a folder that no first start finds there; null where there is none. */
function traceIn(names: readonly string[]): string | null {
  return TRACES.flatMap((each) => names.filter((name) => each.test(name)))[0] ?? null;
}

/**
 * The same of a database that holds no log: it is another one than meant, or has lost it. `newLog` may stand in the command line of a
 * service for good, so that it begins nothing where the folder shows that the key was served. @throws Failure STATE
 */
export function requireNewLog(folder: string, newLog: boolean): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const trace = traceIn(names);
  if (!names.includes(KEY) || (newLog && trace === null)) return;
  const back = names.includes('mesh.db')
    ? `aip mesh migrate --from ${shellWord(folder)} --to <url> copies the log of the folder into it`
    : 'name the database that holds it (--store, AIP_MESH_STORE), or restore that from a backup';
  const anew = trace === null ? '; where nothing was ever signed with that key: --new-log' : '';
  throw new Failure('STATE', `The database holds no mesh, and ${folder} holds the key of one. Nothing was changed.`, {
    hint: `${back}${anew}`,
  });
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
  const aside = movedAside(folder, names);
  if (aside === null) return null;
  return (aside.wal === 'aside' ? ['', '-wal'] : [''])
    .map((end) => `mv ${shellWord(join(folder, aside.name + end))} ${shellWord(join(folder, `mesh.db${end}`))}`)
    .join(' && ');
}

/** What stands in a folder in place of its store, because a restore or a return of an old home was broken off. */
export interface MovedAside {
  /** The name of the store's file. */
  readonly name: string;
  /** Where its write-ahead log is: beside it, still under the name that it had, or nowhere. */
  readonly wal: 'aside' | 'stayed' | null;
}

/** What was moved aside last; null where nothing was, or a write-ahead log is there that may be of another store. */
export function movedAside(folder: string, names: readonly string[] = readdirSync(folder)): MovedAside | null {
  const name = names
    .filter((each) => ASIDE.test(each))
    .map((each) => ({ each, at: statSync(join(folder, each)).ctimeMs }))
    .sort((a, b) => b.at - a.at)[0]?.each;
  if (name === undefined) return null;
  const walIsAside = names.includes(`${name}-wal`);
  if (!names.includes('mesh.db-wal')) return { name, wal: walIsAside ? 'aside' : null };
  // A write-ahead log that stayed is of what was moved only where a restore ended between the two: another one would spoil it.
  return walIsAside || !names.includes('mesh.db.restoring') ? null : { name, wal: 'stayed' };
}
