/**
 * Programs that run somewhere else than in the process that brings them: in a child, a thread, a browser. Each is compiled into a
 * bundle of its own, and a source that starts one gets its text with `import TEXT from 'built:<name>'`. As text, because the library is
 * also put into bundles of other programs, where a path to a file of this package would lead nowhere.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** esbuild's options, by name. */
export const PARTS = {
  // Runs as `node -e`, which is CommonJS.
  'keychain-child': { entry: 'src/adapters/keys/keychain/child-program.ts', platform: 'node', format: 'cjs' },
  // Runs as `new Worker(text, { eval: true })`, which is CommonJS.
  'signature-worker': { entry: 'src/adapters/workers/signature-worker.ts', platform: 'node', format: 'cjs' },
  'hook-worker': { entry: 'src/adapters/workers/hook-worker.ts', platform: 'node', format: 'cjs' },
  // A classic script in the page: its hash is in the page's policy. In a function, so that it leaves no globals.
  'dashboard-page': { entry: 'src/mesh/dashboard/page/start.ts', platform: 'browser', format: 'iife' },
};

/** What a browser of the last three years runs. */
const BROWSERS = 'es2022';
/** The oldest Node that package.json allows. */
export const NODE = 'node20.19';

/** The text of the part called `name`. */
export async function compilePart(name) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part "${name}" in .build/parts.mjs`);
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, part.entry)],
    bundle: true,
    write: false,
    minify: true,
    // The licence of this package is in its LICENSE; nothing of other packages is in a part.
    legalComments: 'none',
    platform: part.platform,
    format: part.format,
    target: part.platform === 'node' ? NODE : BROWSERS,
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** The check of JSON Schema 2020-12 by its own schema, as a module: ajv takes longer to write it than most commands run. */
async function metaSchema() {
  const options = {
    strict: true,
    allErrors: true,
    ownProperties: true,
    logger: false,
    code: { source: true, esm: true },
  };
  const ajv = new Ajv2020(options);
  const contents = standalone.default(ajv, ajv.getSchema('https://json-schema.org/draft/2020-12/schema'));
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    target: NODE,
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

const PATTERN = /^built:(.*)$/;

/** What is imported as `built:<name>`, as a module. */
const moduleOf = async (name) =>
  name === 'meta-schema' ? metaSchema() : `export default ${JSON.stringify(await compilePart(name))}`;

/** For esbuild: in the package's own build, and in what the tests compile. */
export const partsForEsbuild = {
  name: 'parts',
  setup(builder) {
    builder.onResolve({ filter: PATTERN }, ({ path }) => ({ path: PATTERN.exec(path)[1], namespace: 'part' }));
    builder.onLoad({ filter: /.*/, namespace: 'part' }, async ({ path }) => ({
      contents: await moduleOf(path),
      loader: 'js',
    }));
  },
};

/** For Vite, which runs the tests from the sources. */
export const partsForVite = {
  name: 'parts',
  // Before Vite takes `built:` for a URL.
  enforce: 'pre',
  resolveId: (id) => (PATTERN.test(id) ? `\0${id}` : undefined),
  load: async (id) => {
    if (!id.startsWith('\0built:')) return undefined;
    return moduleOf(id.slice('\0built:'.length));
  },
};
