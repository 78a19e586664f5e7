/** The last step of the build: runs the program once, so that V8 has compiled what a verification needs, and keeps the result. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { loadProgram } from './program.js';

const folder = __dirname;
const home = mkdtempSync(join(tmpdir(), 'aip-build-'));
const caches = ['intent', 'main'] as const;
for (const cache of caches) rmSync(join(folder, `${cache}.cache`), { force: true });
const intent = signedIntent();
const { program, script } = loadProgram(folder, 'main');
const sink = () => new PassThrough().resume();

/** What each cache knows the way of; a later one knows those of the earlier ones as well. */
const WAYS: Readonly<Record<(typeof caches)[number], readonly string[][]>> = {
  // An intent that is accepted, and one that is refused.
  intent: [
    ['intent', 'verify', intent],
    ['intent', 'verify', '-'],
  ],
  main: [['demo'], ['revoke', 'did:web:example.com:agents:none', '--reason', 'build', '--yes'], ['help']],
};

void warm().finally(() => rmSync(home, { recursive: true, force: true }));

async function warm(): Promise<void> {
  for (const cache of caches) {
    for (const argv of WAYS[cache]) await run(argv);
    writeFileSync(join(folder, `${cache}.cache`), script.createCachedData());
  }
}

async function run(argv: readonly string[]): Promise<void> {
  const stdin = new PassThrough();
  stdin.end('{}');
  await program.run(argv, {
    stdin,
    stdout: sink(),
    stderr: sink(),
    env: { AIP_HOME: home },
    cwd: home,
    userHome: home,
    platform: process.platform,
    now: Date.now,
    importModule: () => Promise.reject(new Error('nothing is imported while building')),
    uid: null,
    signal: new AbortController().signal,
  });
}

/** Made by processes of their own, so that what makes it does not end up in the caches. */
function signedIntent(): string {
  const env = { ...process.env, AIP_HOME: home, AIP_KEY_PASSPHRASE: 'build' };
  const aip = (...argv: string[]) =>
    execFileSync(process.execPath, [join(folder, 'start.cjs'), ...argv], { cwd: home, env, stdio: 'ignore' });
  aip('passport', 'create', 'build', '--domain', 'example.com', '--action', 'build', '--key-store', 'file');
  aip('intent', 'sign', '-p', 'build', '-a', 'build', '-o', 'intent.json');
  return join(home, 'intent.json');
}
