/**
 * What a mesh on PostgreSQL and its regions do: durable denies a second over HTTP, how fast a deny of one server reaches the streams of
 * another, how fast three regions have stored it, and four servers that are killed in turn. `npm run bench:fleet`, or
 * `node test/bench/run.mjs fleet-mesh [denies|streams|regions|soak]` for a part; the soak runs only when it is named. Servers, readers and
 * regions are processes of their own. What a bare commit takes stands beside each figure. Ends with 1 when a target is missed.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeshHttp } from '../../src/adapters/http/mesh-client.js';
import { serveRegion } from '../../src/workspace/mesh/region.js';
import { serveMesh } from '../../src/workspace/mesh/serving.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { compile } from '../kit/compile.mjs';
import { soak } from '../kit/mesh/several/soak.js';
import { PlainStreams, type StreamsSeen } from '../kit/mesh/several/streams.js';
import { connectWithUrl, TestCluster } from '../kit/state/cluster.js';
import { median, quantile } from './measure.js';

const SELF = fileURLToPath(import.meta.url);
const WORLD = { ...SYSTEM, env: {}, userHome: '' };
const STREAMS = 1_000;
const ROUNDS = 40;
const DENIES = 4_000;
const CALLERS = 16;

interface Told {
  readonly url: string;
  readonly publicKey: string;
  readonly newAdminKey: string | null;
}

const [role, ...args] = process.argv.slice(2);
const bug = (error: unknown): never => {
  throw error;
};

/** All processes read one clock: the machine's monotonic one. */
const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

async function node(data: string, store: string): Promise<void> {
  const options = { data, host: '127.0.0.1', port: 0, tls: null, requireSignedCommands: false, operatorKey: null };
  const { url, publicKey, newAdminKey } = await serveMesh(WORLD, {
    ...options,
    ...(store === '' ? {} : { store }),
    onBug: bug,
  });
  // What it has worked so far, in ms: that does not depend on what else the machine does.
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send!((user + system) / 1000);
  });
  process.send!({ url, publicKey, newAdminKey } satisfies Told);
}

async function region(data: string, home: string, key: string, publicKey: string): Promise<void> {
  const options = { data, host: '127.0.0.1', port: 0, tls: null, home, key, publicKey, ca: null };
  await serveRegion(WORLD, {
    ...options,
    onBug: bug,
    onTrouble: (message) => console.error(message),
    onRecovered: () => undefined,
  });
  process.send!('ready');
}

/** Holds streams; tells when all are open, and of each event when the last of them had it. */
function reader(ports: readonly number[], key: string, count: number): void {
  const streams = new PlainStreams({ ports, key, count, onEvent: (seq) => seen(seq) });
  const times = new Map<number, number[]>();
  const seen = (seq: number): void => {
    const all = times.get(seq) ?? [];
    times.set(seq, all);
    all.push(now());
    if (all.length === count) process.send!({ seq, times: all });
  };
  process.on('message', () => process.send!({ seen: streams.seen }));
}

function child(...argv: string[]): ChildProcess {
  const made = fork(SELF, argv);
  process.once('exit', () => made.kill('SIGKILL'));
  return made;
}

function message<T>(from: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process ended with ${code}`));
    from.once('exit', ended);
    from.once('message', (value) => {
      from.off('exit', ended);
      resolve(value as T);
    });
  });
}

async function started(
  folder: string,
  store: string,
  key: string | null,
): Promise<Told & { readonly worked: () => Promise<number>; readonly end: () => void }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (key !== null) copyFileSync(key, join(folder, 'mesh.key'));
  const made = child('node', folder, store);
  const worked = (): Promise<number> => {
    made.send('how much');
    return message<number>(made);
  };
  return { ...(await message<Told>(made)), worked, end: () => void made.kill('SIGKILL') };
}

function post(line: MeshHttp, target: string, body: object): ReturnType<MeshHttp['ask']> {
  return line.ask({
    method: 'POST',
    target,
    body: Buffer.from(JSON.stringify(body)),
    timeoutMs: 30_000,
    maxBytes: 65_536,
  });
}

let given = 0;
async function revoke(
  line: MeshHttp,
  query = '',
): Promise<{ readonly seq: number; readonly regions: readonly { readonly state: string }[] }> {
  const { status, body } = await post(line, `/v1/mesh/commands?wait=0ms${query}`, {
    ...{ cmd_id: `bench-${randomBytes(8).toString('hex')}`, action: 'revoke', reason: 'bench' },
    agent_id: `did:web:acme.com:agents:b${given++}`,
  });
  if (status !== 200) throw new Error(body);
  return JSON.parse(body) as Awaited<ReturnType<typeof revoke>>;
}

async function keyOf(line: MeshHttp, order: object): Promise<string> {
  return (JSON.parse((await post(line, '/v1/mesh/keys', order)).body) as { key: string }).key;
}

/** One row, inserted and committed on one connection: what no durable answer can be faster than. */
async function bareCommit(url: string): Promise<number> {
  const connection = await connectWithUrl(url);
  await connection.query('CREATE TABLE IF NOT EXISTS bare (n bigint)', [], 5_000);
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const at = now();
    await connection.query('INSERT INTO bare VALUES ($1)', [i], 5_000);
    times.push(now() - at);
  }
  await connection.close();
  return median(times);
}

let missed = 0;
function say(what: string, figure: string, target: string, met: boolean): void {
  if (!met) missed++;
  console.log(`${what.padEnd(58)} ${figure.padEnd(34)} ${target} ${met ? 'met' : 'MISSED'}`);
}

async function denies(folder: string, url: string): Promise<void> {
  const served = await started(join(folder, 'denies'), url, null);
  const lines = Array.from({ length: CALLERS }, () => new MeshHttp(served.url, served.newAdminKey!));
  const times: number[] = [];
  const run = async (count: number): Promise<number> => {
    const began = now();
    await Promise.all(
      lines.map(async (line) => {
        for (let i = 0; i < count / CALLERS / 4; i++)
          await Promise.all(
            Array.from({ length: 4 }, async () => {
              const at = now();
              await revoke(line);
              times.push(now() - at);
            }),
          );
      }),
    );
    return (count / (now() - began)) * 1000;
  };
  await run(640);
  times.length = 0;
  const before = await served.worked();
  const rate = await run(DENIES);
  const work = ((await served.worked()) - before) / DENIES;
  const commit = await bareCommit(url);
  const figure = `${rate.toFixed(0)}/s  p50 ${median(times).toFixed(1)}  p99 ${quantile(times, 0.99).toFixed(1)} ms`;
  say(`denies over HTTP, ${CALLERS * 4} at once`, figure, '1,000/s', rate >= 1_000);
  console.log(
    `  the server works ${work.toFixed(2)} ms a deny: ${(1000 / work).toFixed(0)}/s on a core of its own; a bare commit ${commit.toFixed(2)} ms`,
  );
  for (const line of lines) line.close();
  served.end();
}

async function streams(folder: string, url: string): Promise<void> {
  const a = await started(join(folder, 'a'), url, null);
  const b = await started(join(folder, 'b'), url, join(folder, 'a', 'mesh.key'));
  const line = new MeshHttp(a.url, a.newAdminKey!);
  const readers = child('read', new URL(b.url).port, a.newAdminKey!, String(STREAMS));
  for (let open = 0; open < STREAMS;) {
    readers.send('how many');
    ({ open } = (await message<{ seen: StreamsSeen }>(readers)).seen);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const all: number[] = [];
  const slowest: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const seen = message<{ times: number[] }>(readers);
    const began = now();
    await revoke(line);
    const times = (await seen).times.map((at) => at - began);
    if (round >= 5) all.push(...times);
    if (round >= 5) slowest.push(Math.max(...times));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [p50, p99] = [median(all), quantile(all, 0.99)];
  const figure = `p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(1)} ms`;
  say(`revoked at one server, at ${STREAMS} streams of another`, figure, 'p99 <= 60 ms', p99 <= 60);
  console.log(
    `  the last of them: p50 ${median(slowest).toFixed(1)} ms; a bare commit ${(await bareCommit(url)).toFixed(2)} ms`,
  );
  line.close();
  readers.kill('SIGKILL');
  a.end();
  b.end();
}

async function regions(folder: string, url: string): Promise<void> {
  const home = await started(join(folder, 'home'), url, null);
  const line = new MeshHttp(home.url, home.newAdminKey!);
  const children: ChildProcess[] = [];
  for (const name of ['us', 'eu', 'ap']) {
    const key = await keyOf(line, { role: 'region', label: name });
    const each = child('region', join(folder, name), home.url, key, home.publicKey);
    await message(each);
    children.push(each);
  }
  const times: number[] = [];
  for (let round = 0; round < ROUNDS * 2; round++) {
    const began = now();
    const answer = await revoke(line, '&replication=sync&within=5000ms');
    const late = answer.regions.filter(({ state }) => state !== 'acknowledged');
    if (answer.regions.length !== 3 || late.length > 0) throw new Error(JSON.stringify(answer));
    if (round >= 5) times.push(now() - began);
  }
  const [p50, p99] = [median(times), quantile(times, 0.99)];
  say('sync: stored by three regions', `p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(1)} ms`, 'p99 <= 100 ms', p99 <= 100);
  line.close();
  for (const each of children) each.kill('SIGKILL');
  home.end();
}

/** Four servers, 8,000 streams, a minute. */
async function soaked(folder: string, url: string): Promise<void> {
  const program = join(folder, 'node-process.mjs');
  await compile(join(process.env['AIP_BENCH_ROOT']!, 'test/kit/mesh/several/node-process.ts'), program, 'silent');
  const report = await soak({
    ...{ program, store: url, folder, nodes: 4, verifiers: 20, seconds: 60, everyMs: 400 },
    streams: (ports, key) => {
      const readers = [0, 1].map(() => child('read', ports.join(','), key, '4000'));
      const seenBy = async (each: ChildProcess): Promise<StreamsSeen> => {
        each.send('how many');
        for (;;) {
          const told = await message<{ seen?: StreamsSeen }>(each);
          if (told.seen !== undefined) return told.seen;
        }
      };
      return {
        seen: async () => {
          const [a, b] = await Promise.all(readers.map(seenBy));
          return { open: a!.open + b!.open, least: Math.min(a!.least, b!.least), gaps: a!.gaps + b!.gaps };
        },
        end: () => readers.forEach((each) => each.kill('SIGKILL')),
      };
    },
  });
  const { lost, allowedLate, alarms, kills, acknowledged, askedAgain, head, streams: seen } = report;
  const whole = lost.length === 0 && head === acknowledged && seen.gaps === 0 && seen.least === head;
  const figure = `${acknowledged} denies, ${kills} kills, ${seen.open} streams`;
  say('4 servers killed in turn, 60 s: nothing lost', figure, `${lost.length} lost, ${seen.gaps} gaps`, whole);
  say(
    '  nothing allowed after the bound',
    `20 verifiers, ${askedAgain} asked again`,
    `${allowedLate.length} late`,
    allowedLate.length === 0,
  );
  for (const line of [...allowedLate, ...alarms].slice(0, 10)) console.log(`  ${line}`);
}

async function main(part: string | undefined): Promise<void> {
  const parts = { denies, streams, regions, soak: soaked };
  const wanted = part === undefined ? (['denies', 'streams', 'regions'] as const) : [part as keyof typeof parts];
  const folder = mkdtempSync(join(tmpdir(), 'aip-bench-mesh-'));
  const cluster = await TestCluster.start();
  try {
    const cores = `${cpus().length} cores: ${cpus()[0]?.model ?? '?'}`;
    console.log(`node ${process.version}, ${cores}; load ${loadavg()[0]!.toFixed(1)} before`);
    for (const each of wanted) await parts[each](join(folder, each), (await cluster.database()).url);
    console.log(`load ${loadavg()[0]!.toFixed(1)} after`);
  } finally {
    await cluster.end();
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(missed === 0 ? 0 : 1);
}

if (role === 'node') await node(args[0]!, args[1]!);
else if (role === 'region') await region(args[0]!, args[1]!, args[2]!, args[3]!);
else if (role === 'read') reader(args[0]!.split(',').map(Number), args[1]!, Number(args[2]));
else await main(role);
