/**
 * What a memory in PostgreSQL costs a verifier: `npm run bench:fleet`. A real server on this machine, real signatures, the local log. Beside
 * one caller stand a bare commit and a verification by this machine alone: what the disk and the machine cost now. Ends with 1 when a target
 * is missed; figures in ms and per second are of this machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState } from '../../src/adapters/sqlite/open.js';
import { migrate } from '../../src/adapters/postgres/state/migrate.js';
import { openFleetMemory } from '../../src/adapters/postgres/state/open.js';
import { signerOf } from '../../src/adapters/mesh/mesh-key.js';
import type { VerifierDeps, VerifyOptions } from '../../src/app/verification/intents.js';
import { verifyKeyOf } from '../../src/protocol/ed25519/verify.js';
import { passportOf } from '../../src/protocol/passport.js';
import type { JsonObject } from '../../src/protocol/json/values.js';
import { GroupCommit } from '../../src/workspace/group-commit.js';
import { connectWithUrl, TestCluster } from '../kit/state/cluster.js';
import { median, quantile } from './measure.js';
import { intent } from '../kit/native/intent-parts.js';
import { line, NOW_S, PRINCIPAL, publicKeyBytes, seedOf } from '../kit/native/parts.js';
import { passport } from '../kit/native/passport-cases.js';

const folder = mkdtempSync(join(tmpdir(), 'aip-bench-fleet-'));
const clock = (): number => NOW_S * 1000;
const ticks = (): number => Number(process.hrtime.bigint()) / 1000;
const OPTIONS: VerifyOptions = {
  policy: { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null },
  at: null,
  dryRun: false,
  geo: null,
  logParams: 'masked',
  parallel: true,
};
const PINS = [{ keyId: `${PRINCIPAL}#key-1`, key: verifyKeyOf(publicKeyBytes('principal'))! }];
let made = 0;

function documents(count: number): string[] {
  return Array.from({ length: count }, () => line(intent(`f${made++}`, { params: { amount: 1 } })));
}

function verifierOf(fleet: VerifierDeps['fleet'], constraints: JsonObject): GroupCommit {
  const state = openState(join(folder, `state-${made++}.db`), { random: randomBytes, clock });
  const issued = passportOf(passport('support-agent-v1', { constraints }));
  const deps: VerifierDeps = {
    state,
    fleet: fleet ?? null,
    clock,
    ticks,
    passport: () => ({ status: 'found', passport: issued }),
    pins: () => PINS,
    loadSchemaCheck: () => () => [],
    freshness: () => ({ mesh: false, ageMs: null, maxAgeMs: 30_000, onStale: 'last-known' }),
    hooks: () => null,
    approved: () => false,
    requester: () => ({ ...signerOf(seedOf('verifier')), random: (n) => new Uint8Array(randomBytes(n)) }),
    trust: () => null,
  };
  return new GroupCommit(deps, (work) => void setImmediate(work));
}

/** Rate a second, and the times of single calls in ms. */
async function run(group: GroupCommit, callers: number, texts: readonly string[]) {
  let next = 0;
  const times: number[] = [];
  const began = ticks();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
        const at = ticks();
        const { decision } = await group.verify({ bytes: text, source: null }, OPTIONS);
        if (!decision.success) throw new Error(decision.message);
        times.push((ticks() - at) / 1000);
      }
    }),
  );
  return { rate: (texts.length / (ticks() - began)) * 1e6, p50: median(times), p99: quantile(times, 0.99) };
}

/** One row, inserted and committed on one connection, in ms: what no durable answer of the database can be faster than. */
async function bareCommit(url: string): Promise<number> {
  const connection = await connectWithUrl(url);
  await connection.query('CREATE TABLE IF NOT EXISTS bare (n bigint)', [], 5_000);
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const at = ticks();
    await connection.query('INSERT INTO bare VALUES ($1)', [i], 5_000);
    times.push((ticks() - at) / 1000);
  }
  await connection.close();
  return median(times);
}

const LIMITS: readonly (readonly [string, JsonObject])[] = [
  ['no limits', {}],
  ['a daily limit and a rate', { daily_limit: 100_000_000, rate_limit: '1000000/hour' }],
];

const cluster = await TestCluster.start();
let missed = 0;
try {
  const { url } = await cluster.database();
  const owner = await connectWithUrl(url);
  await migrate(owner, { roles: [] });
  await owner.close();
  const busy = loadavg()[0]!;
  console.log(
    `node ${process.version}, ${cpus().length} cores: ${cpus()[0]?.model ?? '?'}; load ${busy.toFixed(1)} before\n`,
  );
  const say = (
    what: string,
    { rate, p50, p99 }: Awaited<ReturnType<typeof run>>,
    target: string,
    met: boolean,
  ): void => {
    if (!met) missed++;
    console.log(
      `${what.padEnd(58)} ${rate.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)}  p99 ${p99.toFixed(2)} ms   ${target} ${met ? 'met' : 'MISSED'}`,
    );
  };
  for (const [limits, constraints] of LIMITS) {
    const memory = openFleetMemory(
      url,
      { env: {}, userHome: '' },
      { verifier: randomBytes(8).toString('hex'), random: randomBytes, clock, ticks },
    );
    const group = verifierOf({ memory, resumes: false }, constraints);
    const bare = verifierOf(null, constraints);
    const plain = Object.keys(constraints).length === 0;
    await run(group, 8, documents(400));
    await run(bare, 8, documents(400));
    const one = await run(group, 1, documents(1000));
    say(`1 caller, ${limits}`, one, 'p50 <= 1.5 ms', !plain || one.p50 <= 1.5);
    const [commit, alone] = [await bareCommit(url), await run(bare, 1, documents(500))];
    console.log(
      `  a bare commit ${commit.toFixed(2)} ms, alone ${alone.p50.toFixed(2)} ms: ${(one.p50 / (commit + alone.p50)).toFixed(1)} times both together`,
    );
    const eight = await run(group, 8, documents(4000));
    say(`8 callers, ${limits}`, eight, '2,000/s', eight.rate >= 2000);
    const many = await run(group, 32, documents(6000));
    say(`32 callers, ${limits}`, many, '4,000/s', many.rate >= 4000);
    // In turns, so that what else the machine does strikes both.
    const ratios: number[] = [];
    for (let i = 0; i < 5; i++) {
      const [ours, base] = [await run(group, 1024, documents(6000)), await run(bare, 1024, documents(6000))];
      ratios.push(ours.rate / base.rate);
      if (i === 4) {
        const share = plain ? 0.4 : 0.3;
        say(
          `1,024 callers, ${limits}: ${(median(ratios) * 100).toFixed(0)} % of one machine alone`,
          ours,
          `${share * 100} %`,
          median(ratios) >= share,
        );
      }
    }
    await memory.close();
  }
  console.log(
    `\nload ${loadavg()[0]!.toFixed(1)} after; "one machine alone" is the durable verification with its own memory`,
  );
} finally {
  await cluster.end();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
