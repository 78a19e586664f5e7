import { userInfo } from 'node:os';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parsePostgresUrl } from '../../../src/adapters/postgres/address.js';
import { connectTo, type Connection } from '../../../src/adapters/postgres/connection.js';
import { PostgresTrouble } from '../../../src/adapters/postgres/trouble.js';
import { FaultProxy } from '../../kit/mesh/fault-proxy.js';
import { certificate } from '../../kit/mesh/certificate.js';
import { connectWithUrl, describePostgres } from '../../kit/postgres.js';
import { freePort } from '../../kit/servers/free-port.js';

const open: Connection[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});
async function connected(url: string, connectMs?: number): Promise<Connection> {
  const connection = await connectWithUrl(url, connectMs);
  open.push(connection);
  return connection;
}
async function troubleOf(work: Promise<unknown>): Promise<PostgresTrouble> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof PostgresTrouble) return error;
  throw new Error('no PostgresTrouble', { cause: error });
}

describe('without a server', () => {
  test('nobody listens: unreachable, and it may be there later', async () => {
    const port = await freePort();
    expect(await troubleOf(connectWithUrl(`postgres://u:s3cr3t@127.0.0.1:${port}/d`))).toMatchObject({
      kind: 'unreachable',
      retryable: true,
      message: `127.0.0.1:${port}: nothing listens there`,
    });
  });
  test('a port that swallows everything is given up after its time', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const trouble = await troubleOf(connectWithUrl(`postgres://u:s3cr3t@127.0.0.1:${port}/d`, 200));
    expect(trouble).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(trouble.message).toContain('no answer in 200 ms');
  });
  test('something else answers', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(await troubleOf(connectWithUrl(`postgres://u:p@127.0.0.1:${port}/d`, 1000))).toMatchObject({
      kind: 'unreachable',
    });
  });
  test.each([
    ['and takes the next statement: undone', true, 'refused', false],
    ['and ends the connection: in doubt', false, 'in-doubt', true],
  ] as const)('a server that speaks German says no %s', async (_, goesOn, kind, retryable) => {
    const severity = goesOn ? 'FEHLER' : 'FATAL';
    const no = message('E', `S${severity}\0C42883\0MFunktion settle() existiert nicht\0\0`);
    const ready = message('Z', 'I');
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(Buffer.concat([message('R', '\0\0\0\0'), ready]));
        socket.once('data', () => {
          socket.write(no);
          setTimeout(() => (goesOn ? socket.write(ready) : socket.end()), 20);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const connection = await connected(`postgres://u:p@127.0.0.1:${port}/d`);
    expect(await troubleOf(connection.query('SELECT settle()', [], 5000))).toMatchObject({ kind, retryable });
    expect(connection.usable).toBe(goesOn);
  });
});

/** One message of PostgreSQL's protocol, version 3. */
function message(type: string, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

describePostgres('a connection', {}, (cluster) => {
  let url = '';
  beforeAll(async () => {
    ({ url } = await cluster().database());
  });

  test('asks with values and without, and reads what comes', async () => {
    const connection = await connected(url);
    const [row] = await connection.query(
      `SELECT $1::text AS t, $2::bigint AS n, $3::bytea AS b, $4::jsonb AS j, $5::text[] AS l`,
      ['gr\u00fcn \u{1f600}', 9_007_199_254_740_993n, new Uint8Array([0, 255]), '{"a":[1,null]}', ['x', 'y"z']],
      5000,
    );
    expect(row).toEqual({
      t: 'gr\u00fcn \u{1f600}',
      n: '9007199254740993',
      b: Buffer.from([0, 255]),
      j: { a: [1, null] },
      l: ['x', 'y"z'],
    });
    expect(await connection.query('SELECT 1 AS a; SELECT 2 AS b', [], 5000)).toEqual([{ b: 2 }]);
  });
  test('an error of the server is refused, the connection goes on', async () => {
    const connection = await connected(url);
    await connection.query('CREATE TABLE t (a int UNIQUE)', [], 5000);
    await connection.query('INSERT INTO t VALUES (1)', [], 5000);
    expect(await troubleOf(connection.query('INSERT INTO t VALUES (2), ($1)', [1], 5000))).toMatchObject({
      kind: 'refused',
      sqlState: '23505',
      retryable: false,
    });
    expect(await connection.query('SELECT count(*) AS n FROM t', [], 5000)).toEqual([{ n: '1' }]);
    expect(connection.usable).toBe(true);
  });
  test('what a user’s own settings refuse is not taken for a standby, and names the setting', async () => {
    const connection = await connected(url);
    await connection.query('SET default_transaction_read_only = on', [], 5000);
    const reads = await troubleOf(connection.query('CREATE TABLE u (a int)', [], 5000));
    expect(reads).toMatchObject({ kind: 'refused', sqlState: '25006', retryable: true });
    expect(reads.message).toContain('it only answers reads (cannot execute');
    expect(reads.hint).toContain('SHOW default_transaction_read_only');
    const kind = `DO $$ BEGIN RAISE EXCEPTION 'settle needs the isolation level read committed' USING ERRCODE = '25000'; END $$`;
    expect(await troubleOf(connection.query(kind, [], 5000))).toMatchObject({
      ...{ kind: 'refused', retryable: false },
      hint: "ALTER ROLE <user> SET default_transaction_isolation = 'read committed'",
    });
  });
  test('a wrong password, an unknown database and none at all are three texts, and none holds the password', async () => {
    const wrong = await troubleOf(connectWithUrl(cluster().url('postgres', 'postgres', 'wr0ng-one')));
    expect(wrong).toMatchObject({ kind: 'unreachable', sqlState: '28P01', retryable: false });
    expect(wrong.message).toContain('the password is wrong');
    expect(`${wrong.message} ${wrong.hint} ${wrong.stack}`).not.toContain('wr0ng-one');
    const missing = await troubleOf(connectWithUrl(cluster().url('nowhere')));
    expect(missing).toMatchObject({ sqlState: '3D000', retryable: false });
    const none = await troubleOf(connectWithUrl(cluster().url('postgres', 'postgres', null)));
    expect(none).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(none.message).toContain('asks for a password, and none is known');
  });
  test('no answer in time: in doubt, and the connection is destroyed', async () => {
    const connection = await connected(url);
    const trouble = await troubleOf(connection.query('SELECT pg_sleep(30)', [], 100));
    expect(trouble).toMatchObject({ kind: 'in-doubt', retryable: true });
    expect(connection.usable).toBe(false);
    expect(await troubleOf(connection.query('SELECT 1', [], 100))).toMatchObject({ kind: 'unreachable' });
  });
  test('a connection that the administrator ends: told while it is idle, in doubt while it is asked', async () => {
    const idle = await connected(url);
    const lost = new Promise<void>((resolve) => idle.onLost(resolve));
    const busy = await connected(url);
    const asked = troubleOf(busy.query(`SELECT pg_sleep(30), 'victim'`, [], 20_000));
    await until(
      async () =>
        (
          await cluster().admin(
            `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%''victim''%' AND pid <> pg_backend_pid()`,
          )
        ).length === 1,
    );
    await cluster().admin(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aip test' AND pid <> pg_backend_pid()`,
    );
    await lost;
    expect(idle.usable).toBe(false);
    expect(await asked).toMatchObject({ kind: 'in-doubt', sqlState: '57P01', retryable: true });
    expect(busy.usable).toBe(false);
  });
  test('a network that swallows the answer leaves it in doubt', async () => {
    const proxy = await FaultProxy.start(cluster().port);
    onTestFinished(() => proxy.close());
    const connection = await connected(url.replace(`:${cluster().port}/`, `:${new URL(proxy.url).port}/`));
    await connection.query('CREATE TABLE kept (a int)', [], 5000);
    proxy.faults.blackHole = true;
    expect(await troubleOf(connection.query('SELECT 1', [], 150))).toMatchObject({ kind: 'in-doubt' });
  });
  test('of several hosts the first that answers is taken; one that is down costs its share of the time', async () => {
    const down = await freePort();
    const connection = await connected(url.replace('@127.0.0.1', `@127.0.0.1:${down},127.0.0.1`));
    expect(connection.where).toBe(`127.0.0.1:${cluster().port}`);
    const trouble = await troubleOf(connectWithUrl(`postgres://u:p@127.0.0.1:${down},127.0.0.1:${down}/d`));
    expect(trouble.message).toContain('none of the 2 hosts');
  });
  test('notifications of another connection arrive', async () => {
    const [one, other] = [await connected(url), await connected(url)];
    const heard = new Promise((resolve) => one.onNotification((channel, payload) => resolve([channel, payload])));
    await one.query('LISTEN tests', [], 5000);
    await other.query(`NOTIFY tests, 'hello'`, [], 5000);
    expect(await heard).toEqual(['tests', 'hello']);
  });
  test('statements have no names: pgbouncer in transaction mode takes them', async (context) => {
    const port = await cluster().pooler({ postgres: 'sup3r-s3cret' });
    if (port === null) return context.skip('pgbouncer is not installed');
    const through = url.replace(`:${cluster().port}/`, `:${port}/`);
    const connections = await Promise.all(Array.from({ length: 12 }, () => connected(through)));
    for (let round = 0; round < 5; round++) {
      const rows = await Promise.all(connections.map((each, i) => each.query('SELECT $1::int AS n', [i], 5000)));
      expect(rows.map(([row]) => row?.['n'])).toEqual(connections.map((_, i) => i));
    }
  });
  test('SIGKILL to the server: in doubt; it comes back with what was committed', async () => {
    const connection = await connected(url);
    await connection.query('CREATE TABLE committed (a int); INSERT INTO committed VALUES (7)', [], 5000);
    const asked = troubleOf(connection.query('SELECT pg_sleep(30)', [], 20_000));
    await cluster().kill();
    expect(await asked).toMatchObject({ kind: 'in-doubt', retryable: true });
    await cluster().boot();
    expect(await (await connected(url)).query('SELECT a FROM committed', [], 5000)).toEqual([{ a: 7 }]);
  });
});

const pair = certificate();
describePostgres('over TLS', { tls: pair }, (cluster) => {
  const through = (search: string) =>
    connectTo({
      address: parsePostgresUrl(cluster().url('postgres', 'postgres', null, search), {
        env: {},
        osUser: userInfo().username,
      }),
      passwords: () => 'sup3r-s3cret',
      name: 'aip test',
      connectMs: 5000,
    });
  test.each(['verify-full', 'verify-ca', 'require'])('the authority that is named is believed: %s', async (mode) => {
    const ca = cluster().file('ca.pem', pair.cert);
    const connection = await through(`?sslmode=${mode}&sslrootcert=${encodeURIComponent(ca)}`);
    open.push(connection);
    const rows = await connection.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', [], 5000);
    expect(rows).toEqual([{ ssl: true }]);
  });
  test.each([
    ['an authority that nobody named', '?sslmode=verify-full', /self-signed|self signed|unable to verify/],
    ['plain text to a server that wants TLS', '?sslmode=disable', /may not connect|no encryption/],
  ])('%s is refused', async (_, search, says) => {
    const trouble = await troubleOf(through(search));
    expect(trouble).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(trouble.message).toMatch(says);
  });
  test('another authority is refused, and so is a certificate for another host', async () => {
    const other = cluster().file('other.pem', certificate().cert);
    const trouble = await troubleOf(through(`?sslrootcert=${encodeURIComponent(other)}`));
    expect(trouble).toMatchObject({ kind: 'unreachable', retryable: false });
    const ca = cluster().file('ca.pem', pair.cert);
    const address = parsePostgresUrl(
      `postgres://postgres@localhost:${cluster().port}/postgres?sslrootcert=${encodeURIComponent(ca)}`,
      { env: {}, osUser: 'u' },
    );
    const named = await troubleOf(
      connectTo({ address, passwords: () => 'sup3r-s3cret', name: 'aip test', connectMs: 5000 }),
    );
    expect(named).toMatchObject({
      ...{ kind: 'unreachable', retryable: false },
      hint: expect.stringContaining('name the host') as string,
    });
  });
  test('a certificate that has run out is to be renewed: no CA helps', async () => {
    const old = certificate(Date.now() - 3 * 86_400_000);
    const ca = cluster().file('old.pem', old.cert);
    for (const [name, text] of [
      ['crt', old.cert],
      ['key', old.key],
    ] as const)
      cluster().file(`server.${name}`, text);
    await cluster().admin('SELECT pg_reload_conf()');
    onTestFinished(async () => {
      cluster().file('server.crt', pair.cert);
      cluster().file('server.key', pair.key);
      await cluster().admin('SELECT pg_reload_conf()');
    });
    await until(async () => {
      const trouble = await troubleOf(through(`?sslrootcert=${encodeURIComponent(ca)}`));
      return trouble.message.includes('expired') && trouble.hint!.startsWith('renew the certificate');
    });
  });
  test('a socket takes no TLS, whatever the environment says of servers elsewhere', async () => {
    const address = parsePostgresUrl(
      `postgres://postgres@/postgres?host=${encodeURIComponent(cluster().folder)}&port=${cluster().port}`,
      { env: { PGSSLMODE: 'verify-full', PGSSLROOTCERT: cluster().file('ca.pem', pair.cert) }, osUser: 'u' },
    );
    const connection = await connectTo({ address, passwords: () => null, name: 'aip test', connectMs: 5000 });
    open.push(connection);
    expect(await connection.query('SELECT 1 AS n', [], 5000)).toEqual([{ n: 1 }]);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds());) {
    if (Date.now() > end) throw new Error('it did not come to that in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
