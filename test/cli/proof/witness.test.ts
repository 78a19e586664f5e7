import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { noteKeyText } from '../../../src/protocol/transparency/note.js';
import { EMPTY_ROOT } from '../../../src/protocol/transparency/tree.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { inHome } from '../../kit/history.js';
import { household } from '../../kit/native/household.js';
import { witness } from '../../kit/proof/witness.js';
import { freePort } from '../../kit/servers/free-port.js';
import { world } from '../../kit/world.js';

/** A machine with a log, which grows by `judge`. */
async function logged() {
  const home = household();
  await home.agent('bot');
  const judge = async (amount: number): Promise<void> => {
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', `amount:=${amount}`);
    // After an older copy came back, what could be a replay is refused; it is an entry all the same.
    expect([0, 11]).toContain((await home.run('intent', 'verify', home.file('intent.json', signed.out))).code);
  };
  await judge(1);
  const { out, err } = await home.run('logs', 'checkpoint');
  const verifier = /signed by (ed25519:[0-9a-f]{64})/.exec(err)![1]!;
  const origin = out.split('\n')[0]!;
  const { out: keyText } = { out: noteKeyText(origin, 'ed25519', parsePublicKey(verifier)!) };
  return { home, judge, verifier, origin, logKey: keyText };
}

describe('a witness', () => {
  test('cosigns a log as it grows, and proof verify believes its key', async () => {
    const { home, judge, verifier, logKey } = await logged();
    const seen = await witness('w.example/one', [logKey]);
    const other = await witness('w.example/other', [logKey]);
    const checkpoint = (...argv: string[]) => home.run('logs', 'checkpoint', '--witness', seen.url, ...argv);
    const first = await checkpoint('--witness-key', seen.key);
    expect([first.code, first.out.trim().split('\n').length, first.err]).toMatchObject([
      0,
      6,
      expect.stringContaining('cosigned once'),
    ]);
    // The same again, larger trees, and two witnesses, one of which has seen less.
    expect((await checkpoint()).code).toBe(0);
    for (const amount of [2, 3, 4, 5, 6]) await judge(amount);
    expect((await checkpoint()).code).toBe(0);
    await judge(7);
    const both = await checkpoint('--witness', other.url, '--witness-key', seen.key, '--witness-key', other.key);
    expect([both.code, both.out.trim().split('\n').length]).toEqual([0, 7]);
    const file = home.file('checkpoint.txt', both.out);
    expect((await home.run('logs', 'verify', '--checkpoint', file)).code).toBe(0);
    const bundle = await home.run('logs', 'prove', '3', '--witness', seen.url);
    const report = async (...keys: string[]): Promise<ProofReport> =>
      JSON.parse(
        (await world({ stdin: bundle.out }).run('proof', 'verify', '-', '--json', '--verifier-key', verifier, ...keys))
          .out,
      ) as ProofReport;
    const stepOf = async (...keys: string[]) =>
      (await report(...keys)).steps.find(({ step }) => step === 'seen')?.status;
    expect(await stepOf('--witness-key', seen.key)).toBe('ok');
    const { steps } = await report('--witness-key', seen.key, '--witness-key', seen.key);
    expect(steps.find(({ step }) => step === 'seen')!.message).toMatch(/^Seen by w\.example\/one at \S+\.$/);
    expect(await stepOf()).toBe('unproven');
    expect(await stepOf('--witness-key', other.key)).not.toBe('ok');
    const itself = await world({ stdin: bundle.out }).run('proof', 'verify', '-', '--witness-key', logKey);
    expect([itself.code, itself.err]).toMatchObject([2, expect.stringContaining('log')]);
    expect((await checkpoint('--witness-key', logKey)).code).toBe(2);
  });

  test('refuses a log that was cut, replaced by an older copy, or written anew', async () => {
    const { home, judge, logKey } = await logged();
    const seen = await witness('w.example/one', [logKey]);
    await judge(2);
    const back = kept(home.state);
    for (const amount of [3, 4, 5]) await judge(amount);
    expect((await home.run('logs', 'checkpoint', '--witness', seen.url)).code).toBe(0);
    back();
    const cut = await home.run('logs', 'checkpoint', '--witness', seen.url);
    expect([cut.code, cut.err]).toMatchObject([15, expect.stringContaining('has seen 5 entries')]);
    // Another history of the same length, and a longer one.
    for (const amount of [30, 40, 50]) await judge(amount);
    expect((await home.run('logs', 'checkpoint', '--witness', seen.url)).code).toBe(15);
    await judge(60);
    const forked = await home.run('logs', 'checkpoint', '--witness', seen.url, '--out', home.at('forked.txt'));
    expect([forked.code, forked.err]).toMatchObject([15, expect.stringContaining('another history')]);
    expect(() => readFileSync(home.at('forked.txt'))).toThrow();
  });

  test('that others of this machine ask as well has seen no other history', async () => {
    const { home, judge, logKey } = await logged();
    const seen = await witness('w.example/one', [logKey]);
    // What it says of the size, and what happens here before it says so.
    const busy = async (size: (asked: number) => number, before: () => Promise<unknown>): Promise<string> => {
      let asked = 0;
      const server = createServer((request, response) => {
        void (async () => {
          await text(request);
          asked += 1;
          await before();
          response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${size(asked)}\n`);
        })();
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    for (const amount of [2, 3, 4]) await judge(amount);
    const racing = await busy(
      (asked) => asked,
      () => Promise.resolve(),
    );
    const late = await busy(
      () => 5,
      () => judge(5),
    );
    for (const url of [racing, late]) {
      const { code, err } = await home.run('logs', 'checkpoint', '--witness', url);
      expect([code, err]).toEqual([5, expect.stringContaining('by now') as string]);
    }
    expect((await home.run('logs', 'checkpoint', '--witness', seen.url)).code).toBe(0);
    const cut = await home.run(
      'logs',
      'checkpoint',
      '--witness',
      await busy(
        () => 99,
        () => Promise.resolve(),
      ),
    );
    expect([cut.code, cut.err]).toEqual([15, expect.stringContaining('was cut off') as string]);
  });

  test('that answers with more lines than a checkpoint may have gives none, and with its key named its own line alone', async () => {
    const { home, logKey } = await logged();
    const seen = await witness('w.example/one', [logKey]);
    const wordy = createServer((request, response) => {
      void (async () => {
        const answer = await fetch(`${seen.url}${request.url}`, { method: 'POST', body: await text(request) });
        const type = answer.headers.get('content-type')!;
        const more = answer.ok ? '\u2014 other AAAAAAA=\n'.repeat(63) : '';
        response.writeHead(answer.status, { 'content-type': type }).end(more + (await answer.text()));
      })();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void wordy.close());
    await once(wordy, 'listening');
    const url = `http://127.0.0.1:${(wordy.address() as AddressInfo).port}`;
    const all = await home.run('logs', 'checkpoint', '--witness', url, '--out', home.at('wordy.txt'));
    expect([all.code, all.err, existsSync(home.at('wordy.txt'))]).toEqual([
      5,
      expect.stringContaining('at most 64 signatures'),
      false,
    ]);
    const own = await home.run('logs', 'checkpoint', '--witness', url, '--witness-key', seen.key);
    expect([own.code, own.out.trim().split('\n').length]).toEqual([0, 6]);
  });

  test('that is not there, does not know the log, or is another one', async () => {
    const { home, logKey } = await logged();
    const seen = await witness('w.example/one', [logKey]);
    const stranger = await witness('w.example/stranger', []);
    const ask = async (...argv: string[]) => (await home.run('logs', 'checkpoint', ...argv)).code;
    expect(await ask('--witness', 'http://127.0.0.1:9/w')).toBe(5);
    expect(await ask('--witness', stranger.url)).toBe(5);
    expect(await ask('--witness', seen.url, '--witness-key', stranger.key)).toBe(15);
    expect(await ask('--witness', 'ftp://x')).toBe(2);
    expect(await ask('--witness', seen.url, '--witness-key', 'x')).toBe(2);
    expect(await ask('--witness-key', seen.key)).toBe(2);
    expect(await ask('--witness', seen.url, '--principal', 'did:web:acme.com')).toBe(2);
  });
});

/** A program of C2SP's authors: `AIP_TEST_WITNESS` names its binary. */
test.runIf(process.env['AIP_TEST_WITNESS'] !== undefined)(
  'litewitness cosigns, and refuses our fork',
  async () => {
    const { home, judge, origin, logKey } = await logged();
    const folder = dirname(home.at('x'));
    const run = (program: string, args: string[]) => {
      const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => void child.kill());
      return child;
    };
    const socket = join(folder, 'agent.sock');
    run('ssh-agent', ['-D', '-a', socket]);
    const { execFileSync } = await import('node:child_process');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', home.at('wkey')]);
    await until(() => {
      execFileSync('ssh-add', ['-q', home.at('wkey')], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: 'ignore',
      });
    });
    const fingerprint = execFileSync('ssh-keygen', ['-lf', home.at('wkey.pub')], { encoding: 'utf8' }).split(' ')[1]!;
    const db = home.at('lite.db');
    const database = new Database(db, 1000);
    database.exec('CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL)');
    database.exec(
      'CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin))',
    );
    database
      .statement('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)')
      .run([origin, Buffer.from(EMPTY_ROOT).toString('base64')]);
    database.statement('INSERT INTO key (origin, key) VALUES (?, ?)').run([origin, logKey]);
    database.close();
    const port = await freePort();
    const lite = run(process.env['AIP_TEST_WITNESS']!, [
      '-db',
      db,
      '-name',
      'w.example/lite',
      '-key',
      fingerprint,
      '-ssh-agent',
      socket,
      '-listen',
      `127.0.0.1:${port}`,
    ]);
    let said = '';
    lite.stderr.on('data', (part: Buffer) => (said += part.toString()));
    const url = `http://127.0.0.1:${port}`;
    await until(async () => {
      await fetch(url).catch((error: unknown) => {
        throw new Error(`litewitness does not answer (exit ${lite.exitCode}): ${said}`, { cause: error });
      });
    });
    const back = kept(home.state);
    for (const amount of [2, 3]) await judge(amount);
    expect((await home.run('logs', 'checkpoint', '--witness', url)).code, said).toBe(0);
    await judge(4);
    const again = await home.run('logs', 'checkpoint', '--witness', url);
    expect([again.code, again.err]).toMatchObject([0, expect.stringContaining('cosigned once')]);
    back();
    expect((await home.run('logs', 'checkpoint', '--witness', url)).code).toBe(15);
    for (const amount of [20, 30, 40, 50]) await judge(amount);
    expect((await home.run('logs', 'checkpoint', '--witness', url)).code).toBe(15);
    expect(inHome(dirname(home.state), (state) => state.bounds().head.seq)).toBe(5);
  },
  60_000,
);

async function until(work: () => void | Promise<void>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Keeps the state as it is; what it returns puts the copy in its place. */
function kept(state: string): () => void {
  const files = [state, `${state}-wal`, `${state}-shm`];
  for (const file of files) if (existsSync(file)) copyFileSync(file, `${file}.old`);
  return () => {
    for (const file of files) {
      rmSync(file, { force: true });
      if (existsSync(`${file}.old`) && !file.endsWith('-shm')) copyFileSync(`${file}.old`, file);
    }
  };
}
