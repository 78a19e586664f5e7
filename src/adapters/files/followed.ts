/** Paths as the system sees them. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, sep } from 'node:path';

/** What leads elsewhere for every process: its working folder, its root, what it has open. */
const OF_A_PROCESS = /^\/proc\/[^/]+(?:\/task\/[^/]+)?\/(?:cwd|root|exe|(?:fd|map_files)\/[^/]+)$/;

/** As many links as a system follows at most. */
const MOST_LINKS = 64;

/**
 * An absolute `path` with links followed, one name after the other: a step up leaves the folder that a link leads to, not the one that it
 * stands in. What does not exist yet is kept as it is written, also where a link leads to it; so is everything from a link of a process on,
 * which leads this one elsewhere than the one that asks.
 */
export function followed(path: string): string {
  if (!isAbsolute(path)) return path;
  let at = parse(path).root;
  const ahead = namesIn(path);
  let links = 0;
  // The names below a folder that is missing need not be looked for.
  let missing: string | null = null;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (at === missing) missing = null;
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    if (OF_A_PROCESS.test(next)) return [next, ...ahead.toReversed()].join('/');
    const target = missing === null ? linkAt(next) : null;
    if (target === undefined) missing = next;
    at = typeof target === 'string' ? at : next;
    if (typeof target !== 'string') continue;
    links += 1;
    if (links > MOST_LINKS) return path;
    if (isAbsolute(target)) at = parse(target).root;
    ahead.push(...namesIn(target));
  }
  return at;
}

/** The names of a path after its root, the last one first. */
function namesIn(path: string): string[] {
  const names = path.slice(parse(path).root.length).split(sep === '\\' ? /[\\/]/ : sep);
  return names.toReversed();
}

/** Where a link leads to; null for what is no link, undefined for what is not there. */
function linkAt(path: string): string | null | undefined {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isSymbolicLink() === true ? readlinkSync(path) : found && null;
  } catch {
    return null;
  }
}
