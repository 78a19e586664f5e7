/** The last step of the build: runs the program once, so that V8 has compiled what a verification needs, and keeps the result. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { loadProgram } from './program.js';

const folder = __dirname;
const home = mkdtempSync(join(tmpdir(), 'aip-build-'));
rmSync(join(folder, 'main.cache'), { force: true });
const { program, script } = loadProgram(folder);
const sink = () => new PassThrough().resume();

void warm()
  .then(() => writeFileSync(join(folder, 'main.cache'), script.createCachedData()))
  .finally(() => rmSync(home, { recursive: true, force: true }));

/** The demo verifies for real; a refused verification and a revocation from the command line add what it does not touch. */
async function warm(): Promise<void> {
  const revoke = ['revoke', 'did:web:example.com:agents:none', '--reason', 'build', '--yes'];
  for (const argv of [['demo'], ['intent', 'verify', '-'], revoke, ['help']]) {
    const stdin = new PassThrough();
    stdin.end('{}');
    await program.run(argv, {
      stdin,
      stdout: sink(),
      stderr: sink(),
      env: {},
      cwd: home,
      userHome: home,
      platform: process.platform,
      now: Date.now,
      uid: null,
      signal: new AbortController().signal,
    });
  }
}
