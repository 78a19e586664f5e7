/** What the package is made of: every bundle, and why it is compiled as it is. */
import { join } from 'node:path';
import { NODE, partsForEsbuild, root } from './parts.mjs';

/** Answers for two packages that libsql asks which of its prebuilt packages fits this machine: they start `ldd`, which is slow. */
const nativeTarget = join(root, 'src/adapters/sqlite/native-target.ts');

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

/** In CommonJS there is no `import.meta`. */
const FILE_URL = "const __url=require('node:url').pathToFileURL(__filename).href;";

/** In an ES module there is no `require`; in one that a bundler turned into CommonJS, `import.meta` is empty. */
const REQUIRE =
  "import{createRequire as __cr}from'node:module';import{pathToFileURL as __pu}from'node:url';" +
  'const __url=import.meta.url??__pu(__filename).href;const require=__cr(__url);';

const SHIPPED = {
  ...COMMON,
  // cosmiconfig loads it for config in TypeScript, which is not read here.
  external: [...COMMON.external, 'typescript'],
  // The licences of what is bundled are those of the dependencies, which are installed beside it.
  legalComments: 'none',
};

export const TARGETS = {
  cli: {
    ...SHIPPED,
    entryPoints: { main: join(root, 'src/cli/main.ts') },
    // V8 compiles it from its cache, which is for scripts and not for modules.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    // Nobody reads it, and every start reads all of it.
    minify: true,
    define: { ...COMMON.define, 'import.meta.url': '__url' },
    banner: { js: FILE_URL },
  },
  // `program` is what the build knows of the bundle above: hashing it at each start would cost 4 to 7 ms.
  start: (program) => ({
    ...SHIPPED,
    entryPoints: { start: join(root, 'src/cli/boot/start.ts') },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    minify: true,
    define: { __PROGRAM__: JSON.stringify(program) },
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
