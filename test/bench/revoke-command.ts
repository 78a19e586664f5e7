/** `aip revoke` as somebody types it, from the start of its process to its end, beside a process that does nothing. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median, quantile, timesAsMuch, type Pair } from './measure.js';

const AIP = join(process.env['AIP_BENCH_ROOT']!, 'bin/aip.cjs');
const ROUNDS = 40;
const TARGET = 2.2;

/** With a mesh and a following verifier, each a process of its own on this machine. */
export async function revokeCommand(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'aip-bench-'));
  const env = { ...process.env, AIP_HOME: home, HOME: home, AIP_KEY_PASSPHRASE: 'bench' };
  const running: ChildProcess[] = [];
  const start = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, [AIP, ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    running.push(child);
    return child;
  };
  const revoke = (n: number): { ms: number; heard: boolean } => {
    const agent = `did:web:acme.com:agents:r${n}`;
    const { ms, out } = timed(env, [AIP, 'revoke', agent, '--unseen', '--reason', 'bench', '--yes', '--json']);
    return { ms, heard: (JSON.parse(out) as { propagated_to: number }).propagated_to === 1 };
  };
  try {
    const server = start('mesh', 'serve', '--listen', '127.0.0.1:0');
    // The first line says that it is ready.
    await new Promise((resolve) => createInterface(server.stdout!).once('line', resolve));
    start('mesh', 'follow');
    let n = 0;
    while (!revoke(n++).heard) if (n > 100) throw new Error('the verifier heard of nothing');
    const pairs: Pair[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const base = timed(env, ['-e', '0']).ms;
      const { ms: ours, heard } = revoke(n++);
      if (!heard) throw new Error('the verifier did not hear of a revocation');
      pairs.push({ ours, base });
    }
    const [ours, base] = [pairs.map((pair) => pair.ours), pairs.map((pair) => pair.base)];
    const spread = (of: readonly number[]) =>
      `p50 ${median(of).toFixed(0)} ms, p99 ${quantile(of, 0.99).toFixed(0)} ms`;
    const ratio = timesAsMuch(pairs);
    console.log(
      `aip revoke, applied by a verifier: ${spread(ours)}; node -e 0: ${spread(base)}; ` +
        `${ratio.toFixed(2)} times (target ${TARGET}, ${ratio <= TARGET ? 'met' : 'MISSED'})`,
    );
  } finally {
    await Promise.all(running.map(ended));
    rmSync(home, { recursive: true, force: true });
  }
}

function timed(env: NodeJS.ProcessEnv, args: readonly string[]): { ms: number; out: string } {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return { ms, out: stdout };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
