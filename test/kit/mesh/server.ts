/** A mesh server without sockets: a store in memory, a clock that a test moves, streams that collect what they are given. */
import { MemoryMeshStore } from './memory/store.js';
import { hashApiKey, newApiKey, type ApiKey } from '../../../src/mesh/access/api-key.js';
import type { Role } from '../../../src/mesh/access/roles.js';
import { bodyLimit, handle } from '../../../src/mesh/server/http/handle.js';
import type {
  StreamConnection,
  PiecesReply,
  Reply,
  StreamSink,
  StreamReply,
  WholeReply,
} from '../../../src/mesh/server/http/exchange.js';
import { undocumented } from '../servers/documented.js';
import { MeshServer, type ServerOptions } from '../../../src/mesh/server/mesh-server.js';
import { FrameParser, type Frame } from '../../../src/protocol/framing/sse.js';
import type { MeshStore } from '../../../src/mesh/log/store.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { verifyKeyOf, verifySignature } from '../../../src/protocol/ed25519/verify.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey, parsePublicKey } from '../../../src/protocol/identity/keys.js';

export const LOG_ID = 'a1'.repeat(16);
export const AGENT = 'did:web:acme.com:agents:support-agent-v1';
export const PRINCIPAL = 'did:web:acme.com';

const SEED = new Uint8Array(32).fill(7);
const MESH_KEY = verifyKeyOf(publicKeyOf(SEED))!;
export const MESH_PUBLIC_KEY = formatPublicKey(publicKeyOf(SEED));

/** Real Ed25519 signatures of a fixed mesh key. */
export function sign(text: string): string {
  return toHex(signMessage(SEED, Buffer.from(text)));
}
export function check(text: string, signature: string): boolean {
  return verifySignature(MESH_KEY, Buffer.from(text), fromHex(signature)!);
}

/** Signatures that cost nothing, for tests with thousands of events: the property kept is that only the text signed holds. */
export function cheapSign(text: string): string {
  return sha256Hex(`mesh ${text}`).repeat(2);
}
export function cheapCheck(text: string, signature: string): boolean {
  return cheapSign(text) === signature;
}

export function verifyOperator(publicKey: string, text: string, signature: string): boolean {
  const key = verifyKeyOf(parsePublicKey(publicKey)!);
  return key !== null && verifySignature(key, Buffer.from(text), fromHex(signature)!);
}

export class TestClock {
  now = Date.parse('2026-02-18T14:23:45.000Z');
  mono = 0;
  wall = () => this.now;
  up = () => this.mono;
  advance(ms: number): void {
    this.now += ms;
    this.mono += ms;
  }
}

/** A reader of a stream: takes everything, or as little as a test says. */
export class Reader implements StreamSink {
  readonly parser = new FrameParser(1 << 20);
  readonly frames: Frame[] = [];
  text = '';
  writes = 0;
  ended = false;
  cutOff = false;
  /** False: behaves like a reader that lags. */
  takes = true;
  connection: StreamConnection | null = null;

  write(bytes: Uint8Array): boolean {
    this.writes++;
    this.#take(bytes);
    return this.takes;
  }
  end(last: Uint8Array | null): void {
    if (last !== null) this.#take(last);
    this.ended = true;
  }
  cut(): void {
    this.cutOff = true;
  }
  drain(): void {
    this.takes = true;
    this.connection?.drained();
  }
  of(event: string): Frame[] {
    return this.frames.filter((frame) => frame.event === event);
  }
  #take(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString();
    this.frames.push(...this.parser.push(bytes));
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  json<T = Record<string, unknown>>(): T;
}

export class TestMesh {
  readonly clock: TestClock;
  readonly server: MeshServer;
  readonly store: MeshStore;
  readonly keys: Readonly<Record<Role, ApiKey>>;
  readonly fatal: unknown[];

  private constructor(
    clock: TestClock,
    server: MeshServer,
    store: MeshStore,
    keys: Readonly<Record<Role, ApiKey>>,
    fatal: unknown[],
  ) {
    this.clock = clock;
    this.server = server;
    this.store = store;
    this.keys = keys;
    this.fatal = fatal;
  }

  static async start(
    options: Partial<ServerOptions> & { readonly operatorKey?: string } = {},
    clock = new TestClock(),
  ): Promise<TestMesh> {
    const store = options.store ?? new MemoryMeshStore(LOG_ID);
    const keys = {} as Record<Role, ApiKey>;
    const roles: readonly Role[] = ['observer', 'verifier', 'operator', 'admin', 'approver'];
    for (const [i, role] of roles.entries()) {
      const key = newApiKey(role, new Uint8Array(38).fill(i + 1));
      keys[role] = key;
      if ((await store.keys.find(key.keyId)) !== null) continue;
      await store.keys.add({
        keyId: key.keyId,
        role,
        hash: hashApiKey(key),
        label: null,
        publicKey: options.operatorKey ?? null,
        createdAt: clock.now,
        revokedAt: null,
      });
    }
    let counter = 0;
    const fatal: unknown[] = [];
    const server = await MeshServer.start({
      store,
      clock,
      randomHex: (n) =>
        sha256Hex(`random ${counter++}`)
          .repeat(2)
          .slice(0, n * 2),
      sign,
      publicKey: MESH_PUBLIC_KEY,
      verify: verifyOperator,
      soon: (work) => queueMicrotask(work),
      onFatal: (error) => fatal.push(error),
      ...options,
    });
    return new TestMesh(clock, server, store, keys, fatal);
  }

  async request(
    method: string,
    target: string,
    role: Role | null,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const url = new URL(target, 'http://mesh.test');
    const bytes =
      body === undefined ? new Uint8Array() : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    if (bytes.length > bodyLimit(method, url.pathname) && bytes.length > 0)
      throw new Error('larger than the adapter lets in');
    return handle(this.server, {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: { ...(role === null ? {} : { authorization: `Bearer ${this.keys[role].text}` }), ...headers },
      body: bytes,
      remote: '127.0.0.1',
    });
  }

  async ask(
    method: string,
    target: string,
    role: Role | null,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const reply = (await this.request(method, target, role, body, headers)) as WholeReply | PiecesReply;
    const text = 'pieces' in reply ? Buffer.concat(reply.pieces).toString() : reply.body;
    const problem = undocumented(method, new URL(target, 'http://mesh.test').pathname, body, reply.status, text);
    if (problem !== null) throw new Error(problem);
    return { status: reply.status, headers: reply.headers, body: text, json: <T>() => JSON.parse(text) as T };
  }

  async stream(
    target: string,
    headers: Readonly<Record<string, string>> = {},
    role: Role = 'verifier',
  ): Promise<Reader> {
    const reply = (await this.request('GET', target, role, undefined, headers)) as StreamReply & WholeReply;
    if (reply.open === undefined) throw new Error(`no stream: ${reply.status} ${reply.body}`);
    const reader = new Reader();
    reader.connection = reply.open(reader);
    await settle();
    return reader;
  }

  command(action: string, extra: Record<string, unknown> = {}, role: Role = 'admin'): Promise<Answer> {
    return this.ask('POST', '/v1/mesh/commands', role, {
      cmd_id: `cmd-${counterOf()}`,
      action,
      agent_id: AGENT,
      ...(action === 'reinstate' ? {} : { reason: 'test' }),
      ...extra,
    });
  }
}

let counter = 10_000_000;
function counterOf(): number {
  return counter++;
}

/** Lets everything run that is ready to. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}
