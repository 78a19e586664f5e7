/** A home with regions that follow it, each on a socket and a folder of its own, in this process. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MeshFollow, type MeshFollowOptions } from '../../../../src/adapters/mesh/client/follow.js';
import { verifierKey } from '../../../../src/adapters/mesh/client/verifier-key.js';
import { checkOf } from '../../../../src/adapters/mesh/mesh-key.js';
import { MeshHttp } from '../../../../src/adapters/http/mesh-client.js';
import type { Replication } from '../../../../src/mesh/server/regions/registry.js';
import { serveRegion, type Following } from '../../../../src/workspace/mesh/region.js';
import { serveMesh, type Serving, type ServingOptions } from '../../../../src/workspace/mesh/serving.js';
import { SYSTEM } from '../../../../src/workspace/world.js';
import { scratch } from '../../scratch.js';

const WORLD = { ...SYSTEM, env: {} };

export interface Answered {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

export class Home {
  readonly data: string;
  readonly bugs: unknown[] = [];
  serving!: Serving;
  #admin = '';

  private constructor(data: string) {
    this.data = data;
  }

  static async start(
    options: {
      readonly data?: string;
      readonly replication?: Replication;
      readonly admin?: string;
    } & Partial<ServingOptions> = {},
  ): Promise<Home> {
    const home = new Home(options.data ?? scratch());
    await home.boot(options);
    if (options.admin !== undefined) home.#admin = options.admin;
    return home;
  }

  /** Serves the folder (again), on a port of its own unless one is named. */
  async boot(
    options: { readonly replication?: Replication; readonly port?: number } & Partial<ServingOptions> = {},
  ): Promise<void> {
    const { data: _, ...rest } = options;
    this.serving = await serveMesh(SYSTEM, {
      data: this.data,
      host: '127.0.0.1',
      port: 0,
      tls: null,
      requireSignedCommands: false,
      operatorKey: null,
      onBug: (error) => this.bugs.push(error),
      ...rest,
    });
    const { serving } = this;
    this.#admin = serving.newAdminKey ?? this.#admin;
    onTestFinished(() => serving.close());
  }

  get url(): string {
    return this.serving.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get publicKey(): string {
    return this.serving.publicKey;
  }

  get admin(): string {
    return this.#admin;
  }

  async key(role: string, label: string | null = null, extra: object = {}): Promise<string> {
    const body = { role, ...(label === null ? {} : { label }), ...extra };
    return String((await post(this.url, this.#admin, '/v1/mesh/keys', body)).json.key);
  }

  revoke(
    subject: string,
    { at = this.url, key = this.#admin, query = '', ...extra }: RevokeOptions = {},
  ): Promise<Answered> {
    const command = {
      cmd_id: randomBytes(8).toString('hex'),
      action: 'revoke',
      agent_id: subject,
      reason: 'r',
      ...extra,
    };
    return post(at, key, `/v1/mesh/commands?wait=100ms${query}`, command);
  }
}

export interface RevokeOptions {
  readonly at?: string;
  readonly key?: string;
  readonly query?: string;
  readonly cmd_id?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly version?: number;
  readonly duration_seconds?: number;
}

/** A region of `home`, reached at `url` where that differs. */
export async function region(
  home: Pick<Home, 'publicKey'>,
  {
    url,
    key,
    data = scratch(),
    port = 0,
  }: { readonly url: string; readonly key: string; readonly data?: string; readonly port?: number },
): Promise<Following & { readonly data: string; readonly troubles: string[]; readonly bugs: unknown[] }> {
  const troubles: string[] = [];
  const bugs: unknown[] = [];
  const following = await serveRegion(WORLD, {
    data,
    host: '127.0.0.1',
    port,
    tls: null,
    home: url,
    key,
    publicKey: home.publicKey,
    ca: null,
    onBug: (error) => bugs.push(error),
    onTrouble: (message) => troubles.push(message),
    onRecovered: () => troubles.push('over'),
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await following.close();
    closed = true;
  };
  onTestFinished(close);
  return { ...following, close, data, troubles, bugs };
}

/** A verifier that listens to `url`; it ends with the test. */
export function listener(
  url: string,
  key: string,
  publicKey: string,
  more: Partial<MeshFollowOptions> = {},
): MeshFollow & { readonly alarms: string[] } {
  const alarms: string[] = [];
  const follow = new MeshFollow({
    endpoints: [url],
    key,
    check: checkOf(publicKey)!,
    verifier: {
      key: verifierKey(join(scratch(), 'state.db')),
      host: 'h',
      label: `v-${randomBytes(3).toString('hex')}`,
      program: '0.0.0',
      onStale: 'deny',
      maxAgeMs: 3_000,
    },
    maxAgeMs: 3_000,
    copy: null,
    onAlarm: (kind, message) => alarms.push(`${kind}: ${message}`),
    onFailure: (error) => alarms.push(String(error)),
    ...more,
  });
  onTestFinished(() => follow.stop());
  follow.start();
  return Object.assign(follow, { alarms });
}

export async function post(url: string, key: string, target: string, body: unknown): Promise<Answered> {
  return ask(url, key, 'POST', target, Buffer.from(JSON.stringify(body)));
}

export async function get(
  url: string,
  key: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<Answered> {
  return ask(url, key, 'GET', target, undefined, headers);
}

async function ask(
  url: string,
  key: string,
  method: 'GET' | 'POST',
  target: string,
  body?: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const http = new MeshHttp(url, key);
  try {
    const call = {
      method,
      target,
      headers,
      ...(body === undefined ? {} : { body }),
      timeoutMs: 15_000,
      maxBytes: 8_000_000,
    };
    const { status, body: text } = await http.ask(call);
    return { status, json: JSON.parse(text) as Record<string, unknown> };
  } finally {
    http.close();
  }
}
