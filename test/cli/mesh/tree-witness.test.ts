/** A machine that has joined a mesh has its tree cosigned by it, and the mesh remembers what who can write its state would like forgotten. */
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { meshWitnessKey } from '../../../src/mesh/log/tree-witness.js';
import { formatPublicKey, parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { noteKeyText, noteSignatureHolds, readNote } from '../../../src/protocol/transparency/note.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { network } from '../../kit/mesh/network.js';
import { MESH_PUBLIC_KEY } from '../../kit/mesh/server.js';
import { household, type Household } from '../../kit/native/household.js';
import { TestVerifier } from '../../kit/mesh/fleet.js';
import { leavesOf, TestTree, TreeVerifier } from '../../kit/proof/trees.js';
import { witness } from '../../kit/proof/witness.js';
import { world } from '../../kit/world.js';

const MESH_KEY = parsePublicKey(MESH_PUBLIC_KEY)!;
const MESH = meshWitnessKey(MESH_KEY)!;
const STRANGER = formatPublicKey(publicKeyOf(new Uint8Array(32).fill(99)));

type Answering = (incoming: IncomingMessage, response: ServerResponse) => boolean;

/** A mesh, and a machine that has joined it with a log of `count` entries. `answers`: what stands before the mesh, where it says true. */
async function joined(count = 1, answers: Answering = () => false) {
  const net = await network();
  onTestFinished(() => net.close());
  const front = await before(net.listening.port, answers);
  const home = household({
    env: { AIP_MESH_URL: front, AIP_MESH_KEY: net.mesh.keys.verifier.text, AIP_MESH_PUBLIC_KEY: MESH_PUBLIC_KEY },
  });
  await home.agent('bot');
  const judge = async (amount: number): Promise<void> => {
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', `amount:=${amount}`);
    await home.run('intent', 'verify', home.file('intent.json', signed.out));
  };
  for (let i = 1; i <= count; i++) await judge(i);
  const refusals = async (reason: string): Promise<string | undefined> =>
    new RegExp(`aip_mesh_log_refused_total\\{reason="${reason}"\\} (\\d+)`).exec(
      (await net.mesh.ask('GET', '/metrics', 'observer')).body,
    )?.[1];
  return { net, home, judge, refusals };
}

async function before(port: number, answers: Answering): Promise<string> {
  const server = createServer((incoming, response) => {
    if (answers(incoming, response)) return;
    const { method, url, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Keeps the state as it is; what it returns puts the copy in its place. */
function kept(state: string): () => void {
  const files = [state, `${state}-wal`];
  for (const file of files) if (existsSync(file)) copyFileSync(file, `${file}.old`);
  return () => {
    for (const file of [...files, `${state}-shm`]) {
      rmSync(file, { force: true });
      if (existsSync(`${file}.old`)) copyFileSync(`${file}.old`, file);
    }
  };
}

const isTree = ({ url }: IncomingMessage): boolean => url!.startsWith('/v1/logs/tree');
const json = (response: ServerResponse, status: number, value: unknown): true => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  return true;
};
const older: Answering = (incoming, response) =>
  isTree(incoming) && json(response, 404, { code: 'NOT_FOUND', message: 'There is nothing at this path.' });

async function prove(home: Household, entry = '1'): Promise<{ bundle: string; err: string }> {
  const { code, out, err } = await home.run('logs', 'prove', entry);
  expect(code, err).toBe(0);
  return { bundle: out, err };
}

const noteIn = (bundle: string) => readNote((JSON.parse(bundle) as { checkpoint: string }).checkpoint);

async function check(bundle: string, argv: readonly string[], env: Record<string, string> = {}) {
  const { code, out } = await world({ stdin: bundle, env }).run('proof', 'verify', '-', '--json', ...argv);
  const report = JSON.parse(out) as ProofReport;
  return { code, seen: report.steps.find(({ step }) => step === 'seen')! };
}

describe('on a machine that has joined', () => {
  test('checkpoints and bundles carry the cosignature of the mesh, and who has its key can see that', async () => {
    const { home, judge } = await joined(2);
    const first = await home.run('logs', 'checkpoint');
    expect([first.code, first.err]).toEqual([0, expect.stringContaining('cosigned once')]);
    expect(noteSignatureHolds(readNote(first.out), MESH)).not.toBeNull();
    for (const amount of [3, 4, 5, 6]) await judge(amount);
    const { bundle, err } = await prove(home, '3');
    expect(err).toContain(`--witness-key ${MESH_PUBLIC_KEY}`);
    expect(noteSignatureHolds(noteIn(bundle), MESH)).not.toBeNull();
    const byFlag = await check(bundle, ['--witness-key', MESH_PUBLIC_KEY]);
    expect(byFlag.seen).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^Seen by aip\.mesh\/\S+ at 20/),
    });
    const asNoteKey = noteKeyText(MESH.name, 'cosignature-v1', MESH_KEY);
    expect((await check(bundle, ['--witness-key', asNoteKey])).seen.status).toBe('ok');
    const pinned = { AIP_MESH_URL: 'http://127.0.0.1:9', AIP_MESH_PUBLIC_KEY: MESH_PUBLIC_KEY };
    expect((await check(bundle, [], pinned)).seen.status).toBe('ok');
    expect((await home.run('logs', 'verify', '--mesh')).code).toBe(0);
  });

  test('a witness elsewhere cosigns beside the mesh', async () => {
    const { home } = await joined();
    const { out, err } = await home.run('logs', 'checkpoint');
    const verifier = parsePublicKey(/signed by (ed25519:[0-9a-f]{64})/.exec(err)![1]!)!;
    const elsewhere = await witness('w.example/one', [noteKeyText(out.split('\n')[0]!, 'ed25519', verifier)]);
    const both = await home.run('logs', 'checkpoint', '--witness', elsewhere.url, '--witness-key', elsewhere.key);
    expect([both.code, both.err]).toEqual([0, expect.stringContaining('cosigned 2 times')]);
    expect(readNote(both.out).signatures.map(({ name }) => name.replace(/\/.*/, ''))).toEqual([
      'aip.log',
      'aip.mesh',
      'w.example',
    ]);
  });

  test('a bundle that the mesh has not seen is unproven, and fails only who asks', async () => {
    const { home } = await joined(1, older);
    const { bundle } = await prove(home);
    const asked = await check(bundle, ['--witness-key', MESH_PUBLIC_KEY]);
    expect(asked.seen).toMatchObject({ status: 'unproven', message: expect.stringContaining('0 of the 1') });
    const pinned = { AIP_MESH_URL: 'http://127.0.0.1:9', AIP_MESH_PUBLIC_KEY: MESH_PUBLIC_KEY };
    const here = (await check(bundle, [], pinned)).seen;
    expect(here).toMatchObject({ status: 'unproven', message: expect.stringContaining('is not among those') });
    const elsewhere = (await check(bundle, [])).seen;
    expect(elsewhere).toMatchObject({ status: 'unproven', message: expect.stringMatching(/^No witness/) });
  });

  test('the line counts under the key of this mesh alone, and for this checkpoint alone', async () => {
    const { home, judge } = await joined();
    const { bundle } = await prove(home);
    expect((await check(bundle, ['--witness-key', STRANGER])).seen.status).toBe('unproven');
    expect((await check(bundle, ['--witness-key', MESH_PUBLIC_KEY, '--witness-key', STRANGER])).seen.status).toBe(
      'unproven',
    );
    expect(
      (await check(bundle, [], { AIP_MESH_URL: 'http://127.0.0.1:9', AIP_MESH_PUBLIC_KEY: STRANGER })).seen,
    ).toMatchObject({ status: 'unproven' });
    const mistyped = await world({ stdin: bundle }).run('proof', 'verify', '-', '--witness-key', 'ed25519:00');
    expect(mistyped.code).toBe(2);
    // The line of this checkpoint under a later one.
    await judge(2);
    const later = noteIn((await prove(home)).bundle);
    const line = noteIn(bundle).signatures[1]!;
    expect(noteSignatureHolds({ text: later.text, signatures: [line] }, MESH)).toBeNull();
    const moved = { ...line, signature: Buffer.from(line.signature) };
    moved.signature[7]! ^= 1;
    expect(noteSignatureHolds({ text: noteIn(bundle).text, signatures: [moved] }, MESH)).toBeNull();
  });
});

describe('the mesh refuses, loudly,', () => {
  test('an older copy of the log, also where it has grown again since', async () => {
    const { home, judge, refusals } = await joined(2);
    const back = kept(home.state);
    for (const amount of [3, 4, 5]) await judge(amount);
    expect((await home.run('logs', 'checkpoint')).code).toBe(0);
    back();
    const cut = await home.run('logs', 'checkpoint', '--out', home.at('cut.txt'));
    expect([cut.code, cut.err]).toEqual([15, expect.stringContaining('has seen 5 entries')]);
    expect([await refusals('older'), existsSync(home.at('cut.txt'))]).toEqual(['1', false]);
    expect((await home.run('logs', 'prove', '1')).code).toBe(15);
    expect((await home.run('logs', 'verify', '--mesh')).code).toBe(15);
    for (const amount of [30, 40, 50, 60]) await judge(amount);
    const forked = await home.run('logs', 'prove', '1', '--out', home.at('forked.json'));
    expect([forked.code, forked.err]).toEqual([15, expect.stringContaining('not those that the mesh has seen')]);
    expect([await refusals('fork'), existsSync(home.at('forked.json'))]).toEqual(['1', false]);
    const verified = await home.run('logs', 'verify');
    expect([verified.code, verified.out]).toEqual([15, expect.stringContaining('BROKEN')]);
  });

  test('and what it cosigned last is kept here, for when it cannot be asked', async () => {
    const { net, home, judge } = await joined(2);
    const back = kept(home.state);
    await judge(3);
    expect((await home.run('logs', 'checkpoint')).code).toBe(0);
    await net.listening.close();
    expect((await home.run('logs', 'verify')).code).toBe(0);
    const notes = (work: (database: Database) => void): void => {
      const database = new Database(home.state, 1000);
      work(database);
      database.close();
    };
    let text = '';
    notes((database) => {
      [text] = database
        .query(['text'], "SELECT CAST(value AS BLOB) FROM mesh_notes WHERE name = 'log.tree'")
        .first([])!;
    });
    back();
    // Who cuts the log may forget what is beside it.
    notes((database) => database.statement("INSERT INTO mesh_notes VALUES ('log.tree', ?)").run([text]));
    const cut = await home.run('logs', 'verify');
    expect([cut.code, cut.out]).toEqual([15, expect.stringContaining('BROKEN')]);
    // A word that the mesh has not signed is none.
    const forged = text.replace(/\n3\n/, '\n9\n');
    notes((database) => database.statement("UPDATE mesh_notes SET value = ? WHERE name = 'log.tree'").run([forged]));
    expect((await home.run('logs', 'verify')).code).toBe(0);
  });
});

describe('where somebody else has claimed the id of the log,', () => {
  /** Before the log was ever shipped or cosigned. */
  async function claimed() {
    const made = await joined(2);
    const { log_id } = JSON.parse((await made.home.run('logs', 'verify', '--json')).out) as { log_id: string };
    const thief = new TreeVerifier(14, log_id).enroll(made.net.mesh, 'operator');
    const asked = thief.asks(new TestTree(...leavesOf(99)));
    expect((await made.net.mesh.ask('POST', '/v1/logs/tree', 'operator', asked)).status).toBe(200);
    return { ...made, thief, logId: log_id };
  }

  test('that is said, and nothing is held against the log', async () => {
    const { net, home, thief } = await claimed();
    const made = await home.run('logs', 'checkpoint');
    expect([made.code, made.err]).toEqual([
      0,
      expect.stringContaining('somebody else has shown the mesh a tree of 99'),
    ]);
    expect(made.err).toContain(`The verifier ${thief.publicKey} has`);
    expect(made.err).toContain('aip mesh follow');
    expect(readNote(made.out).signatures).toHaveLength(1);
    for (const argv of [[], ['--mesh']]) {
      const verified = await home.run('logs', 'verify', ...argv);
      expect([verified.code, verified.err]).toEqual([0, expect.stringContaining('log_claimed')]);
    }
    await net.mesh.store.keys.revoke(net.mesh.keys.operator.keyId, net.mesh.clock.now);
    expect((await home.run('logs', 'checkpoint')).err).toContain('cosigned once');
    const verified = await home.run('logs', 'verify', '--mesh');
    expect([verified.code, verified.err.includes('log_claimed')]).toEqual([0, false]);
  });

  test('who ships the log gets it back, and forgets no nonce', async () => {
    const { net, home, thief, logId } = await claimed();
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', 'amount:=3');
    const following = home.run('mesh', 'follow');
    const by = async () => (await net.mesh.server.trees.find(logId))?.publicKey;
    while ((await by()) === thief.publicKey) await sleep(20);
    expect(home.err()).not.toContain('no longer shipped');
    const judged = await home.run('intent', 'verify', home.file('intent.json', signed.out));
    expect(judged.code, judged.out + judged.err).toBe(0);
    expect((await home.run('logs', 'checkpoint')).err).toContain('cosigned once');
    home.interrupt(143);
    expect((await following).code).toBe(143);
  });

  test('with a chain, the mesh is heard in one sentence', async () => {
    const { net, home } = await joined(1);
    const { log_id } = JSON.parse((await home.run('logs', 'verify', '--json')).out) as { log_id: string };
    const chain = new TestVerifier('thief');
    chain.log({}, {}, {});
    await net.mesh.ask('POST', '/v1/logs', 'operator', { ...chain.shipment(), log_id });
    for (const command of ['verify', 'checkpoint']) {
      const { code, err } = await home.run('logs', command);
      expect([code, err]).toEqual([0, expect.stringMatching(/revoke that key to go on with this one\.(?!\.)/)]);
    }
    // What it shipped says nothing of this log when nobody may go on with it but who comes next.
    await net.mesh.store.keys.revoke(net.mesh.keys.operator.keyId, net.mesh.clock.now);
    const verified = await home.run('logs', 'verify');
    expect([verified.code, verified.err]).toEqual([0, expect.stringContaining('under another name')]);
  });
});

describe('what worked before goes on', () => {
  test('with a mesh of an older version, which is said', async () => {
    const { home } = await joined(2, older);
    const made = await home.run('logs', 'checkpoint');
    expect([made.code, made.err]).toEqual([0, expect.stringContaining('its version is older')]);
    expect(readNote(made.out).signatures).toHaveLength(1);
    const { err } = await prove(home);
    expect([err.includes('its version is older'), err.includes('--witness-key')]).toEqual([true, false]);
    expect((await home.run('logs', 'verify', '--mesh')).code).toBe(0);
  });

  const cosignedBefore: Answering = (incoming, response) =>
    isTree(incoming) && json(response, 200, { checkpoint: readFileSync('/dev/null', 'utf8') });
  test.each<readonly [string, Answering, string]>([
    ['that is away', (incoming) => isTree(incoming) && (incoming.socket.destroy(), true), 'did not cosign'],
    ['behind a portal', (i, r) => isTree(i) && (r.writeHead(200).end('<html>log in</html>'), true), 'no checkpoint'],
    [
      'behind a proxy',
      (i, r) => isTree(i) && (r.writeHead(502).end('<html>bad</html>'), true),
      'no mesh\u2019s answer',
    ],
    ['that is busy', (i, r) => isTree(i) && json(r, 503, { code: 'BUSY', message: 'Ask again.' }), 'Ask again'],
    ['that refuses', (i, r) => isTree(i) && json(r, 403, { code: 'FORBIDDEN', message: 'Not you.' }), 'Not you'],
    ['that answers nothing of use', cosignedBefore, 'not signed with the key of this mesh'],
    [
      'that claims a fork and shows none',
      (i, r) =>
        isTree(i) &&
        (i.method === 'POST'
          ? json(r, 409, { code: 'LOG_FORK', message: 'A fork!' })
          : json(r, 200, { checkpoint: null })),
      'A fork!',
    ],
  ])('with a mesh %s', async (_, answers, said) => {
    const { home } = await joined(1, answers);
    const made = await home.run('logs', 'checkpoint');
    expect([made.code, made.err.replaceAll("'", '\u2019')]).toEqual([0, expect.stringContaining(said)]);
    expect(readNote(made.out).signatures).toHaveLength(1);
  });

  test('with a checkpoint that another mesh signed, and one of another log', async () => {
    const other = await joined(1);
    const theirs = (await other.home.run('logs', 'checkpoint')).out;
    const { home } = await joined(1, (i, r) => isTree(i) && json(r, 200, { checkpoint: `${theirs.trimEnd()}\n` }));
    const made = await home.run('logs', 'checkpoint');
    expect([made.code, made.err]).toEqual([0, expect.stringContaining('not signed with the key of this mesh')]);
    expect(readNote(made.out).signatures).toHaveLength(1);
  });

  test('without a mesh, and without an API key for it', async () => {
    const { home } = await joined();
    const alone = household();
    await alone.agent('bot');
    const signed = await alone.run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', 'amount:=1');
    await alone.run('intent', 'verify', alone.file('intent.json', signed.out));
    const made = await alone.run('logs', 'checkpoint');
    expect([made.code, made.err.includes('mesh')]).toEqual([0, false]);
    delete (home.io.env as Record<string, string | undefined>)['AIP_MESH_KEY'];
    const keyless = await home.run('logs', 'checkpoint');
    expect([keyless.code, keyless.err]).toEqual([0, expect.stringContaining('did not cosign')]);
  });
});

test('aip mesh follow has the tree cosigned by itself, and ends shipping where the mesh has seen another history', async () => {
  const { net, home, judge } = await joined(3);
  const origin = (await home.run('logs', 'checkpoint')).out.split('\n')[0]!;
  const logId = origin.slice('aip.log/'.length);
  const size = async () => (await net.mesh.server.trees.find(logId))?.checkpoint.head.size;
  expect(await size()).toBe(3);
  await judge(4);
  const following = home.run('mesh', 'follow');
  while ((await size()) !== 4) await sleep(20);
  home.interrupt(143);
  expect((await following).code).toBe(143);
});
