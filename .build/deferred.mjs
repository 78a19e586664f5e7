/**
 * A bundle in two scripts: the modules that a plain run of its command reaches, and the rest, which is read when one of those imports
 * from it. Every function of a script costs a start time, also one that nobody calls.
 *
 * They require each other's modules: the first `deferred:<source or package>` of the rest, both `held:<source>` of the first.
 * `src/cli/boot/program.ts` gives them.
 */
import { build } from 'esbuild';
import { join, relative, sep } from 'node:path';
import { root } from './parts.mjs';

const sourceOf = (path) => relative(root, path).replaceAll(sep, '/');

/**
 * Builds `target`, a script in the form of `SCRIPT`, into `out`, and the rest beside it (`-rest`). The first script holds what the sources
 * `plain` reach without an `import()`.
 */
export async function buildDeferred(target, plain, out) {
  const imported = new Set();
  const held = await sourcesFrom({ ...target, plugins: [between(new Set(), imported), ...target.plugins] }, plain);
  const deferred = [...imported].filter((source) => !held.has(source)).sort();
  const [name] = Object.keys(target.entryPoints);
  const script = (ending, contents, more) =>
    build({
      ...target,
      entryPoints: undefined,
      stdin: { contents, resolveDir: root },
      outfile: join(out, `${name}${ending}.cjs`),
      ...more,
    });
  const rest = {
    plugins: [taking(held), ...target.plugins],
    external: [...target.external, 'held:*'],
  };
  const taken = namesIn(await script('-rest', deferring(deferred), { ...rest, ...UNBOUND }));
  await script('-rest', deferring(deferred), rest);
  for (const source of imported) if (held.has(source)) taken.set(source, null);
  await script('', holding(plain, taken), { plugins: [between(held, imported), ...target.plugins] });
}

/**
 * Leaves out what is imported by `import()`, and adds it to `imported`. Also what this script holds itself: a module that may be made later
 * would stand in a function, with all that it imports.
 */
function between(held, imported) {
  return {
    name: 'between',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === ASKED) return undefined;
        const resolved = await builder.resolve(path, { kind, importer, resolveDir, pluginData: ASKED });
        if (resolved.external) return resolved;
        const source = path.startsWith('.') ? sourceOf(resolved.path) : path;
        imported.add(source);
        return { path: `${held.has(source) ? 'held' : 'deferred'}:${source}`, external: true };
      });
    },
  };
}
/** Marks what a plugin asks to be resolved itself. */
const ASKED = {};

/** The sources of this package that a bundle of these holds. */
async function sourcesFrom(target, sources) {
  const entryPoints = sources.map((source) => join(root, source));
  const { metafile } = await build({ ...target, entryPoints, outdir: root, metafile: true, write: false });
  return new Set(Object.keys(metafile.inputs).filter((path) => path.startsWith('src/')));
}

/** Puts `held:` before what the first script holds. */
function taking(held) {
  return {
    name: 'taking',
    setup(builder) {
      builder.onResolve({ filter: /^\./ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
        if (pluginData === ASKED) return undefined;
        const found = await builder.resolve(path, { kind, importer, resolveDir, pluginData: ASKED });
        const source = sourceOf(found.path);
        return held.has(source) ? { path: `held:${source}`, external: true } : found;
      });
    },
  };
}

/** As a module, whose imports say by name what is taken. */
const UNBOUND = { format: 'esm', supported: {}, banner: undefined, footer: undefined, minify: false, write: false };

/** The names that are taken of each held source; null for all, as an object. */
function namesIn({ outputFiles }) {
  const { text } = outputFiles[0];
  const taken = new Map();
  for (const [, names, source] of text.matchAll(/^import \{([^}]*)\} from "held:([^"]*)";$/gm))
    taken.set(source, [...(taken.get(source) ?? []), ...names.split(',').map((name) => name.trim().split(' as ')[0])]);
  for (const [, source] of text.matchAll(/(?:\* as \w+ from|import\() ?"held:([^"]*)"/g)) taken.set(source, null);
  for (const [, source] of text.matchAll(/"held:([^"]*)"/g))
    if (!taken.has(source)) throw new Error(`what is taken of ${source} is written in a way that is not read here`);
  return taken;
}

/** The entry of the rest. */
function deferring(sources) {
  const members = sources.map(
    (source) => `'${source}': () => require('${source.startsWith('src/') ? './' : ''}${source}')`,
  );
  return `export const deferred = {${members.join(',')}};`;
}

/** The entry of the first script: it exports what its first source does, and `held`. */
function holding(plain, taken) {
  const imports = plain.map((source) => `import './${source}';`);
  const cases = [...taken].map(([source, names], at) => {
    if (names === null) {
      imports.push(`import * as s${at} from './${source}';`);
      return `case '${source}': return s${at};`;
    }
    // By their names: the object of a module would be made at each start, with a function for each of its members.
    const unique = [...new Set(names)];
    imports.push(`import {${unique.map((name) => `${name} as s${at}_${name}`).join(',')}} from './${source}';`);
    return `case '${source}': return {${unique.map((name) => `${name}: s${at}_${name}`).join(',')}};`;
  });
  return [
    `export * from './${plain[0]}';`,
    ...imports,
    `export function held(source) { switch (source) { ${cases.join('\n')} } throw new Error(source); }`,
  ].join('\n');
}
