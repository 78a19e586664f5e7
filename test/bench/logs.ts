/**
 * What reports on a log cost, against what the project asks for: `npm run bench:logs`. Commands run as processes of their own, as users run them.
 * Prints medians; ends with 1 when a limit is missed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState, type SqliteState } from '../../src/adapters/sqlite/open.js';
import { draft, refused } from '../kit/state/drafts.js';
import { requireQuiet } from './baseline.js';

requireQuiet();

const AIP = join(process.env['AIP_BENCH_ROOT']!, 'bin/aip.cjs');
const MANY = Number(process.argv[2] ?? 1_000_000);
const GIB = Number(process.argv[3] ?? 1) * 2 ** 30;
const AGENT = draft().agent_id;
const folder = mkdtempSync(join(tmpdir(), 'aip-bench-logs-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let missed = 0;

const opened = (home: string): SqliteState => {
  mkdirSync(home, { recursive: true });
  return openState(join(home, 'state.db'), { random: randomBytes });
};

/** `n` entries of 20 agents over the last day. */
function fill(home: string, n: number): void {
  const state = opened(home);
  const now = Date.now();
  for (let i = 0; i < n;) {
    state.transact((ledger) => {
      for (const end = Math.min(n, i + 5000); i < end; i++) {
        const changes = {
          at: now - Math.floor(((n - i) / n) * 86_000_000),
          agent_id: i % 20 === 0 ? AGENT : `${AGENT}-${i % 20}`,
          nonce: i.toString(16).padStart(32, '0'),
        };
        if (i % 16 === 0) {
          ledger.append(refused('AIP-E202', changes));
          continue;
        }
        const { agent_id, nonce } = ledger.append(draft(changes));
        ledger.spendNonce(agent_id, nonce!, changes.at, 'accepted', now + 3_600_000);
      }
    });
  }
  state.close();
}

function run(home: string, ...args: string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [AIP, ...args, '--home', home], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`aip ${args.join(' ')}: ${status} ${stderr}`);
  return performance.now() - start;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function limit(what: string, value: string, ok: boolean): void {
  if (!ok) missed += 1;
  console.log(`${ok ? 'ok    ' : 'MISSED'} ${what}: ${value}`);
}

async function follow(home: string): Promise<void> {
  const child = spawn(process.execPath, [AIP, 'logs', 'tail', '-f', '-n', '0', '--home', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = (): void => undefined;
  child.stdout.on('data', () => seen());
  const state = opened(home);
  const delays: number[] = [];
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (let i = 0; i < 60; i++) {
    const shown = new Promise<number>((resolve) => (seen = () => resolve(performance.now())));
    state.transact((ledger) => ledger.append(draft({ at: Date.now() })));
    const committed = performance.now();
    delays.push((await shown) - committed);
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
  }
  state.close();
  child.kill('SIGINT');
  await once(child, 'exit');
  const worst = Math.max(...delays);
  limit(
    'logs tail -f shows an entry after its commit (150 ms)',
    `median ${median(delays).toFixed(0)} ms, worst ${worst.toFixed(0)} ms`,
    worst <= 150,
  );
}

async function jsonLines(path: string): Promise<void> {
  const out = createWriteStream(path);
  let block = '';
  for (let i = 0, size = 0; size < GIB; i++) {
    const entry = i % 50 === 0 ? refused('AIP-E202') : draft();
    const line = `${JSON.stringify({ seq: i, ...entry, verifier: 'v', prev_hash: 'a'.repeat(64), hash: 'b'.repeat(64) })}\n`;
    size += line.length;
    block += line;
    if (block.length < 1 << 20) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end(block);
  await once(out, 'finish');
}

/** JSON.parse on each line and nothing else, in a process of its own. */
const PARSE_ALONE = `
  const lines = require('fs').readFileSync(process.argv[1], 'latin1').slice(0, 2 ** 28).split('\\n');
  lines.pop();
  const start = performance.now();
  let n = 0;
  for (const line of lines) if (JSON.parse(line).error_code === 'AIP-E202') n++;
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
  console.log(bytes / (performance.now() - start) / 1000);
`;

async function stream(path: string, home: string): Promise<void> {
  const size = statSync(path).size;
  const sample = `${path}.sample`;
  const head = createReadStream(path, { end: Math.min(size, 2 ** 28) - 1 });
  head.pipe(createWriteStream(sample));
  await once(head, 'close');
  const alone = median(
    [1, 2, 3].map(() => Number(spawnSync(process.execPath, ['-e', PARSE_ALONE, sample], { encoding: 'utf8' }).stdout)),
  );
  const speeds: number[] = [];
  let memory = 0;
  for (let i = 0; i < 3; i++) {
    const input = createReadStream(path);
    await once(input, 'open');
    const start = performance.now();
    const child = spawn(process.execPath, [AIP, 'logs', 'tail', '--file', '-', '--code', 'AIP-E202', '--home', home], {
      stdio: [(input as unknown as { fd: number }).fd, 'pipe', 'inherit'],
    });
    child.stdout!.resume();
    const watch = setInterval(() => (memory = Math.max(memory, resident(child.pid!))), 200);
    await once(child, 'exit');
    clearInterval(watch);
    input.destroy();
    speeds.push(size / (performance.now() - start) / 1000);
  }
  const speed = median(speeds);
  limit(
    `logs tail --file - --code on ${(size / 2 ** 30).toFixed(1)} GiB (half of JSON.parse alone)`,
    `${speed.toFixed(0)} MB/s, JSON.parse alone ${alone.toFixed(0)} MB/s (${(speed / alone).toFixed(2)}), resident at most ${memory} MiB`,
    speed >= alone / 2 && memory < 400,
  );
}

function resident(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Math.round(Number(stdout) / 1024);
}

const [small, large] = [join(folder, 'small'), join(folder, 'large')];
fill(small, 1000);
const filling = performance.now();
fill(large, MANY);
console.log(`wrote ${MANY} entries in ${((performance.now() - filling) / 1000).toFixed(0)} s`);

for (const args of [['health', AGENT], ['health']]) {
  const times = { small: [] as number[], large: [] as number[] };
  for (let i = 0; i < 11; i++) {
    times.small.push(run(small, ...args, '--json'));
    times.large.push(run(large, ...args, '--json'));
  }
  const ratio = median(times.large) / median(times.small);
  limit(
    `${args.length === 1 ? 'health of all agents' : 'health <agent>'} on ${MANY} entries (1.5 times that on 1,000)`,
    `${median(times.large).toFixed(0)} ms, on 1,000 ${median(times.small).toFixed(0)} ms (${ratio.toFixed(2)})`,
    ratio <= 1.5,
  );
}
const checking = run(large, 'logs', 'verify');
const rate = MANY / (checking / 1000);
limit('logs verify (150,000 entries a second)', `${Math.round(rate)} entries a second`, rate >= 150_000);
await follow(small);
const file = join(folder, 'log.jsonl');
await jsonLines(file);
await stream(file, small);
process.exitCode = missed === 0 ? 0 : 1;
