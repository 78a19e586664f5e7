/**
 * What stands in front of tools costs, as ratios against what is measured in between: `npm run bench:guard`. A name as argument (guard,
 * service, hook, shield, revocation, memory) runs that part alone. Ends with 1 when a target is missed.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openWorkspace, type AgentPassport, type Workspace } from '../../src/index.js';
import { place } from './agent.js';
import { requireQuiet } from './baseline.js';
import { isMet, median, quantile, table, type Result } from './measure.js';

const ROOT = process.env['AIP_BENCH_ROOT']!;
const AIP = join(ROOT, 'bin/aip.cjs');
const ECHO = [process.execPath, join(ROOT, 'test/kit/servers/mcp-echo.mjs')];
const PROXY = [process.execPath, join(ROOT, 'test/kit/servers/line-proxy.mjs')];
const NAME = 'bench-agent';
const children = new Set<ChildProcess>();

interface Home {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly workspace: Workspace;
  readonly passport: AgentPassport;
  readonly privateKey: string;
}

async function homeFor(part: string): Promise<Home> {
  const home = place(part);
  const privateKey = `ed25519:${randomBytes(32).toString('hex')}`;
  const workspace = openWorkspace({ home, passphrase: 'bench' });
  const passport = await workspace.createPassport({
    domain: 'acme.com',
    agentName: NAME,
    actions: ['echo'],
    constraints: { monetary_limit: 100, allowed_domains: ['acme.com'] },
    privateKey,
    principalKeyStore: 'file',
  });
  const env = { ...process.env, AIP_HOME: home, AGENT_PRIVATE_KEY: privateKey };
  return { home, env, workspace, passport, privateKey };
}

function started(argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(argv[0]!, argv.slice(1), { env, stdio: ['pipe', 'pipe', 'ignore'] });
  children.add(child);
  return child;
}

type Call = (amount: number) => Promise<unknown>;

/** A client of a server over standard streams. */
function clientOf(argv: readonly string[], env: NodeJS.ProcessEnv): { call: Call; pid: number } {
  const child = started(argv, env);
  const waiting = new Map<number, (result: unknown) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const { id, result } = JSON.parse(line) as { id?: number; result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let id = 0;
  return {
    pid: child.pid!,
    call: (amount) =>
      new Promise((resolve) => {
        id += 1;
        waiting.set(id, resolve);
        const params = { name: 'echo', arguments: { amount, to: 'acme.com' } };
        child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
      }),
  };
}

const guardOf = ({ env }: Home) =>
  clientOf([process.execPath, AIP, 'mcp', 'guard', '-p', NAME, '--name', 'bench', '--', ...ECHO], env);

/** Microseconds that `work` takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}

async function libraryCall({ workspace, passport, privateKey }: Home, n: number): Promise<void> {
  const params = { amount: n % 50, to: 'acme.com' };
  const intent = await workspace.createIntent({ passport, action: 'echo', params, target: 'mcp:bench', privateKey });
  const { success, error_code } = await workspace.verifyIntent(intent);
  if (!success) throw new Error(`a good intent was refused: ${error_code}`);
}

/** One call at a time, in turns, so that whatever else the machine does falls on all of them. */
async function guard(): Promise<Result[]> {
  const home = await homeFor('guard');
  const [direct, raw, guarded] = [clientOf(ECHO, home.env), clientOf([...PROXY, ...ECHO], home.env), guardOf(home)];
  const times = { direct: [] as number[], raw: [] as number[], guarded: [] as number[], library: [] as number[] };
  for (let n = -100; n < 1_000; n++) {
    const spent = {
      direct: await timed(() => direct.call(n)),
      raw: await timed(() => raw.call(n)),
      guarded: await timed(() => guarded.call(Math.abs(n) % 50)),
      library: await timed(() => libraryCall(home, Math.abs(n))),
    };
    if (n < 0) continue;
    for (const name of Object.keys(times) as (keyof typeof times)[]) times[name].push(spent[name]);
  }
  await home.workspace.close();
  const [d, r, g, l] = [median(times.direct), median(times.raw), median(times.guarded), median(times.library)];
  console.log(
    `p50 in us: direct ${d.toFixed(0)}, line proxy ${r.toFixed(0)}, guard ${g.toFixed(0)}, library ${l.toFixed(0)}`,
  );
  return [
    {
      what: 'guard minus direct',
      against: '1.3 x library + 2 x proxy',
      target: { kind: 'most', value: 1, unit: 'x' },
      measured: (g - d) / (1.3 * l + 2 * Math.max(0, r - d)),
      ours: times.guarded,
      base: times.library,
    },
    {
      what: 'guard p99',
      against: 'its p50',
      target: { kind: 'most', value: 5, unit: 'x' },
      measured: quantile(times.guarded, 0.99) / g,
      ours: times.guarded,
      base: [],
    },
  ];
}

/** From the end of `aip revoke` to the last call that was still forwarded. */
async function revocation(): Promise<Result> {
  const home = await homeFor('revocation');
  await home.workspace.close();
  const guarded = guardOf(home);
  await guarded.call(1);
  let last = 0;
  let over = false;
  const calls = (async () => {
    while (!over) {
      const { isError } = (await guarded.call(1)) as { isError?: boolean };
      if (isError !== true) last = performance.now();
    }
  })();
  const revoking = spawn(process.execPath, [AIP, 'revoke', NAME, '--reason', 'bench', '--yes'], {
    env: home.env,
    stdio: 'ignore',
  });
  await new Promise((resolve) => revoking.once('close', resolve));
  const revoked = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  over = true;
  await calls;
  return {
    what: 'last call after a revocation',
    against: 'one second',
    target: { kind: 'most', value: 1_000, unit: 'ms more' },
    measured: Math.max(0, last - revoked),
    ours: [],
    base: [],
  };
}

/** What the guard holds after 10,000 calls and after 100,000. */
async function memory(): Promise<Result> {
  const home = await homeFor('memory');
  await home.workspace.close();
  const guarded = guardOf(home);
  const many = async (count: number): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await guarded.call(1);
    };
    await Promise.all(Array.from({ length: 64 }, worker));
  };
  await many(10_000);
  const before = residentMb(guarded.pid);
  await many(90_000);
  const after = residentMb(guarded.pid);
  console.log(`memory: ${before.toFixed(0)} MB after 10,000 calls, ${after.toFixed(0)} MB after 100,000`);
  return {
    what: 'memory after 100,000 calls',
    against: 'after 10,000, and 16 MB',
    target: { kind: 'most', value: before + 16, unit: 'MB' },
    measured: after,
    ours: [],
    base: [],
  };
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** `POST /v1/guard` over a port, against the same in this process: signed, verified, logged. */
async function service(): Promise<Result[]> {
  const home = await homeFor('service');
  const child = started([process.execPath, AIP, 'serve', '--as', NAME, '--listen', '127.0.0.1:0', '--json'], home.env);
  const url = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout! }).once('line', (line) =>
      resolve((JSON.parse(line) as { url: string }).url),
    );
  });
  const token = readFileSync(join(home.home, 'serve.token'), 'utf8').trim();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ask = (n: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const params = { amount: n % 50, to: 'acme.com' };
      const body = JSON.stringify({ agent_id: home.passport.agentId, action: 'echo', params, target: 'mcp:bench' });
      const headers = { authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body) };
      const sent = request(`${url}/v1/guard`, { method: 'POST', agent, headers }, (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.once('end', () => (text.includes('"success":true') ? resolve() : reject(new Error(text.slice(0, 300)))));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  const [http, here]: [number[], number[]] = [[], []];
  for (let n = -100; n < 800; n++) {
    const [a, b] = [await timed(() => ask(Math.abs(n))), await timed(() => libraryCall(home, Math.abs(n)))];
    if (n >= 0) http.push(a) && here.push(b);
  }
  const crowd = async (work: (n: number) => Promise<void>): Promise<number> => {
    let n = 0;
    const worker = async (): Promise<void> => {
      while (n < 1_500) await work((n += 1));
    };
    return timed(() => Promise.all(Array.from({ length: 32 }, worker)));
  };
  const rates: number[] = [];
  for (let round = -1; round < 5; round++) {
    const [over, inside] = [await crowd(ask), await crowd((n) => libraryCall(home, n))];
    if (round >= 0) rates.push(inside / over);
  }
  agent.destroy();
  await home.workspace.close();
  return [
    {
      what: 'service over HTTP, p50',
      against: 'in process',
      target: { kind: 'most', value: 1.15, unit: 'x' },
      measured: median(http) / median(here),
      ours: http,
      base: here,
    },
    {
      what: 'its rate, 32 connections',
      against: 'in process, 32 callers',
      target: { kind: 'least', value: 0.9, unit: 'x' },
      measured: median(rates),
      ours: [],
      base: [],
    },
  ];
}

/** A hook where the service is at hand. */
async function hook(): Promise<Result> {
  const home = await homeFor('hook');
  await home.workspace.close();
  const child = started([process.execPath, AIP, 'serve', '--as', NAME, '--json'], home.env);
  await new Promise((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
  const event = {
    hook_event_name: 'PreToolUse',
    cwd: '/r',
    tool_name: 'echo',
    tool_input: { amount: 1, to: 'acme.com' },
  };
  const [ours, base]: [number[], number[]] = [[], []];
  const run = (argv: readonly string[], input: string): number => {
    const start = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [...argv], { input, env: home.env, encoding: 'utf8' });
    if (status !== 0 || (input !== '' && stdout !== '{}\n')) throw new Error(`${argv.join(' ')}: ${status} ${stdout}`);
    return (performance.now() - start) * 1000;
  };
  for (let round = -3; round < 60; round++) {
    const [b, a] = [run(['-e', '0'], ''), run([AIP, 'hook', 'claude', '-p', NAME], JSON.stringify(event))];
    if (round >= 0) ours.push(a) && base.push(b);
  }
  return {
    what: 'aip hook, the service at hand',
    against: 'node -e 0',
    target: { kind: 'most', value: 1.4, unit: 'x' },
    measured: quantile(ours, 0.25) / quantile(base, 0.25),
    ours,
    base,
  };
}

async function shield(): Promise<Result> {
  const home = await homeFor('shield');
  const { workspace, passport, privateKey } = home;
  const tool = workspace.shield({ passport, actions: ['echo'], privateKey }, (params: object) => params);
  const [ours, base]: [number[], number[]] = [[], []];
  for (let n = -100; n < 1_000; n++) {
    const params = { amount: Math.abs(n) % 50, to: 'acme.com' };
    const [a, b] = [await timed(async () => tool(params)), await timed(() => libraryCall(home, Math.abs(n)))];
    if (n >= 0) ours.push(a) && base.push(b);
  }
  await workspace.close();
  return {
    what: 'shield',
    against: 'sign and verify',
    target: { kind: 'most', value: 1.5, unit: 'x' },
    measured: median(ours) / median(base),
    ours,
    base,
  };
}

const PARTS: Readonly<Record<string, () => Promise<Result | Result[]>>> = {
  guard,
  service,
  hook,
  shield,
  revocation,
  memory,
};

requireQuiet();
const asked = process.argv.slice(2);
const results: Result[] = [];
try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    results.push(...[await part()].flat());
    for (const child of children) child.kill('SIGTERM');
    children.clear();
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
}
console.log(`node ${process.version}, ${cpus().length} cores; load ${loadavg()[0]!.toFixed(1)}\n`);
console.log(table(results));
process.exitCode = results.every(isMet) ? 0 : 1;
