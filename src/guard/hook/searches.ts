/** Where a search of a coding agent begins: what it finds below, it shows. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { HookCall } from './call.js';
import { isWithin, LONGEST_PATH, pathReadings, unblanked } from './own-files.js';

/** Tools that go down into folders: through all of them, or where a pattern of names leads. Lists of one folder go nowhere. */
const SEARCHES: ReadonlyMap<string, 'all' | 'pattern'> = new Map([
  ...named('all', [
    'Grep',
    'grep',
    'rg',
    'grep_files',
    'grep_search',
    'search_file_content',
    'textSearch',
    'LS',
    'list_dir',
  ]),
  ...named('pattern', ['Glob', 'glob', 'file_search', 'fileSearch', 'read_many_files']),
]);

const FOLDERS: ReadonlySet<string> = new Set(['path', 'dir_path', 'directory', 'target_directory']);
/** What is looked for inside of files is no pattern of names. */
const EXPRESSIONS: ReadonlySet<string> = new Set(['pattern', 'query', 'regex']);
const MAGIC = /[*?[\]{}()!|]/;
const MOST_ALTERNATIVES = 64;
const MOST_BRACES = 1024;

/** The folders from which a search goes down, absolute, in every way that a tool may read them; none for other tools. */
export function searchedFolders({ tool, params, target, mcp }: HookCall, home: string): string[] {
  const reach = mcp === null ? SEARCHES.get(tool) : undefined;
  if (reach === undefined) return [];
  const members = Object.entries(params);
  const given = members.filter(([name]) => FOLDERS.has(name)).flatMap(([, value]) => textsBelow(value));
  const from = given.length > 0 ? given.flatMap((text) => [text, unblanked(text)]) : ['.'];
  const patterns = members
    .filter(([name]) => !FOLDERS.has(name) && !(reach === 'all' && EXPRESSIONS.has(name)))
    .flatMap(([, value]) => textsBelow(value));
  const starts = patterns.flatMap((pattern) => [...new Set(startsOf(pattern))]);
  const led = starts.flatMap((start) =>
    /^(?:[/\\~]|[A-Za-z]:|file:)/i.test(start) ? [start] : from.map((text) => `${text || '.'}/${start}`),
  );
  const texts = reach === 'all' || patterns.length === 0 ? [...from, ...led] : led;
  return [...new Set(texts)].flatMap((text) => pathReadings(text, target, home));
}

/** True where one of the `places` lies below `folder`. */
export function holdsOwn(folder: string, places: readonly string[]): boolean {
  return places.some((place) => isWithin(place, folder));
}

/** The folders in which a pattern of names begins: what stands before its first open name, less the steps up behind it. */
function startsOf(pattern: string): string[] {
  if (pattern.length > LONGEST_PATH) return ['/'];
  const spellings = [pattern, pattern.replaceAll('\\', ''), pattern.replaceAll('\\', '/')].map(unblanked);
  return spellings.flatMap(alternatives).map((path) => {
    // A mere name is looked for at any depth.
    if (!path.includes('/')) return path === '..' ? path : '.';
    const names = path.split('/');
    const open = names.findIndex((name) => MAGIC.test(name));
    if (open < 0) return path;
    const up =
      names
        .slice(open)
        .join('/')
        .match(/(?<![^/(|])\.\.(?![^/)|])/g) ?? [];
    const fixed = names.slice(0, open).join('/');
    return `${fixed || (open > 0 ? '/' : '.')}${'/..'.repeat(up.length)}`;
  });
}

/** `{a,b}` written out. Of more than can be looked at nothing is known: they begin anywhere. */
function alternatives(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  let steps = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = /\{([^{}]*)\}/.exec(next);
    if (braces === null) done.push(next);
    else {
      const [before, after] = [next.slice(0, braces.index), next.slice(braces.index + braces[0].length)];
      open.push(...braces[1]!.split(',').map((part) => `${before}${part}${after}`));
    }
    steps += 1;
    if (done.length + open.length > MOST_ALTERNATIVES || steps > MOST_BRACES) return ['/*'];
  }
  return done;
}

function textsBelow(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value as JsonObject).flatMap(textsBelow);
}

function named(reach: 'all' | 'pattern', tools: readonly string[]): [string, 'all' | 'pattern'][] {
  return tools.map((tool) => [tool, reach]);
}
