/**
 * Servers of one mesh on one database, which are killed and come back while commands are given and verifiers listen: what was acknowledged,
 * and what each verifier allowed after the bound.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MeshFollow } from '../../../../src/adapters/mesh/client/follow.js';
import { verifierKey } from '../../../../src/adapters/mesh/client/verifier-key.js';
import { checkOf } from '../../../../src/adapters/mesh/mesh-key.js';
import { MeshHttp } from '../../../../src/adapters/http/mesh-client.js';
import type { StreamsSeen } from './streams.js';

export interface SoakOptions {
  /** The compiled `node-process.ts`. */
  readonly program: string;
  readonly store: string;
  readonly folder: string;
  readonly nodes: number;
  /** Verifiers that fail closed, each with the whole list of servers. */
  readonly verifiers: number;
  readonly seconds: number;
  /** Between two commands, in ms. */
  readonly everyMs: number;
  /** Opens plain streams beside the verifiers; gives how they stand, when asked. */
  readonly streams: (
    ports: readonly number[],
    key: string,
  ) => { readonly seen: () => Promise<StreamsSeen>; readonly end: () => void };
}

export interface SoakReport {
  readonly acknowledged: number;
  /** Commands that were asked again under their id before they had an answer. */
  readonly askedAgain: number;
  readonly kills: number;
  /** Agents that a verifier which fails closed still allowed when the bound had passed since the acknowledgement. */
  readonly allowedLate: readonly string[];
  /** Acknowledged commands that the log does not hold, or holds at another place. */
  readonly lost: readonly string[];
  readonly alarms: readonly string[];
  readonly head: number;
  readonly streams: StreamsSeen;
}

/** Staleness bound of the verifiers, in ms. */
const BOUND_MS = 3_000;

interface Node {
  readonly url: string;
  readonly publicKey: string;
  readonly newAdminKey: string | null;
  readonly child: ChildProcess;
}

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { folder, seconds, everyMs } = options;
  const datas = Array.from({ length: options.nodes }, (_, i) => join(folder, `node-${i}`));
  const nodes: Node[] = [await start(options, datas[0]!, 0)];
  for (const data of datas.slice(1)) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    copyFileSync(join(datas[0]!, 'mesh.key'), join(data, 'mesh.key'));
    nodes.push(await start(options, data, 0));
  }
  const { publicKey, newAdminKey: admin } = nodes[0]!;
  const urls = nodes.map(({ url }) => url);
  const lines = urls.map((url) => new MeshHttp(url, admin!));
  const post = (line: MeshHttp, target: string, body: object) =>
    line.ask({ method: 'POST', target, body: Buffer.from(JSON.stringify(body)), timeoutMs: 5_000, maxBytes: 65_536 });
  const made = await post(lines[0]!, '/v1/mesh/keys', { role: 'verifier', max_verifiers: 100, ephemeral: true });
  const { key } = JSON.parse(made.body) as { key: string };
  const alarms: string[] = [];
  const verifiers = Array.from({ length: options.verifiers }, (_, i) => {
    mkdirSync(join(folder, `verifier-${i}`), { recursive: true, mode: 0o700 });
    const follow = new MeshFollow({
      endpoints: urls.map((_, n) => urls[(i + n) % urls.length]!),
      key,
      check: checkOf(publicKey)!,
      verifier: {
        key: verifierKey(join(folder, `verifier-${i}`, 'state.db')),
        ...{ label: `v-${i}`, host: 'h', program: '0.0.0', onStale: 'deny', maxAgeMs: BOUND_MS },
      },
      maxAgeMs: BOUND_MS,
      copy: null,
      onAlarm: (kind, message) => alarms.push(`${kind}: ${message}`),
      onFailure: (error) => alarms.push(String(error)),
    });
    follow.start();
    return follow;
  });
  const ports = urls.map((url) => Number(new URL(url).port));
  const streams = options.streams(ports, admin!);
  const acknowledged = new Map<string, number>();
  const allowedLate: string[] = [];
  const checks: Promise<void>[] = [];
  let askedAgain = 0;
  let kills = 0;
  const end = performance.now() + seconds * 1000;
  const commanding = async (): Promise<void> => {
    for (let n = 0; performance.now() < end; n++) {
      const subject = `did:web:acme.com:agents:soak-${n}`;
      const body = {
        cmd_id: `soak-${randomBytes(8).toString('hex')}`,
        action: 'revoke',
        agent_id: subject,
        reason: 'soak',
      };
      for (let i = 0; ; i++) {
        const reply = await post(lines[(n + i) % lines.length]!, '/v1/mesh/commands', body).catch(() => null);
        if (reply?.status === 200) {
          acknowledged.set(body.cmd_id, (JSON.parse(reply.body) as { seq: number }).seq);
          break;
        }
        if (i === 0) askedAgain++;
        await pause(50);
      }
      const at = performance.now();
      checks.push(
        pause(BOUND_MS).then(() => {
          for (const [i, each] of verifiers.entries()) {
            const refuses = each.check(subject).status === 'revoked' || each.state === 'expired';
            if (!refuses) allowedLate.push(`${subject} by ${i} ${Math.round(performance.now() - at)} ms later`);
          }
        }),
      );
      await pause(everyMs);
    }
  };
  const killing = async (): Promise<void> => {
    for (let i = 0; performance.now() < end - 2_000; i = (i + 1) % nodes.length) {
      await pause(1_000);
      const { child } = nodes[i]!;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      kills++;
      await pause(500);
      nodes[i] = await start(options, datas[i]!, ports[i]!);
    }
  };
  try {
    await Promise.all([commanding(), killing()]);
    await Promise.all(checks);
    const head = acknowledged.size;
    let seen = await streams.seen();
    for (
      const late = performance.now() + 30_000;
      seen.least < head && performance.now() < late;
      seen = await streams.seen()
    )
      await pause(200);
    const held = new Map<string, number>();
    for (let after = 0; after < head;) {
      const { body } = await lines[0]!.ask({
        ...{
          method: 'GET',
          target: `/v1/mesh/events?after=${after}&wait=0ms&v=2`,
          timeoutMs: 10_000,
          maxBytes: 64_000_000,
        },
      });
      const { events } = JSON.parse(body) as { events: readonly { cmd_id: string; seq: number }[] };
      if (events.length === 0) break;
      for (const { cmd_id, seq } of events) held.set(cmd_id, seq);
      after = events.at(-1)!.seq;
    }
    const lost = [...acknowledged].flatMap(([id, seq]) => (held.get(id) === seq ? [] : [id]));
    return {
      acknowledged: acknowledged.size,
      askedAgain,
      kills,
      allowedLate,
      lost,
      alarms,
      head: held.size,
      streams: seen,
    };
  } finally {
    streams.end();
    for (const each of verifiers) each.stop();
    for (const line of lines) line.close();
    for (const { child } of nodes) child.kill('SIGKILL');
  }
}

async function start({ program, store }: SoakOptions, data: string, port: number): Promise<Node> {
  const child = spawn(process.execPath, [program, data, store, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const said = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('\n')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`a server ended with ${code}: ${err.slice(0, 2_000)}`)));
  });
  await said;
  return { ...(JSON.parse(out) as Omit<Node, 'child'>), child };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
