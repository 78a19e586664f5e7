/** Mesh stores in a PostgreSQL of the test's own, and a standby whose word each of its commits waits for. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PostgresMeshStore } from '../../../../src/adapters/postgres/mesh/store.js';
import { freePort } from '../../servers/free-port.js';
import { connectWithUrl, programFile, serverUser, type TestCluster } from '../../postgres.js';
import { LOG_ID } from '../server.js';

/** An opening of the mesh in a database; it is closed with the test unless that is done before. */
export async function openStore(url: string, logId = LOG_ID): Promise<PostgresMeshStore> {
  const store = await PostgresMeshStore.open({
    connect: (withinMs) => connectWithUrl(url, withinMs),
    newLogId: () => logId,
    node: randomBytes(4).toString('hex'),
  });
  onTestFinished(() => store.close());
  return store;
}

/** Seconds after which a standby that nobody stopped ends. */
const LIFETIME = 300;

/** A copy of a cluster that follows it. */
export class Standby {
  readonly #primary: TestCluster;
  readonly #data: string;
  readonly #port: number;
  #server: ChildProcess | null = null;

  private constructor(primary: TestCluster, data: string, port: number) {
    this.#primary = primary;
    this.#data = data;
    this.#port = port;
  }

  /** Copies the primary, starts, and makes the primary wait for it. */
  static async of(primary: TestCluster, number: number): Promise<Standby> {
    const data = join(primary.folder, `standby-${number}`);
    const standby = new Standby(primary, data, await freePort());
    const name = `standby_${number}`;
    const conn = `host=${primary.folder} port=${primary.port} user=postgres application_name=${name}`;
    primary.run('pg_basebackup', ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '-d', conn]);
    chmodSync(data, 0o700);
    const lines = [
      `port = ${standby.#port}`,
      `primary_conninfo = '${conn}'`,
      'hot_standby = on',
      "synchronous_standby_names = ''",
    ];
    writeFileSync(join(data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
    await standby.boot();
    await primary.admin(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
    await primary.admin('SELECT pg_reload_conf()');
    for (const end = Date.now() + 20_000; ;) {
      const rows = await primary.admin("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
      if (rows.length > 0) return standby;
      if (Date.now() > end) throw new Error('the standby did not become synchronous');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  url(database: string): string {
    return this.#primary.url(database).replace(`:${this.#primary.port}/`, `:${this.#port}/`);
  }

  async boot(): Promise<void> {
    rmSync(join(this.#data, 'postmaster.pid'), { force: true });
    this.#server = spawn('timeout', ['--signal=QUIT', String(LIFETIME), programFile('postgres'), '-D', this.#data], {
      ...serverUser(),
      cwd: this.#primary.folder,
      stdio: 'ignore',
    });
    for (const end = Date.now() + 30_000; ;) {
      try {
        return await (await connectWithUrl(this.url('postgres'), 1_000)).close();
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  }

  /** From now on it takes writes. */
  async promote(): Promise<void> {
    this.#primary.run('pg_ctl', ['promote', '-w', '-D', this.#data]);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    this.#primary.run('pg_ctl', ['stop', '-m', 'immediate', '-D', this.#data]);
    await ended;
  }

  async end(): Promise<void> {
    await this.kill().catch(() => undefined);
    if (existsSync(this.#data)) rmSync(this.#data, { recursive: true, force: true, maxRetries: 3 });
  }
}
