/**
 * A PostgreSQL of its own for a test file: an unprivileged user, a folder and a port of its own, nothing shared with a cluster that the
 * system may have. It ends with the file, by itself after ten minutes, and where this process is gone.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, chownSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parsePostgresUrl, passwordIn } from '../../../src/adapters/postgres/address.js';
import { connectTo, type Connection, type PostgresRow } from '../../../src/adapters/postgres/connection.js';
import { passwordsOf } from '../../../src/adapters/postgres/password.js';
import { freePort } from '../servers/free-port.js';

/** Seconds after which a server that nobody stopped ends. */
const LIFETIME = 600;
const PASSWORD = 'sup3r-s3cret';

/** Folder of PostgreSQL's programs; null, with the reason printed, when there is none and AIP_TEST_POSTGRES is not 1. */
function programs(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const named = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const found = [...versions.map((version) => join(debian, version, 'bin')), named].find(
    (folder) => folder !== '' && existsSync(join(folder, 'initdb')),
  );
  if (found !== undefined) return found;
  if (process.env['AIP_TEST_POSTGRES'] === '1')
    throw new Error('AIP_TEST_POSTGRES is 1 and no PostgreSQL is installed');
  console.warn('skipped: no PostgreSQL is installed; install postgresql (and pgbouncer) to test what a fleet shares');
  return null;
}

/** Folder of PostgreSQL's programs; null where it is not installed. */
export const BIN = programs();

/** The user that the server runs as: PostgreSQL refuses to be root. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim());
    if (uid !== '' && gid !== '') return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('there is no user that PostgreSQL could run as');
}

/** The user that a server of a test runs as. */
export const serverUser = unprivileged;

/** One of PostgreSQL's programs. */
export function programFile(name: string): string {
  return join(BIN!, name);
}

/** What differs from a cluster as it is made. */
export interface ClusterOptions {
  /** Lines of postgresql.conf. */
  readonly config?: readonly string[];
  /** PEM texts; with them the server takes TLS, and over TCP nothing else. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A cluster that runs. */
export class TestCluster {
  readonly folder: string;
  readonly port: number;
  readonly #user = unprivileged();
  #server: ChildProcess | null = null;
  #databases = 0;
  readonly #poolers: ChildProcess[] = [];

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'aip-pg-'));
    const cluster = new TestCluster(folder, await freePort());
    cluster.#own(folder);
    process.once('exit', () => cluster.#remove());
    cluster.file('password', PASSWORD);
    const auth = [
      '--auth-local=trust',
      '--auth-host=scram-sha-256',
      '-U',
      'postgres',
      '--pwfile',
      join(folder, 'password'),
    ];
    cluster.run('initdb', ['-D', cluster.data, '--no-sync', '--no-locale', '-E', 'UTF8', ...auth]);
    if (options.tls !== undefined) {
      cluster.file('server.crt', options.tls.cert);
      cluster.file('server.key', options.tls.key);
      writeFileSync(join(cluster.data, 'pg_hba.conf'), 'local all all trust\nhostssl all all all scram-sha-256\n');
    }
    const lines = [
      `port = ${cluster.port}`,
      `listen_addresses = '127.0.0.1'`,
      `unix_socket_directories = '${folder}'`,
      'max_connections = 120',
      'shared_buffers = 32MB',
      'log_min_messages = fatal',
      ...(options.tls === undefined
        ? []
        : ['ssl = on', `ssl_cert_file = '${folder}/server.crt'`, `ssl_key_file = '${folder}/server.key'`]),
      ...(options.config ?? []),
    ];
    writeFileSync(join(cluster.data, 'postgresql.conf'), `${lines.join('\n')}\n`, { flag: 'a' });
    await cluster.boot();
    return cluster;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  /** Starts the server again after `kill` or `stop`, and waits until it answers. */
  async boot(): Promise<void> {
    this.#server = spawn('timeout', ['--signal=QUIT', String(LIFETIME), join(BIN!, 'postgres'), '-D', this.data], {
      ...this.#user,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', process.env['AIP_TEST_POSTGRES_LOG'] === undefined ? 'ignore' : 'inherit'],
    });
    const end = Date.now() + 30_000;
    for (;;) {
      try {
        await this.admin('SELECT 1');
        return;
      } catch (error) {
        if (Date.now() > end || this.#server.exitCode !== null)
          throw new Error('PostgreSQL did not start; AIP_TEST_POSTGRES_LOG=1 shows why', { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  }

  /** A URL over TCP, with its password unless `password` is null. */
  url(database: string, user = 'postgres', password: string | null = PASSWORD, search = ''): string {
    return `postgres://${user}${password === null ? '' : `:${password}`}@127.0.0.1:${this.port}/${database}${search}`;
  }

  /** A new, empty database, and its URL for the superuser. */
  async database(): Promise<{ readonly name: string; readonly url: string }> {
    const name = `test_${++this.#databases}`;
    await this.admin(`CREATE DATABASE ${name}`);
    return { name, url: this.url(name) };
  }

  /** Runs SQL as the superuser on a connection of its own. */
  async admin(sql: string, database = 'postgres'): Promise<readonly PostgresRow[]> {
    const connection = await connectWithUrl(
      `postgres://postgres@/${database}?host=${encodeURIComponent(this.folder)}&port=${this.port}`,
    );
    try {
      return await connection.query(sql, [], 20_000);
    } finally {
      await connection.close();
    }
  }

  /** Process id of the postmaster. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  }

  /** SIGKILL to the postmaster and all that it started, as a machine that loses power. */
  async kill(): Promise<void> {
    const { pid } = this;
    const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    const ended = this.#ended();
    for (const each of [pid, ...children.map(Number)]) signal(each, 'SIGKILL');
    await ended;
    // Shared memory is let go with the last of them. What only waits to be buried holds none.
    const left = () => spawnSync('ps', ['-o', 'stat=', '-p', children.join(',') || '0'], { encoding: 'utf8' }).stdout;
    while (/^[^Z\s]/m.test(left())) await new Promise((resolve) => setTimeout(resolve, 5));
    rmSync(join(this.data, 'postmaster.pid'), { force: true });
  }

  /** Stops it without waiting for anybody. */
  async stop(): Promise<void> {
    if (this.#server === null || this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const ended = this.#ended();
    signal(this.pid, 'SIGQUIT');
    await ended;
  }

  /** Stops it and removes its folder. */
  async end(): Promise<void> {
    for (const pooler of this.#poolers) pooler.kill();
    await this.stop().catch(() => undefined);
    this.#remove();
  }

  /** A file that the server may read and nobody else. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    this.#own(path);
    return path;
  }

  /** Runs one of PostgreSQL's programs as the server's user. */
  run(program: string, args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(join(BIN!, program), args, {
      ...this.#user,
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
    return stdout;
  }

  /** pgbouncer in transaction mode before this cluster; its port. It ends with the test file. Null where it is not installed. */
  async pooler(users: Readonly<Record<string, string>>): Promise<number | null> {
    const path = spawnSync('which', ['pgbouncer'], {
      encoding: 'utf8',
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
    });
    if (path.stdout.trim() === '') {
      if (process.env['AIP_TEST_POSTGRES'] === '1')
        throw new Error('AIP_TEST_POSTGRES is 1 and no pgbouncer is installed');
      return null;
    }
    const port = await freePort();
    const list = Object.entries(users).map(([name, password]) => `"${name}" "${password}"`);
    const config = [
      '[databases]',
      `* = host=127.0.0.1 port=${this.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'auth_type = scram-sha-256',
      `auth_file = ${this.file('users.txt', `${list.join('\n')}\n`)}`,
      'pool_mode = transaction',
      'default_pool_size = 4',
      'max_client_conn = 200',
      'unix_socket_dir =',
      'logfile =',
      'verbose = 0',
    ];
    const file = this.file('pgbouncer.ini', `${config.join('\n')}\n`);
    const child = spawn('timeout', [String(LIFETIME), path.stdout.trim(), '-q', file], {
      ...this.#user,
      cwd: this.folder,
      stdio: 'ignore',
    });
    process.once('exit', () => child.kill());
    this.#poolers.push(child);
    const [user, password] = Object.entries(users)[0]!;
    for (const end = Date.now() + 10_000; ;) {
      try {
        await (await connectWithUrl(`postgres://${user}:${password}@127.0.0.1:${port}/postgres`)).close();
        return port;
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  }

  #own(path: string): void {
    if (this.#user.uid !== undefined) chownSync(path, this.#user.uid, this.#user.gid!);
  }

  #ended(): Promise<void> {
    return new Promise((resolve) => this.#server!.once('exit', () => resolve()));
  }

  #remove(): void {
    if (!existsSync(this.folder)) return;
    try {
      signal(this.pid, 'SIGKILL');
    } catch {
      // It does not run.
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A connection to a URL that may hold its password. */
export function connectWithUrl(url: string, connectMs = 5000): Promise<Connection> {
  const address = parsePostgresUrl(url, { env: {}, osUser: userInfo().username });
  const passwords = passwordsOf(address, { env: {}, userHome: '', inUrl: passwordIn(url) });
  return connectTo({ address, passwords, name: 'aip test', connectMs });
}

/** False where there is no such process. */
function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, what);
  } catch {
    return false;
  }
}
