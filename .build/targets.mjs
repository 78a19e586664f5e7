/** What the package is made of: every bundle, and why it is compiled as it is. */
import { join, relative, sep } from 'node:path';
import { NODE, partsForEsbuild, root } from './parts.mjs';

/** Answers for two packages that libsql asks which of its prebuilt packages fits this machine: they start `ldd`, which is slow. */
const nativeTarget = join(root, 'src/adapters/sqlite/engine/native-target.ts');

/** Of everything that runs on Node; the tests compile their programs with these as well. */
export const COMMON = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  // The oldest Node that package.json allows.
  target: NODE,
  // Native: found where they are installed, at run time.
  external: ['@libsql/*', 'keytar'],
  alias: { 'detect-libc': nativeTarget, '@neon-rs/load': nativeTarget },
  // libsql then asks `@neon-rs/load`, which is ours, for its native half; unset it would load a package itself, past that.
  define: { 'process.env.LIBSQL_JS_DEV': 'true' },
  plugins: [partsForEsbuild],
  logLevel: 'warning',
};

/** In CommonJS there is no `import.meta`; what stands for it is made when it is asked for, which few commands do. */
const FILE_URL = "const __file={get url(){return require('node:url').pathToFileURL(__filename).href}};";

/** In an ES module there is no `require`; in one that a bundler turned into CommonJS, `import.meta` is empty. */
const REQUIRE =
  "import{createRequire as __cr}from'node:module';import{pathToFileURL as __pu}from'node:url';" +
  'const __url=import.meta.url??__pu(__filename).href;const require=__cr(__url);';

/**
 * A package that is read when its function is first called, or its class constructed. `string-width` works out which emoji there are (20 ms,
 * more than most commands run), and text in Latin letters never asks it; `libsql` loads its native half.
 */
function readWhenCalled(name, made) {
  const contents = `let made; export default function (...given) { made ??= ${made}; return new.target ? new made(...given) : made(...given); }`;
  return {
    name: `${name}-when-called`,
    setup(builder) {
      // Packages that need it keep the version that they were made for: an older one is called as `require` gives it.
      builder.onResolve({ filter: new RegExp(`^${name}$`) }, ({ importer }) =>
        importer.startsWith(join(root, 'src')) ? { path: name, namespace: `${name}-when-called` } : undefined,
      );
      builder.onLoad({ filter: /.*/, namespace: `${name}-when-called` }, () => ({ contents, resolveDir: root }));
    },
  };
}

const SHIPPED = {
  ...COMMON,
  // cosmiconfig loads `typescript` for config in that language, which is not read here. The database client of a fleet stays where it is
  // installed: most verifiers never load it, and every start would read it.
  external: [...COMMON.external, 'typescript', 'pg'],
  // A third of all text otherwise, and never called.
  alias: { ...COMMON.alias, '@inquirer/external-editor': join(root, '.build/no-editor.mjs') },
  plugins: [...COMMON.plugins, readWhenCalled('string-width', "require('string-width').default")],
  // The licences of what is bundled are those of the dependencies, which are installed beside it.
  legalComments: 'none',
};

/**
 * A script that V8 compiles from its cache cannot import: what stays outside of the bundle is required. It is a function as node makes one of
 * a module: put around it at the start, that would copy the text.
 */
const SCRIPT = {
  format: 'cjs',
  supported: { 'dynamic-import': false },
  banner: { js: `(function (exports, require, module, __filename, __dirname) {${FILE_URL}` },
  footer: { js: '})' },
};

/** A source in the place of another, by their paths from the root. */
export function standIns(table) {
  return {
    name: 'stand-ins',
    setup(builder) {
      builder.onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir, importer }) => {
        const source = relative(root, join(resolveDir, path.replace(/\.js$/, '.ts'))).replaceAll(sep, '/');
        const other = table[source];
        return other === undefined || importer.endsWith(other) ? undefined : { path: join(root, other) };
      });
    },
  };
}

/** The entry points for frameworks, by their names behind `aip-cli/`. */
export const ADAPTERS = ['ai', 'langchain', 'openai-agents', 'mcp', 'http'];

/** Of the library they take what `index.js` beside them exports: one workspace, one class of errors, whatever is imported. */
const LIBRARY_BESIDE = {
  name: 'library-beside',
  setup(builder) {
    builder.onResolve({ filter: /\/library\/.*\.js$/ }, () => ({ path: './index.js', external: true }));
  },
};

function commandLine(name, ...plugins) {
  return {
    ...SHIPPED,
    entryPoints: { [name]: join(root, 'src/cli/main.ts') },
    plugins: [...SHIPPED.plugins, ...plugins],
    ...SCRIPT,
    outExtension: { '.js': '.cjs' },
    // Nobody reads it, and every start reads all of it.
    minify: true,
    define: { ...COMMON.define, 'import.meta.url': '__file.url' },
  };
}

/** What `aip intent verify intent.json` reaches. */
export const PLAIN_RUN = [
  'src/cli/main.ts',
  'src/cli/shell/shell.ts',
  'src/cli/boot/frequent-registry.ts',
  'src/cli/commands/intent/verify.ts',
  'src/cli/config/load.ts',
  'src/cli/render/decision/decision.ts',
  'src/adapters/sqlite/open.ts',
  'src/adapters/mesh/client/verifier-key.ts',
];

export const TARGETS = {
  adapters: {
    ...COMMON,
    entryPoints: Object.fromEntries(ADAPTERS.map((name) => [name, join(root, `src/guard/frameworks/${name}.ts`)])),
    // Of the application.
    external: ['@langchain/core'],
    plugins: [LIBRARY_BESIDE],
    format: 'esm',
  },
  cli: commandLine('main'),
  // The same for the commands that run most often: a third of the text, and of what V8 takes up.
  frequent: commandLine(
    'frequent',
    readWhenCalled('libsql', "require('libsql')"),
    standIns({
      'src/cli/registry.ts': 'src/cli/boot/frequent-registry.ts',
      'src/cli/help/pages.ts': 'src/cli/boot/frequent-pages.ts',
    }),
  ),
  // What asks a service that runs already: it starts before anything else is read.
  hook: {
    ...SHIPPED,
    entryPoints: { hook: join(root, 'src/cli/boot/hook-client.ts') },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    minify: true,
  },
  // `bundles` is what the build knows of those above: hashing one at each start would cost 4 to 7 ms.
  start: (bundles) => ({
    ...SHIPPED,
    entryPoints: { start: join(root, 'src/cli/boot/start.ts') },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    minify: true,
    define: { __BUNDLES__: JSON.stringify(bundles) },
  }),
  // Not minified: Node prints the line that threw, and the names of errors are names of classes.
  library: {
    ...SHIPPED,
    entryPoints: { index: join(root, 'src/index.ts') },
    format: 'esm',
    // Some packages look whether there is one, and it would not be theirs.
    define: { ...COMMON.define, __dirname: 'undefined', 'import.meta.url': '__url' },
    banner: { js: REQUIRE },
  },
};

/** `tsc`'s arguments for the declarations of the library. */
export const TYPES = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', 'src'];
