import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { inHome } from '../kit/history.js';
import { scratch } from '../kit/scratch.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = new URL('../../dist/index.js', import.meta.url);

test('the library that is shipped calls its errors by their names, and can be read in a stack', async () => {
  const { VerificationError, VerificationHook, Failure } = (await import(BUILT.href)) as Record<
    string,
    { readonly name: string }
  >;
  expect([VerificationError, VerificationHook, Failure].map((each) => each?.name)).toEqual([
    'VerificationError',
    'VerificationHook',
    'Failure',
  ]);
  // Node prints the line that threw: one of 70,000 characters would bury the message.
  const longest = Math.max(
    ...readFileSync(BUILT, 'utf8')
      .split('\n')
      .map((line) => line.length),
  );
  expect(longest).toBeLessThan(2000);
});

test('the library loads with require as well as with import, by the name of the package', () => {
  const program = "console.log(require('aip-cli').VerificationError === (await import('aip-cli')).VerificationError)";
  const script = `require = require('node:module').createRequire(process.cwd() + '/x'); (async () => { ${program} })()`;
  expect(execFileSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' })).toBe('true\n');
});

// What esbuild makes for Node unless told otherwise, and most functions in the cloud are: there, import.meta is empty.
test('the library still loads when a bundler puts it into a CommonJS file', async () => {
  const home = scratch();
  const outfile = join(home, 'bundled.cjs');
  const contents = `
    import { openWorkspace } from ${JSON.stringify(fileURLToPath(BUILT))};
    openWorkspace({ home: ${JSON.stringify(home)} }).verifyIntent('{}', { state: false })
      .then(({ error_code }) => console.log(error_code));`;
  await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'silent',
  });
  expect(execFileSync(process.execPath, [outfile], { encoding: 'utf8' })).toBe('AIP-E100\n');
});

test.each(['esm', 'cjs'] as const)('a bundler puts the messages of LangChain into an %s file', async (format) => {
  const home = scratch();
  const outfile = join(home, format === 'esm' ? 'bundled.mjs' : 'bundled.cjs');
  const messages = join(home, 'messages.js');
  writeFileSync(messages, 'export class ToolMessage { constructor({ content }) { this.content = content; } }');
  const refusing = `{ guardCall: () => { throw new VerificationError({ error_code: 'AIP-E202', details: {} }); } }`;
  const contents = `
    import { VerificationError } from ${JSON.stringify(fileURLToPath(BUILT))};
    import { aipMiddleware } from ${JSON.stringify(fileURLToPath(new URL('langchain.js', BUILT)))};
    aipMiddleware('agent', { workspace: ${refusing} })
      .wrapToolCall({ toolCall: { name: 'x', args: {} } }, () => 'ran')
      .then(({ content }) => console.log(content.slice(0, 8)));`;
  await build({
    stdin: { contents, resolveDir: ROOT },
    ...{ bundle: true, platform: 'node', format, outfile, logLevel: 'silent' },
    alias: { '@langchain/core/messages': messages },
  });
  expect(execFileSync(process.execPath, [outfile], { encoding: 'utf8' })).toBe('AIP-E202\n');
});

test.each(['', 'process.exit(0);', 'throw new Error("out");'])(
  'a program that ends with "%s" has left what became of its last call',
  async (end) => {
    const home = scratch();
    const options = { home, passphrase: 'correct horse' };
    const script = `
      import { openWorkspace } from ${JSON.stringify(BUILT.href)};
      const workspace = openWorkspace(${JSON.stringify(options)});
      const passport = await workspace.createPassport({ domain: 'acme.com', agentName: 'a', actions: ['pay'], keyStore: 'file' });
      await workspace.shield({ passport, actions: ['pay'] }, () => 1)({});
      ${end}`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    const types = inHome(home, (state) => [...state.records({})].map(({ type }) => type));
    expect(types).toEqual(['verification', 'outcome']);
  },
);

test('the package holds what its names point to, the declarations they need, and nothing else', () => {
  const argv = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const said = execFileSync('npm', argv, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [packed] = JSON.parse(said) as { files: { path: string }[] }[];
  const paths = new Set(packed!.files.map(({ path }) => path));

  const adapters = ['ai', 'http', 'langchain', 'mcp', 'openai-agents'];
  const needed = declarations('dist/types/index.d.ts');
  for (const name of adapters) declarations(`dist/types/guard/frameworks/${name}.d.ts`, needed);
  expect(needed.size).toBeGreaterThan(20);
  // No source, no test, and no compiled form: V8 would run that instead of the text beside it.
  expect([...paths].sort()).toEqual(
    [
      'LICENSE',
      'README.md',
      'bin/aip.cjs',
      'dist/commonjs/package.json',
      ...['index', ...adapters].map((name) => `dist/commonjs/${name}.js`),
      ...[...needed].map((path) => path.replace('dist/', 'dist/commonjs/')),
      'dist/frequent-rest.cjs',
      'dist/frequent.cjs',
      'dist/hook.cjs',
      'dist/index.js',
      ...adapters.map((name) => `dist/${name}.js`),
      'dist/main.cjs',
      'dist/start.cjs',
      'fixtures/aip-1/conformance.json',
      'package.json',
      ...needed,
    ].sort(),
  );
  // A program that checks its libraries' declarations need not have those of Node.
  expect([...needed].filter((path) => /from ['"]node:|\bBuffer\b|\bNodeJS\./.test(textOf(path)))).toEqual([]);
});

/** A declaration file and all that it imports, one from the other. */
function declarations(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from] of textOf(path).matchAll(/(?:from |import\()['"](\.[^'"]*)\.js['"]/g))
    declarations(posix.join(posix.dirname(path), `${from}.d.ts`), found);
  return found;
}

function textOf(path: string): string {
  return readFileSync(posix.join(ROOT, path), 'utf8');
}

test('an adapter shares the library beside it: one class of errors, one workspace', () => {
  const script = `
    const { guardClient } = await import('aip-cli/mcp');
    const client = guardClient('nobody.passport.json', 's', { callTool: async () => 'ran' });
    await client.callTool({ name: 'x' }).catch(({ name, code }) => console.log(name, code));
    for (const name of ['ai', 'langchain', 'openai-agents', 'http']) console.log(Object.keys(await import('aip-cli/' + name)).join());`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
  expect(said.trim().split('\n')).toEqual([
    'Failure NOT_FOUND',
    'guardTools',
    'aipMiddleware,guardTool',
    'guardTool',
    'guardRequest',
  ]);
});

test.each(['import', 'require'])('TypeScript finds the types of every entry point by %s', (how) => {
  const home = scratch();
  mkdirSync(join(home, 'node_modules'));
  symlinkSync(ROOT, join(home, 'node_modules/aip-cli'));
  const entries = ['', '/ai', '/http', '/langchain', '/mcp', '/openai-agents'];
  const lines = entries.map((entry, i) =>
    how === 'import' ? `import * as e${i} from 'aip-cli${entry}';` : `import e${i} = require('aip-cli${entry}');`,
  );
  lines.push('const verified: Promise<e0.Decision> = e0.openWorkspace().verifyIntent("{}");', 'void verified;');
  // What has no type is no function.
  lines.push(...entries.map((_, i) => `export const k${i}: keyof typeof e${i} extends never ? never : true = true;`));
  lines.push('// @ts-expect-error: a number is no domain', 'void e0.openWorkspace().createPassport({ domain: 1 });');
  const file = join(home, how === 'import' ? 'a.mts' : 'a.cts');
  writeFileSync(file, lines.join('\n'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const argv = [tsc, '--noEmit', '--strict', '--module', 'node16', '--target', 'es2022', '--types', '', file];
  expect(execFileSync(process.execPath, argv, { cwd: home, encoding: 'utf8' })).toBe('');
});

test.skipIf(process.env['AIP_TEST_PACKAGING'] === undefined)(
  'publint and attw find nothing in the package (set AIP_TEST_PACKAGING to the folder that they are installed in)',
  () => {
    const home = scratch();
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', home];
    const tarball = join(home, execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' }).trim());
    const bin = join(process.env['AIP_TEST_PACKAGING']!, 'node_modules/.bin');
    const run = (tool: string, argv: string[]) => execFileSync(join(bin, tool), argv, { cwd: home, encoding: 'utf8' });
    expect(run('publint', ['run', '--strict', tarball])).toContain('All good!');
    // node10 is how TypeScript looked before it knew `exports`. It ends with 1 for any problem.
    expect(run('attw', ['--profile', 'node16', tarball])).toContain('aip-cli/openai-agents');
  },
);
