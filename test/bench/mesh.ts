/**
 * How fast a deny travels and what a stream costs: server and readers as processes of their own on this machine.
 * `npm run bench:mesh [-- streams]`. Prints medians and p99 of several runs, and how busy the machine was; fails nothing.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { listen } from '../../src/adapters/mesh/server/http-server.js';
import { MeshHttp } from '../../src/adapters/http/mesh-client.js';
import { openLocalCopy } from '../../src/adapters/mesh/client/local-copy.js';
import { MeshFollow } from '../../src/adapters/mesh/client/follow.js';
import { checkOf, signerOf, verifyOperator } from '../../src/adapters/mesh/mesh-key.js';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { hashApiKey, newApiKey } from '../../src/mesh/access/api-key.js';
import { Copy } from '../../src/mesh/client/copy.js';
import { commandDigest } from '../../src/mesh/command.js';
import { judgeWith } from '../../src/mesh/ruling.js';
import { MeshServer } from '../../src/mesh/server/mesh-server.js';
import { requireQuiet } from './baseline.js';
import { passportOfSerial, PRINCIPAL, PRINCIPAL_KEY, PUBLISHED_AGENT } from './published.js';
import { revokeCommand } from './revoke-command.js';
import { rosterCost } from './roster.js';

const RUNS = 20;
const BURST = 200;
const MARK = Buffer.from('event: event');
/** No frame of an event is shorter, in bytes: its hashes and its signature alone are longer. */
const LEAST_FRAME = 256;
const SELF = fileURLToPath(import.meta.url);

/** Both processes read one clock: the machine's monotonic one. */
const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!.toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (n=${sorted.length})`;
}

async function serve(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
  const store = new SqliteMeshStore(join(folder, 'mesh.db'), () => randomBytes(16).toString('hex'));
  const key = newApiKey('admin', randomBytes(38));
  await store.keys.add({
    keyId: key.keyId,
    role: 'admin',
    hash: hashApiKey(key),
    label: null,
    publicKey: null,
    createdAt: Date.now(),
    revokedAt: null,
  });
  const { sign, publicKey } = signerOf(randomBytes(32));
  const mesh = await MeshServer.start({
    store,
    clock: { wall: Date.now, up: () => performance.now() },
    randomHex: (n) => randomBytes(n).toString('hex'),
    sign,
    publicKey,
    verify: verifyOperator,
    soon: setImmediate,
    onFatal: (error) => {
      throw error;
    },
  });
  const listening = await listen(mesh, {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    onBug: (error) => {
      throw error;
    },
  });
  process.send!({ port: listening.port, key: key.text, publicKey });
  process.on('message', (message) => {
    if (message === 'memory') {
      globalThis.gc?.();
      process.send!({ rss: process.memoryUsage().rss, streams: mesh.hub.size });
    } else if (message === 'burst') {
      // As one transaction of a busy moment: what is measured is the way to the streams.
      const judge = judgeWith(Date.now(), sign);
      const batch = Array.from({ length: BURST }, (_, n) => {
        const fields = { action: 'revoke', reason: 'bench', by: null, durationMs: null, version: null } as const;
        const subject = `did:web:acme.com:agents:c${n}`;
        const command = { ...fields, logId: null, expiresAt: null, cmdId: randomBytes(8).toString('hex'), subject };
        return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
      });
      void store.append(batch, judge).then(() => process.send!({ started: now() }));
    } else {
      void listening.close().then(async () => {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
        process.exit(0);
      });
    }
  });
}

/** What a stream would be without the ring: one write an event and client. */
function serveNaively(): void {
  const sockets: Socket[] = [];
  const data = `id: ${'a'.repeat(32)}.1.1\nevent: event\ndata: ${'x'.repeat(700)}\n\n`;
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nevent: hello\ndata: {}\n\n');
      sockets.push(socket);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port, key: 'none' }));
  process.on('message', (message) => {
    if (message !== 'burst') process.exit(0);
    process.send!({ started: now() });
    for (let n = 0; n < BURST; n++) {
      const bytes = Buffer.from(data);
      for (const socket of sockets) socket.write(bytes);
    }
  });
}

/** Holds `count` plain streams and tells when each saw the event that a mark stands for. */
function read(port: number, key: string, count: number): void {
  let open = 0;
  let seen: number[] = [];
  const dial = (): void => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET /v1/mesh/stream?v=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
    });
    let greeted = false;
    let events = 0;
    let tail: Buffer | null = null;
    socket.on('data', (bytes: Buffer) => {
      if (!greeted && bytes.includes('event: hello')) {
        greeted = true;
        open++;
        if (open === count) process.send!({ open });
      }
      // A mark may lie across two pieces, unless the first ends where a frame ends.
      if (tail !== null && Buffer.concat([tail, bytes.subarray(0, MARK.length - 1)]).includes(MARK)) events++;
      for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + LEAST_FRAME)) events++;
      tail = bytes.at(-1) === 0x0a ? null : Buffer.from(bytes.subarray(-(MARK.length - 1)));
      if (events >= wanted) {
        events = 0;
        seen.push(now());
        if (seen.length === count) {
          process.send!({ seen });
          seen = [];
        }
      }
    });
    socket.on('error', (error) => {
      throw error;
    });
  };
  let wanted = 1;
  process.on('message', (message) => {
    if (typeof message === 'number') wanted = message;
    else process.exit(0);
  });
  let asked = 0;
  const some = (): void => {
    // In waves, so that the backlog never overflows.
    for (let i = 0; i < 100 && asked < count; i++, asked++) dial();
    if (asked < count) setTimeout(some, 5);
  };
  some();
}

function child(...args: string[]): ChildProcess {
  return fork(SELF, args, { execArgv: [...process.execArgv, '--expose-gc'] });
}

function message<T>(from: ChildProcess): Promise<T> {
  return new Promise((resolve) => from.once('message', resolve as (value: unknown) => void));
}

async function main(counts: readonly number[]): Promise<void> {
  requireQuiet();
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)} from others`);
  await revokeCommand();
  for (let run = 0; run < 5; run++) localCheck();
  await rosterCost(5_000);
  if (counts.length > 1) await compareBursts(2_000);
  for (const count of counts) {
    const server = child('serve');
    const { port, key, publicKey } = await message<{ port: number; key: string; publicKey: string }>(server);
    server.send('memory');
    const empty = await message<{ rss: number }>(server);
    const reader = child('read', String(port), key, String(count));
    await message(reader);
    server.send('memory');
    const full = await message<{ rss: number; streams: number }>(server);
    const perStream = (full.rss - empty.rss) / 1024 / full.streams;
    const http = new MeshHttp(`http://127.0.0.1:${port}`, key);
    const command = (n: number) =>
      http.ask({
        method: 'POST',
        target: '/v1/mesh/commands',
        body: Buffer.from(
          JSON.stringify({
            cmd_id: `bench-${randomBytes(8).toString('hex')}`,
            action: 'revoke',
            agent_id: `did:web:acme.com:agents:a${n % 1000}`,
            reason: 'bench',
          }),
        ),
        timeoutMs: 30_000,
        maxBytes: 65_536,
      });
    const all: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const seen = message<{ seen: number[] }>(reader);
      const started = now();
      await command(run);
      all.push(...(await seen).seen.map((at) => at - started));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    console.log(`${count} streams, revoke to applied: ${spread(all)}; ${perStream.toFixed(1)} KB a stream`);
    await passportUpdates({ port, key, publicKey, http, reader, count });

    reader.send('end');
    await new Promise((resolve) => reader.once('exit', resolve));

    const commands = 4_000;
    const before = now();
    const clients = Array.from({ length: 16 }, () => new MeshHttp(`http://127.0.0.1:${port}`, key));
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; i < commands / 64; i++) {
          await Promise.all(
            Array.from({ length: 4 }, (_, j) =>
              client.ask({
                method: 'POST',
                target: '/v1/mesh/commands',
                body: Buffer.from(
                  JSON.stringify({
                    cmd_id: `bench-${c}-${i}-${j}-${randomBytes(4).toString('hex')}`,
                    action: 'revoke',
                    agent_id: `did:web:acme.com:agents:b${i}`,
                    reason: 'bench',
                  }),
                ),
                timeoutMs: 30_000,
                maxBytes: 65_536,
              }),
            ),
          );
        }
      }),
    );
    console.log(
      `load ${loadavg()[0]!.toFixed(1)}; durable denies: ${Math.round((commands / (now() - before)) * 1000)} a second`,
    );
    for (const client of [...clients, http]) client.close();
    server.send('end');
    await new Promise((resolve) => server.once('exit', resolve));
  }
}

interface Publishing {
  readonly port: number;
  readonly key: string;
  readonly publicKey: string;
  readonly http: MeshHttp;
  readonly reader: ChildProcess;
  readonly count: number;
}

/**
 * How long a passport's update takes until the one before it is refused elsewhere: at every stream the event, and at a verifier with a copy
 * on disk, among them, the floor that refuses.
 */
async function passportUpdates({ port, key, publicKey, http, reader, count }: Publishing): Promise<void> {
  const post = async (target: string, body: object): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(body));
    const answer = await http.ask({ method: 'POST', target, body: bytes, timeoutMs: 30_000, maxBytes: 65_536 });
    if (answer.status >= 300) throw new Error(answer.body);
  };
  await post('/v1/mesh/principals', { did: PRINCIPAL, public_key: PRINCIPAL_KEY });
  const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
  const copy = openLocalCopy(join(folder, 'state.db'), publicKey, randomBytes);
  let floored: (at: number) => void = () => undefined;
  const follow = new MeshFollow({
    endpoints: [`http://127.0.0.1:${port}`],
    key,
    check: checkOf(publicKey)!,
    verifier: null,
    maxAgeMs: 30_000,
    copy,
    onPassports: () => floored(now()),
    onFailure: (error) => {
      throw error;
    },
  });
  follow.start();
  while (follow.state !== 'live') await new Promise((resolve) => setTimeout(resolve, 20));
  const [streams, floors]: [number[], number[]] = [[], []];
  for (let run = 1; run <= RUNS; run++) {
    const seen = message<{ seen: number[] }>(reader);
    const floor = new Promise<number>((resolve) => (floored = resolve));
    const passport = passportOfSerial(run);
    const started = now();
    await post('/v1/mesh/passports', { cmd_id: randomBytes(8).toString('hex'), passport });
    streams.push(...(await seen).seen.map((at) => at - started));
    floors.push((await floor) - started);
    if (copy.passportMarks().find(({ agent }) => agent === PUBLISHED_AGENT)?.serial !== run)
      throw new Error('the floor was not raised');
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  console.log(`${count} streams, passport update to refused elsewhere: ${spread(streams)}`);
  console.log(`  a verifier with its copy on disk, among them: ${spread(floors)}`);
  follow.stop();
  copy.close();
  rmSync(folder, { recursive: true, force: true });
}

/** How long a burst takes to reach the last of `count` streams, from the ring and with one write an event. */
async function compareBursts(count: number): Promise<void> {
  const took: Record<string, number[]> = {};
  for (let run = 0; run < 5; run++) {
    for (const how of ['serve', 'naive']) {
      const server = child(how);
      const { port, key } = await message<{ port: number; key: string }>(server);
      const reader = child('read', String(port), key, String(count));
      await message(reader);
      reader.send(BURST);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const seen = message<{ seen: number[] }>(reader);
      const begun = message<{ started: number }>(server);
      server.send('burst');
      const { started } = await begun;
      const last = Math.max(...(await seen).seen) - started;
      (took[how] ??= []).push(last);
      reader.send('end');
      server.send('end');
      await Promise.all([reader, server].map((each) => new Promise((resolve) => each.once('exit', resolve))));
    }
  }
  const median = (how: string) => took[how]!.sort((a, b) => a - b)[2]!;
  const [ring, naive] = [median('serve'), median('naive')];
  console.log(
    `${BURST} events to ${count} streams: ${ring.toFixed(0)} ms; with one write an event ${naive.toFixed(0)} ms, ${(naive / ring).toFixed(1)} times as long`,
  );
}

function localCheck(): void {
  const copy = new Copy();
  const million = 1_000_000;
  const standings = Array.from({ length: million }, (_, n) => ({
    subject: `did:web:acme.com:agents:a${n}`,
    status: 'revoked' as const,
    reason: null,
    changedAt: 0,
    changedBy: null,
    suspendedUntil: null,
    version: 1,
    seq: n + 1,
  }));
  copy.restore({ logId: 'a'.repeat(32), term: 1, seq: million, hash: 'b'.repeat(64) }, standings, []);
  const times: number[] = [];
  let denied = 0;
  for (let i = 0; i < 200_000; i++) {
    // A fresh string each time: a verifier parses the id out of an intent.
    const agent = Buffer.from(`did:web:acme.com:agents:a${(i * 7919) % (2 * million)}`).toString();
    const started = performance.now();
    if (copy.denial(agent, 1) !== null) denied++;
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (q: number) => (times[Math.floor(q * times.length)]! * 1000).toFixed(2);
  console.log(`local check, ${million} denied: p50 ${at(0.5)} us, p99 ${at(0.99)} us (${denied} denied)`);
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'serve') await serve();
else if (role === 'naive') serveNaively();
else if (role === 'read') read(Number(rest[0]), rest[1]!, Number(rest[2]));
else await main(role === undefined ? [1_000, 5_000, 10_000] : [Number(role)]);
