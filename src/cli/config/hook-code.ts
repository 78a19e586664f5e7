/** The code of hooks with everything it imports: what a digest of trusted config has to cover. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { sha256Hex } from '../../protocol/hash.js';

const MAX_FILES = 256;
const MAX_BYTES = 16 * 1024 * 1024;

/** `import ... from`, `export ... from`, `import '...'`, `import(...)` and `require(...)`; the argument of the last two as written. */
const STATIC = /\b(?:import|export)\b(?:[\s\w$*{},]*?\bfrom)?\s*(['"])([^'"\n]+)\1/g;
const CALLED = /\b(?:import|require)\s*\(\s*([^)]*?)\s*\)/g;

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
  for (const [, argument = ''] of text.matchAll(CALLED)) {
    const literal = /^(['"`])([^'"`$\n]+)\1$/.exec(argument)?.[2];
    if (literal === undefined) throw strange(path, 'imports what it computes');
    said.push(literal);
  }
  return said.flatMap((specifier) => {
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
