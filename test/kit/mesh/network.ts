/** A mesh on a real socket, and what a test needs to speak with it. */
import { randomBytes } from 'node:crypto';
import { listen, type Listening, type ListenOptions } from '../../../src/adapters/mesh/server/http-server.js';
import { MeshFollow, type MeshFollowOptions } from '../../../src/adapters/mesh/client/follow.js';
import { MeshHttp } from '../../../src/adapters/http/mesh-client.js';
import { checkOf, signerOf, verifyOperator } from '../../../src/adapters/mesh/mesh-key.js';
import type { Role } from '../../../src/mesh/access/roles.js';
import type { ServerOptions } from '../../../src/mesh/server/mesh-server.js';
import { MESH_SEED } from './keys.js';
import { AGENT, MESH_PUBLIC_KEY, TestMesh } from './server.js';

export interface NetworkMesh {
  readonly mesh: TestMesh;
  readonly listening: Listening;
  readonly url: string;
  readonly bugs: unknown[];
  http(role: Role): MeshHttp;
  post(role: Role, target: string, body: unknown): Promise<{ status: number; json: Record<string, unknown> }>;
  revoke(subject?: string, extra?: Record<string, unknown>): Promise<Record<string, unknown>>;
  follow(options?: Partial<MeshFollowOptions>): MeshFollow;
  close(): Promise<void>;
}

/** Serves on a free port of this machine; everything that was opened through it is closed with it. */
export async function network(
  options: Partial<ServerOptions> & { readonly operatorKey?: string } = {},
  port = 0,
  tls: ListenOptions['tls'] = null,
): Promise<NetworkMesh> {
  const clock = { now: 0, mono: 0, wall: Date.now, up: () => performance.now(), advance() {} };
  const mesh = await TestMesh.start(
    {
      randomHex: (n) => randomBytes(n).toString('hex'),
      soon: setImmediate,
      sign: signerOf(MESH_SEED).sign,
      verify: verifyOperator,
      ...options,
    },
    clock,
  );
  const bugs: unknown[] = [];
  const listening = await listen(mesh.server, {
    host: '127.0.0.1',
    port,
    tls,
    onBug: (error) => bugs.push(error),
  });
  const opened: { close(): void }[] = [];
  const http = (role: Role) => {
    const client = new MeshHttp(listening.url, mesh.keys[role].text);
    opened.push(client);
    return client;
  };
  const clients = new Map<Role, MeshHttp>();
  const post: NetworkMesh['post'] = async (role, target, body) => {
    if (!clients.has(role)) clients.set(role, http(role));
    const bytes = Buffer.from(JSON.stringify(body));
    const answer = await clients
      .get(role)!
      .ask({ method: 'POST', target, body: bytes, timeoutMs: 10_000, maxBytes: 65_536 });
    return { status: answer.status, json: JSON.parse(answer.body) as Record<string, unknown> };
  };
  return {
    mesh,
    listening,
    url: listening.url,
    bugs,
    http,
    post,
    revoke: async (subject = AGENT, extra = {}) => {
      const body = {
        cmd_id: randomBytes(8).toString('hex'),
        action: 'revoke',
        agent_id: subject,
        reason: 'r',
        ...extra,
      };
      return (await post('admin', '/v1/mesh/commands?wait=2s', body)).json;
    },
    follow: (more = {}) => {
      const follow = new MeshFollow({
        endpoints: [listening.url],
        key: mesh.keys.verifier.text,
        check: checkOf(MESH_PUBLIC_KEY)!,
        verifier: `v-${randomBytes(4).toString('hex')}`,
        maxAgeMs: 30_000,
        copy: null,
        onFailure: (error) => bugs.push(error),
        ...more,
      });
      opened.push({ close: () => follow.stop() });
      return follow;
    },
    close: async () => {
      for (const each of opened) each.close();
      await listening.close();
      await mesh.store.close();
      if (bugs.length > 0) throw bugs[0];
    },
  };
}

/** Waits until `condition` holds; fails after `ms`. */
export async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
