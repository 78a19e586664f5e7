/**
 * What proofs and changes of a passport cost, against what the project asks for: the second half of `npm run bench:logs`. Prints medians; ends with 1
 * when a limit is missed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState, type SqliteState } from '../../src/adapters/sqlite/open.js';
import { Tree } from '../../src/adapters/sqlite/tables/log/tree.js';
import { standIn, standInPins } from '../../src/app/policy/stand-in.js';
import { jcs, pairOf, signatureBy } from '../../src/app/redteam/signing.js';
import { verifyIntents, type VerifierDeps } from '../../src/app/verification/intents.js';
import { loadSchemaCheck, verifyOptions } from '../../src/workspace/verification.js';
import { draft, refused } from '../kit/state/drafts.js';
import { bareStart, requireQuiet } from './baseline.js';

requireQuiet();

const AIP = join(process.env['AIP_BENCH_ROOT']!, 'bin/aip.cjs');
const MANY = Number(process.argv[2] ?? 1_000_000);
const ATTACKS = Number(process.argv[3] ?? 10_000);
const AGENT = draft().agent_id;
const folder = mkdtempSync(join(tmpdir(), 'aip-bench-proof-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let missed = 0;

const opened = (home: string): SqliteState => {
  mkdirSync(home, { recursive: true });
  return openState(join(home, 'state.db'), { random: randomBytes });
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function limit(what: string, value: string, ok: boolean): void {
  if (!ok) missed += 1;
  console.log(`${ok ? 'ok    ' : 'MISSED'} ${what}: ${value}`);
}

function write(state: SqliteState, n: number, at: (i: number) => number, block: number, from = 0): void {
  for (let i = 0; i < n;) {
    state.transact((ledger) => {
      for (const end = Math.min(n, i + block); i < end; i++) {
        const changes = { at: at(i), nonce: (from + i).toString(16).padStart(32, '0'), params: { amount: i % 200 } };
        ledger.append(i % 16 === 0 ? refused('AIP-E202', changes) : draft(changes));
      }
    });
  }
}

/** Signed intents that are verified and committed a hundred at a time, with the tree and without it, one after the other. */
async function tree(): Promise<void> {
  const own = { add: Tree.prototype.add, flush: Tree.prototype.flush };
  const agent = pairOf('bench');
  const passport = standIn({ ...PASSPORT, public_key: agent.text, issued_at: '2026-01-01T00:00:00Z' }, false);
  const sides = ['with', 'without'] as const;
  const verifiers = sides.map((side) => {
    const state = opened(join(folder, side));
    const deps: VerifierDeps = {
      ...{ state, clock: Date.now, ticks: () => 0, loadSchemaCheck, hooks: () => null, approved: () => false },
      passport: () => ({ status: 'found', passport }),
      pins: () => standInPins(passport),
      freshness: () => ({ mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'last-known' }),
      requester: () => ({ publicKey: agent.text, sign: () => '', random: randomBytes }),
      trust: () => null,
    };
    return { state, deps };
  });
  const times = { with: [] as number[], without: [] as number[] };
  for (let round = 0, nonce = 0; round < 20; round++) {
    const batches = Array.from({ length: 20 }, () =>
      Array.from({ length: 100 }, () => {
        const intent = {
          ...{
            agent_id: AGENT,
            action: draft().action!,
            params: { amount: 5 },
            timestamp: Math.floor(Date.now() / 1000),
          },
          nonce: (nonce++).toString(16).padStart(32, '0'),
        };
        return { bytes: jcs({ ...intent, signature: signatureBy(agent, intent, 'signature') }), source: null };
      }),
    );
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      Object.assign(Tree.prototype, side === 'with' ? own : { add: () => undefined, flush: () => undefined });
      const { deps } = verifiers[sides.indexOf(side)]!;
      const start = performance.now();
      for (const batch of batches) {
        const [first] = await verifyIntents(deps, verifyOptions({}), batch);
        if (!first!.decision.success) throw new Error(first!.decision.message);
      }
      if (round >= 4) times[side].push(performance.now() - start);
    }
  }
  Object.assign(Tree.prototype, own);
  for (const { state } of verifiers) state.close();
  const cost = median(times.with) / median(times.without) - 1;
  limit('the tree, of the durable rate in commits of 100 (5 %)', `${(cost * 100).toFixed(1)} %`, cost <= 0.05);
}

function aip(...args: string[]): { ms: number; out: string } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [AIP, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status === null || status > 15) throw new Error(`aip ${args.join(' ')}: ${status} ${stderr}`);
  return { ms: performance.now() - start, out: stdout };
}

async function watched(...args: string[]): Promise<{ ms: number; memory: number; out: string }> {
  const start = performance.now();
  const child = spawn(process.execPath, [AIP, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  let memory = 0;
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  const watch = setInterval(() => {
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' });
    memory = Math.max(memory, Math.round(Number(stdout) / 1024));
  }, 200);
  await once(child, 'exit');
  clearInterval(watch);
  return { ms: performance.now() - start, memory, out };
}

const PASSPORT = {
  ...{ version: 1, serial: 2, agent_id: AGENT, agent_name: 'support-agent-v1', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: `${AGENT}#key-1` },
  public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  actions: [
    {
      name: draft().action,
      params: {
        type: 'object',
        required: ['amount'],
        properties: { amount: { type: 'number' } },
        additionalProperties: false,
      },
    },
  ],
  constraints: { monetary_limit: 100, daily_limit: 1_000_000, currency: 'USD', rate_limit: '100000/hour' },
  ...{ issued_at: '2026-01-01T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
};

await tree();
const home = join(folder, 'home');
const state = opened(home);
const now = Date.now();
write(state, MANY, (i) => now - Math.floor(((MANY - i) / MANY) * 86_000_000), 5000);
state.close();
const passport = join(folder, 'next.json');
writeFileSync(passport, JSON.stringify(PASSPORT));

const proofs = Array.from({ length: 9 }, (_, i) =>
  aip('logs', 'prove', String(Math.floor(MANY / 2) + i), '--home', home, '-o', join(folder, 'proof.json')),
);
const bare = bareStart();
const proving = median(proofs.map(({ ms }) => ms)) - bare;
limit(`logs prove at ${MANY} entries, over bare node (50 ms)`, `${proving.toFixed(0)} ms`, proving <= 50);
const { inclusion } = JSON.parse(readFileSync(join(folder, 'proof.json'), 'utf8')) as { inclusion: object };
const bytes = JSON.stringify(inclusion).length;
limit("a proof's tree part (1.2 KB)", `${bytes} bytes`, bytes <= 1229);
const verifying =
  median(Array.from({ length: 9 }, () => aip('proof', 'verify', join(folder, 'proof.json')).ms).map((ms) => ms)) - bare;
limit('proof verify, over bare node (30 ms)', `${verifying.toFixed(0)} ms`, verifying <= 30);
const replay = await watched('policy', 'replay', '-p', passport, '--home', home, '--json');
const { total } = JSON.parse(replay.out) as { total: number };
limit(
  `policy replay of ${total} entries (60 s a million, 150 MB)`,
  `${(replay.ms / 1000).toFixed(1)} s, resident at most ${replay.memory} MiB`,
  replay.ms <= (60_000 * total) / 1e6 + 1000 && replay.memory <= 150,
);
const attacks = await watched('redteam', '-p', passport, '--runs', String(ATTACKS), '--json');
limit(
  `redteam of ${ATTACKS} attacks (15 s)`,
  `${(attacks.ms / 1000).toFixed(1)} s`,
  attacks.ms <= (15_000 * ATTACKS) / 10_000,
);
process.exitCode = missed === 0 ? 0 : 1;
