import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MeshHttp } from '../../../../src/adapters/http/mesh-client.js';
import { plainTextProblem } from '../../../../src/adapters/mesh/server/http-server.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { network, until, type NetworkMesh } from '../../../kit/mesh/network.js';
import { AGENT, MESH_PUBLIC_KEY, TestMesh } from '../../../kit/mesh/server.js';
import { checkOf } from '../../../../src/adapters/mesh/mesh-key.js';

async function using(work: (net: NetworkMesh) => Promise<void>, options = {}): Promise<void> {
  const net = await network(options);
  try {
    await work(net);
  } finally {
    await net.close();
  }
}

/** Sends raw bytes and gives the whole answer, once the server ended it or `ms` passed. */
function raw(port: number, text: string, ms = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    const done = () => {
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, ms);
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('close', () => {
      clearTimeout(timer);
      done();
    });
    socket.on('error', () => {});
  });
}

describe('over real sockets', () => {
  test('a revocation reaches every follower, and the operator sees how many and how fast', () =>
    using(async (net) => {
      const follows = Array.from({ length: 5 }, () => net.follow());
      for (const follow of follows) follow.start();
      await until(() => follows.every((follow) => follow.state === 'live'), 'all live');
      expect(follows.map((follow) => follow.check(AGENT).status)).toEqual(Array(5).fill('active'));
      const answer = await net.revoke();
      expect(answer).toMatchObject({ status: 'revoked', propagated_to: 5, connected: 5, changed: true });
      expect(answer.propagation_ms as number).toBeLessThan(1_000);
      expect(follows.map((follow) => follow.check(AGENT).status)).toEqual(Array(5).fill('revoked'));
      await net.post('admin', '/mesh/reinstate', { agent_id: AGENT });
      await until(() => follows.every((follow) => follow.check(AGENT).status === 'active'), 'all reinstated');
    }));

  test('a plain reader of the reference stream sees one data line an event', () =>
    using(async (net) => {
      const key = net.mesh.keys.observer.text;
      const answer = raw(
        net.listening.port,
        `GET /mesh/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`,
        1_500,
      );
      await until(() => net.mesh.server.hub.size === 1, 'the stream is open');
      await net.revoke();
      const text = await answer;
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).toMatch(/x-accel-buffering: no/i);
      const data = text.split('\n').filter((line) => line.startsWith('data: '));
      expect(data).toHaveLength(1);
      expect(JSON.parse(data[0]!.slice(6))).toMatchObject({ type: 'revocation', agent_id: AGENT });
    }));

  test('an HTTP/1.0 reader gets the stream without chunks', () =>
    using(async (net) => {
      const key = net.mesh.keys.observer.text;
      const text = await raw(
        net.listening.port,
        `GET /v1/mesh/stream HTTP/1.0\r\nAuthorization: Bearer ${key}\r\n\r\n`,
        500,
      );
      expect(text).not.toMatch(/transfer-encoding/i);
      expect(text).toMatch(/\r\n\r\nevent: hello\n/);
    }));

  test.each([
    ['declared too long', () => `Content-Length: 99999\r\n\r\n`, 413],
    ['chunked and too long', () => `Transfer-Encoding: chunked\r\n\r\n5000\r\n${'x'.repeat(0x5000)}\r\n0\r\n\r\n`, 413],
    ['not JSON', () => `Content-Length: 3\r\n\r\n{{{`, 400],
    ['not UTF-8', () => `Content-Length: 2\r\n\r\n\u00ff`, 400],
    ['empty', () => `Content-Length: 0\r\n\r\n`, 400],
  ])('a body that is %s is refused and leaves no event', async (_, rest: () => string, status) =>
    using(async (net) => {
      const key = net.mesh.keys.admin.text;
      const head = `POST /v1/mesh/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
      const text = await raw(net.listening.port, head + rest());
      expect(text.split('\r\n')[0]).toContain(` ${status} `);
      expect(await net.mesh.store.read(0, 10)).toHaveLength(0);
    }),
  );

  test.each([
    ['no HTTP at all', 'hello?\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`],
    ['a body on a GET', 'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde'],
  ])('%s is answered with an error, and the server goes on', async (_, text) =>
    using(async (net) => {
      expect(await raw(net.listening.port, text)).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(
        (await net.http('observer').ask({ method: 'GET', target: '/healthz', timeoutMs: 2_000, maxBytes: 999 })).status,
      ).toBe(200);
    }),
  );

  test.each([
    ['no HTTP at all', 'hello?\r\n\r\n', 400, 'BAD_REQUEST'],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`, 431, 'TOO_LARGE'],
    ['a line folded (RFC 9112, 5.2)', 'GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'BAD_REQUEST',
    ],
    ['a body to no path', 'POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}', 404, 'NOT_FOUND'],
    [
      'a body that a path does not take',
      'PUT /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
      405,
      'METHOD_NOT_ALLOWED',
    ],
  ])('%s is refused in the form of every refusal', async (_, text, status, code) =>
    using(async (net) => {
      const answer = await raw(net.listening.port, text);
      const [head, body] = answer.split('\r\n\r\n') as [string, string];
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head).toMatch(/\r\ncache-control: no-store/i);
      expect(JSON.parse(body)).toEqual({
        code,
        message: expect.any(String),
        details: code === 'METHOD_NOT_ALLOWED' ? { allow: 'GET, HEAD' } : null,
        retryable: false,
      });
    }),
  );

  test('what cannot be read behind a command is not answered in its place', () =>
    using(async (net) => {
      const body = JSON.stringify({ cmd_id: 'cmd-12345678', action: 'revoke', agent_id: AGENT, reason: 'r' });
      const text = await raw(
        net.listening.port,
        `POST /v1/mesh/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${net.mesh.keys.operator.text}\r\nContent-Length: ${body.length}\r\n\r\n${body}\x01\r\n\r\n`,
      );
      await until(() => net.mesh.server.head.seq === 1, 'it was carried out');
      expect(text).toBe('');
    }));

  test('who hangs up in the middle of a request is no bug', () =>
    using(async (net) => {
      const key = net.mesh.keys.admin.text;
      const head = `POST /v1/mesh/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 100\r\n\r\n`;
      expect(await raw(net.listening.port, `${head}{"action"`, 50)).toBe('');
      await net.revoke();
      expect(net.bugs).toEqual([]);
    }));

  test('closing ends streams with a goodbye, finishes what was accepted, and is quick', async () => {
    const net = await network();
    const follow = net.follow({ onWaiting: (reason) => reasons.push(reason) });
    const reasons: string[] = [];
    follow.start();
    await until(() => follow.state === 'live', 'live');
    const pending = Promise.allSettled(Array.from({ length: 50 }, () => net.revoke()));
    await until(() => net.mesh.server.committer.commits > 0, 'the first commit');
    const started = Date.now();
    const closing = net.listening.close();
    const answers = await pending;
    await closing;
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(reasons[0]).toBe('the server is ending');
    // Requests that came too late were told so, or found nobody; whoever was told `durable` is in the log.
    const acknowledged = answers.flatMap((each) =>
      each.status === 'fulfilled' && each.value.durable === true ? [each.value.seq as number] : [],
    );
    expect(acknowledged.length).toBeGreaterThan(0);
    const records = await net.mesh.store.read(0, 100);
    expect(acknowledged.every((seq) => records.some((record) => record.seq === seq))).toBe(true);
    follow.stop();
  });

  test.each([
    ['0.0.0.0', false, false, false],
    ['10.0.0.1', false, false, false],
    ['::', false, false, false],
    ['127.0.0.1.evil.example', false, false, false],
    ['127.0.0.1', false, false, true],
    ['::1', false, false, true],
    ['localhost', false, false, true],
    ['0.0.0.0', true, false, true],
    ['0.0.0.0', false, true, true],
  ])('listening on %s with TLS %s and --insecure-http %s: allowed %s', (host, tls, insecure, allowed) => {
    expect(plainTextProblem(host, tls, insecure) === null).toBe(allowed);
  });
});

describe('through a hostile network', () => {
  async function proxied(work: (net: NetworkMesh, proxy: FaultProxy) => Promise<void>): Promise<void> {
    await using(async (net) => {
      const proxy = await FaultProxy.start(net.listening.port);
      try {
        await work(net, proxy);
      } finally {
        await proxy.close();
      }
    });
  }

  test('a request that is given up frees its connection for the next ones', () =>
    proxied(async (net, proxy) => {
      const http = new MeshHttp(proxy.url, net.mesh.keys.observer.text);
      const call = { method: 'GET', target: '/v1/mesh/status', timeoutMs: 60_000, maxBytes: 65_536 } as const;
      proxy.faults.blackHole = true;
      const stop = new AbortController();
      // As many as share the connections, and one that would wait for them.
      const asked = Array.from({ length: 5 }, () => http.ask({ ...call, signal: stop.signal }));
      stop.abort();
      for (const each of asked) await expect(each).rejects.toThrow('given up');
      proxy.faults.blackHole = false;
      expect((await http.ask(call)).status).toBe(200);
      http.close();
    }));

  test('a stream reset at any byte loses nothing and repeats nothing', () =>
    proxied(async (net, proxy) => {
      const seen: number[] = [];
      const alarms: string[] = [];
      const follow = net.follow({
        endpoints: [proxy.url],
        onChange: (standings, whole) => whole || seen.push(...standings.map((standing) => standing.seq)),
        onAlarm: (kind) => alarms.push(kind),
      });
      follow.start();
      await until(() => follow.state === 'live', 'live');
      for (let i = 0; i < 40; i++) {
        proxy.faults.resetAfter = 300 + i * 97;
        await net.revoke(`did:web:acme.com:agents:a${i}`, {});
      }
      proxy.faults.resetAfter = null;
      proxy.cutAll();
      await until(() => follow.follower.copy.position?.seq === 40, 'all applied', 20_000);
      expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(alarms).toEqual([]);
    }));

  test('a silent partition is noticed, a deny known before still denies, and everything is caught up with', () =>
    proxied(async (net, proxy) => {
      const follow = net.follow({ endpoints: [proxy.url], maxAgeMs: 3_000 });
      follow.start();
      await until(() => follow.state === 'live', 'live');
      await net.revoke('did:web:acme.com:agents:known');
      await until(() => follow.follower.copy.position?.seq === 1, 'the first event');
      proxy.faults.blackHole = true;
      await net.revoke(AGENT);
      await until(() => follow.state === 'expired', 'expired');
      expect(follow.check('did:web:acme.com:agents:known').status).toBe('revoked');
      expect(follow.check(AGENT)).toMatchObject({ status: 'active', state: 'expired' });
      proxy.faults.blackHole = false;
      proxy.cutAll();
      await until(() => follow.check(AGENT).status === 'revoked' && follow.state === 'live', 'caught up', 30_000);
    }));

  test('behind a proxy that holds streams back, long polls take over', () =>
    proxied(async (net, proxy) => {
      proxy.faults.bufferStreams = true;
      const follow = net.follow({ endpoints: [proxy.url] });
      follow.start();
      await until(() => net.mesh.server.pollers.size === 1 && follow.state === 'live', 'live by polling', 15_000);
      const answer = await net.revoke(AGENT);
      expect(answer).toMatchObject({ propagated_to: 1, connected: 1 });
      expect(follow.check(AGENT).status).toBe('revoked');
    }));

  test('a half-closed connection is given up and made anew', () =>
    proxied(async (net, proxy) => {
      const follow = net.follow({ endpoints: [proxy.url] });
      follow.start();
      await until(() => follow.state === 'live', 'live');
      proxy.faults.halfCloseAfter = 600;
      proxy.cutAll();
      await until(() => follow.state !== 'live', 'noticed');
      proxy.faults.halfCloseAfter = null;
      await net.revoke(AGENT);
      await until(() => follow.check(AGENT).status === 'revoked', 'caught up', 30_000);
    }));

  test('when the first endpoint is dead the second one serves', () =>
    using(async (net) => {
      const dead = await network();
      await dead.close();
      const follow = net.follow({ endpoints: [dead.url, net.url] });
      follow.start();
      await until(() => follow.state === 'live', 'live');
    }));

  test('a mesh with another key is not believed', () =>
    using(async (net) => {
      const alarms: string[] = [];
      const wrong = checkOf(`ed25519:${'e734ea6c2b6257de72355e472aa05a4c487e6b463c029ed306df2f01b5636b58'}`)!;
      const follow = net.follow({ check: wrong, onAlarm: (kind) => alarms.push(kind) });
      follow.start();
      await until(() => alarms.length > 0, 'an alarm');
      expect(alarms[0]).toBe('malformed');
      expect(follow.check(AGENT)).toMatchObject({ status: 'unknown', state: 'syncing' });
    }));

  test('200 clients that join while events are written all end with the same copy', { timeout: 240_000 }, () =>
    using(async (net) => {
      let writing = true;
      const writer = (async () => {
        for (let i = 0; writing; i++)
          await net.post('admin', '/mesh/revoke', { agent_id: `did:web:acme.com:agents:a${i % 50}` });
      })();
      const follows = Array.from({ length: 200 }, () => net.follow({ verifier: null }));
      for (const follow of follows) follow.start();
      await until(() => follows.every((follow) => follow.follower.copy.position !== null), 'all joined', 100_000);
      writing = false;
      await writer;
      const { seq } = await net.mesh.store.head();
      await until(
        () => follows.every((follow) => follow.follower.copy.position?.seq === seq),
        'all at the head',
        100_000,
      );
      const { standings } = await net.mesh.store.snapshot();
      const expected = new Map(standings.map((standing) => [standing.subject, standing]));
      for (const follow of follows) {
        expect(new Map([...follow.follower.copy.standings()].map((each) => [each.subject, each]))).toEqual(expected);
      }
    }),
  );
});

test('a server of the test kit and of the sockets sign with one key', async () => {
  const mesh = await TestMesh.start();
  expect(mesh.server.options.publicKey).toBe(MESH_PUBLIC_KEY);
});
