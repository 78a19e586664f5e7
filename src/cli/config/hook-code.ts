/** The code of hooks with everything it imports: what a digest of trusted config has to cover. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { sha256Hex } from '../../protocol/hash.js';

const MAX_FILES = 256;
const MAX_BYTES = 16 * 1024 * 1024;

/** White space and comments, which may stand between any two words. */
const GAP = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n\r\u2028\u2029]*[\n\r\u2028\u2029])*`;
const SPECIFIER = String.raw`(['"])((?:\\.|(?!\1)[^\\\n])*)\1`;
/** `import '...'`, and `from '...'` wherever it stands: what comes before it may be spelled in too many ways to be read. */
const STATIC = new RegExp(String.raw`\b(?:import|from)${GAP}${SPECIFIER}`, 'g');
/** `import(...)` and `require(...)`; the argument as written. */
const CALLED = new RegExp(String.raw`\b(?:import|require)${GAP}\(\s*([^)]*?)\s*\)`, 'g');
/** `require` under another name, by which it loads what is not seen here. */
const HANDED_ON = new RegExp(String.raw`[=(,:?[|&>]${GAP}require\b(?=[ \t]*(?:[;,)\]}\r\n]|/[/*]|$))`);
/** `import.defer(...)` and what may come; `import.meta` loads nothing. */
const PHASED = new RegExp(String.raw`\bimport${GAP}\.${GAP}(?!meta\b)`);
/** Modules of Node that load further code, under names that no reader of the text can know. */
const LOADERS: ReadonlySet<string> = new Set(['node:module', 'node:worker_threads']);

/** Path from `base` and hash of each file, in order of discovery; null for a hash where there is no file. */
export function codeOf(hooks: readonly string[], base: string): readonly (readonly [string, string | null])[] {
  const found = new Map<string, string | null>();
  const pending = [...hooks];
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    if (found.has(path)) continue;
    if (found.size >= MAX_FILES) throw new Failure('USAGE', `the hooks import more than ${MAX_FILES} files`);
    const text = readCode(path);
    found.set(path, text === null ? null : sha256Hex(text));
    if (text !== null) pending.push(...importsOf(path, text));
  }
  return [...found].map(([path, hash]) => [relative(base, path).replaceAll('\\', '/'), hash]);
}

/** The files that a module imports. Node's own modules cannot be displaced; packages can, and are refused. */
function importsOf(path: string, text: string): string[] {
  const said = [...text.matchAll(STATIC)].map((match) => match[2]!);
  if (PHASED.test(text)) throw strange(path, 'imports in a form that is not known here');
  if (HANDED_ON.test(text)) throw strange(path, 'hands on "require", and may import what is not seen');
  for (const [, argument = ''] of text.matchAll(CALLED)) {
    const literal = /^(['"`])([^'"`$\n]+)\1$/.exec(argument)?.[2];
    if (literal === undefined) throw strange(path, 'imports what it computes');
    said.push(literal);
  }
  return said.flatMap((specifier) => {
    // An escape could write any other file's name.
    if (specifier.includes('\\')) throw strange(path, 'imports under a name with escapes');
    if (LOADERS.has(specifier)) throw strange(path, `imports ${specifier}, which loads further code`);
    if (specifier.startsWith('node:')) return [];
    if (specifier.startsWith('./') || specifier.startsWith('../')) return [resolve(dirname(path), specifier)];
    throw strange(path, `imports "${specifier.slice(0, 80)}"`);
  });
}

function readCode(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return null;
  if (found.size > MAX_BYTES) throw new Failure('USAGE', `the hook ${path} is larger than ${MAX_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

function strange(path: string, what: string): Failure {
  return new Failure('USAGE', `the hook ${path} ${what}; hooks of a project import relative files only`, {
    hint: 'bundle the hook with what it needs into one file, or name it in the config of the home',
  });
}
