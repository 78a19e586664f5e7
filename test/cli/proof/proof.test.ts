import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, describe } from 'vitest';
import { readBundle, withShown, writeBundle } from '../../../src/app/proof/bundle.js';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { entryHash } from '../../../src/protocol/log/chain.js';
import { leafText } from '../../../src/protocol/log/leaf.js';
import { checkpointText } from '../../../src/protocol/transparency/note.js';
import { leafHash } from '../../../src/protocol/transparency/tree.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { inHome } from '../../kit/history.js';
import { TreeVerifier } from '../../kit/proof/trees.js';
import { world } from '../../kit/world.js';

/** A machine that has judged five intents, the last one refused, with `log.params` as told. */
async function judged(
  params: 'full' | 'masked' | 'none' = 'masked',
  asked: string[] = ['--param', 'amount:=5', '--param', 'note=hi'],
) {
  const place = world({ env: { AIP_KEY_PASSPHRASE: 'correct horse', AIP_LOG_PARAMS: params } });
  const home = join(place.io.userHome, 'home');
  const run = (...argv: string[]) => place.run(...argv, '--home', home);
  const made = await run(
    ...[
      'passport',
      'create',
      'bot',
      '--domain',
      'acme.com',
      '-a',
      'refund',
      '--monetary-limit',
      '100',
      '--rate-limit',
      '10/hour',
    ],
    ...['--key-store', 'file', '--out', join(place.cwd, 'bot.json')],
  );
  expect(made.code, made.err).toBe(0);
  const intents: string[] = [];
  for (const over of [false, false, false, false, true]) {
    const wanted = asked.map((word) => (over ? word.replace('amount:=5', 'amount:=101') : word));
    const signed = await run('intent', 'sign', '-p', 'bot', '-a', 'refund', ...wanted);
    const file = place.file(`intent-${intents.length}.json`, signed.out);
    const { code } = await run('intent', 'verify', file);
    expect(code).toBe(over ? 12 : 0);
    intents.push(file);
  }
  const principal = inHome(home, (state) => formatPublicKey(state.pins('did:web:acme.com')[0]!.publicKey));
  const prove = async (...argv: string[]): Promise<string> => {
    const { code, out, err } = await run('logs', 'prove', ...argv);
    expect(code, err).toBe(0);
    return out;
  };
  const first = await run('logs', 'prove', '1');
  const verifier = /--verifier-key (ed25519:[0-9a-f]{64})/.exec(first.err)![1]!;
  const keys = ['--principal-key', `did:web:acme.com=${principal}`, '--verifier-key', verifier];
  expect(first.err).toContain(`aip proof verify <file> ${keys.join(' ')}`);
  /** On a machine without state. */
  const verify = async (
    text: string,
    ...argv: string[]
  ): Promise<{ code: number; report: ProofReport; err: string }> => {
    const other = world({ stdin: text });
    const { code, out, err } = await other.run('proof', 'verify', '-', '--json', ...argv);
    return { code, err, report: (out === '' ? null : JSON.parse(out)) as ProofReport };
  };
  return { place, home, run, prove, verify, keys, intents, principal, verifier };
}

const statuses = (report: ProofReport): Record<string, string> =>
  Object.fromEntries(report.steps.map(({ step, status }) => [step, status]));

describe('a bundle', () => {
  test('shows a stranger who did what, within which limits, and when', async () => {
    const { prove, verify, keys, principal, intents } = await judged();
    const text = await prove('2');
    expect(text.length).toBeLessThan(4096);
    const { code, report } = await verify(text, ...keys);
    expect([code, report]).toMatchObject([
      0,
      { ok: true, action: 'refund', params: { amount: 5, note: 'hi' }, status: 'success', seq: 2 },
    ]);
    expect(statuses(report)).toEqual({
      ...{ who: 'ok', what: 'ok', limits: 'ok', decision: 'ok', when: 'ok', recorded: 'ok', seen: 'unproven' },
    });
    const onlyPrincipal = await verify(text, '--principal-key', `did:web:acme.com=${principal}`);
    expect([onlyPrincipal.code, statuses(onlyPrincipal.report)]).toMatchObject([
      0,
      { who: 'ok', decision: 'unproven', recorded: 'unproven' },
    ]);
    const none = await verify(text);
    expect([none.code, none.report.ok, statuses(none.report)['who']]).toEqual([10, false, 'unproven']);
    const { intent_hash, nonce } = JSON.parse(text).decision as { intent_hash: string; nonce?: string };
    expect(JSON.parse(await prove(intent_hash)).decision).toEqual(JSON.parse(text).decision);
    expect(nonce).toBeUndefined();
    const sent = JSON.parse(readFileSync(intents[1]!, 'utf8')) as { nonce: string };
    expect(JSON.parse(await prove(sent.nonce)).decision).toEqual(JSON.parse(text).decision);
    const refusal = await verify(await prove('5'), ...keys);
    expect([refusal.code, refusal.report]).toMatchObject([0, { status: 'failed', error_code: 'AIP-E202' }]);
    const said = refusal.report.steps.find(({ step }) => step === 'decision')!.message;
    expect(said).toBe('The verifier refused it with AIP-E202.');
  });

  test('shows the target, to people as well', async () => {
    const { prove, verify, keys } = await judged('masked', ['--param', 'amount:=5', '--target', 'till/<7>']);
    const text = await prove('2');
    expect((await verify(text, ...keys)).report).toMatchObject({ ok: true, target: 'till/<7>' });
    const other = world({ stdin: text });
    expect((await other.run('proof', 'verify', '-', ...keys)).out).toContain('refund on till/<7>  {"amount":5}');
    const page = await world({ stdin: text }).run('proof', 'verify', '-', '--html', '-', ...keys);
    expect(page.out).toContain('<th scope="row">Target</th><td>till/&#60;7&#62;</td>');
  });

  test('with an outcome shows that as well', async () => {
    const { prove, verify, keys, run } = await judged();
    const { decision } = JSON.parse(await prove('3')) as { decision: { intent_hash: string } };
    expect((await run('outcome', decision.intent_hash, '--status', 'error')).code).toBe(0);
    const { code, report } = await verify(await prove('3'), ...keys);
    expect([code, statuses(report)['outcome']]).toEqual([0, 'ok']);
    expect(report.steps.find(({ step }) => step === 'outcome')!.message).toContain('claims');
  });

  test('mutated at any byte is no yes', async () => {
    const { prove, keys } = await judged();
    const text = Buffer.from(await prove('2'));
    const { checkProof } = await import('../../../src/app/proof/check.js');
    let yes = 0;
    for (let at = 0; at < text.length; at++) {
      for (const mask of [1, 0x20, 0x80]) {
        const changed = Buffer.from(text);
        changed[at]! ^= mask;
        try {
          readBundle(changed);
          yes += 1;
        } catch {
          // Not whole.
        }
      }
    }
    expect([yes, keys.length, typeof checkProof]).toEqual([0, 4, 'function']);
    for (const cut of [0, 1, text.length - 1]) expect(() => readBundle(text.subarray(0, cut))).toThrow();
    expect(() => readBundle(Buffer.concat([text, Buffer.from('\n')]))).toThrow();
  });

  test('of another intent of the same second is no yes: what a holder of the bundle erased stays unproven', async () => {
    const { run, place, home, prove, verify, keys } = await judged();
    const { erase } = await import('../../../src/protocol/log/leaf.js');
    const bundle = readBundle(Buffer.from(await prove('2')));
    const entry = withShown(bundle.decision, bundle.intent as JsonObject);
    const at = ['--timestamp', String(entry.intent_timestamp)];
    for (const [gone, asked] of [
      [['params.amount'], ['--param', 'note=hi']],
      [[], ['--param', 'amount:=5', '--param', 'note=hi', '--target', 'elsewhere']],
    ] as const) {
      const other = await run('intent', 'sign', '-p', 'bot', '-a', 'refund', ...asked, ...at);
      const left = erase(entry, [...gone, 'intent_hash', 'nonce', 'signature', 'target']);
      const forged = {
        ...bundle,
        intent: JSON.parse(other.out) as JsonObject,
        decision: left as unknown as JsonObject,
      };
      const { code, report } = await verify(writeBundle(forged), ...keys);
      expect([code, statuses(report)]).toMatchObject([10, { who: 'unproven', what: 'unproven', recorded: 'ok' }]);
      const beside = await verify(
        writeBundle({ ...forged, intent: null }),
        ...[...keys, '--intent', place.file('other.json', other.out), '--home', home],
      );
      expect([beside.code, statuses(beside.report)]).toMatchObject([10, { who: 'unproven', what: 'unproven' }]);
    }
  });

  test('forged in any member and hashed anew is broken where it was touched', async () => {
    const { prove, verify, keys } = await judged();
    const whole = JSON.parse(await prove('2')) as JsonObject;
    const shapeless: [string, unknown][] = [
      ['intent_timestamp', 1e21],
      ['intent_timestamp', -1],
      ['intent_timestamp', 'x'],
      ['erased', {}],
      ['erased', 'x'],
      ['withheld', []],
      ['salts', null],
      ['more', 1],
      ['details', undefined],
      ['type', 'outcome'],
      ['seq', '2 of all'],
      ['timestamp', {}],
      ['status', 'Success'],
      ['status', 'failed'],
      ['error_code', 'AIP-E202'],
    ];
    for (const [name, value] of shapeless) {
      const { hash: _, decision, ...rest } = structuredClone(whole) as any;
      const changed = { ...decision, [name]: value };
      if (value === undefined) delete changed[name];
      const text = writeBundle({ ...rest, decision: changed });
      expect([name, (await verify(text, ...keys)).code]).toEqual([name, 15]);
    }
    const other = JSON.parse(await prove('3')) as JsonObject;
    const refused = JSON.parse(await prove('5')) as JsonObject;
    const forge = (change: (bundle: any) => void): string => {
      const copy = structuredClone(whole) as any;
      delete copy.hash;
      change(copy);
      return writeBundle(copy);
    };
    const cases: [string, (bundle: any) => void, string, number][] = [
      ['another amount', (b) => (b.intent.params.amount = 6), 'who', 10],
      ['another agent', (b) => (b.intent.agent_id = 'did:web:acme.com:agents:other'), 'who', 10],
      ['a wider passport', (b) => (b.passport.constraints.monetary_limit = 1000), 'who', 10],
      ['another signature', (b) => (b.intent.signature = '0'.repeat(128)), 'who', 10],
      ['the intent of another entry', (b) => (b.intent = other['intent']), 'what', 12],
      ['the decision of another', (b) => (b.decision = other['decision']), 'what', 12],
      [
        'a refusal turned',
        (b) => (
          (b.decision = { ...(refused['decision'] as any), status: 'success', error_code: null }),
          (b.intent = refused['intent'])
        ),
        'limits',
        12,
      ],
      [
        'a refusal with another code',
        (b) => (
          (b.decision = { ...(refused['decision'] as any), error_code: 'AIP-E999' }),
          (b.intent = refused['intent'])
        ),
        'recorded',
        15,
      ],
      ['another serial', (b) => (b.decision.passport_serial = 9), 'recorded', 15],
      ['another time', (b) => (b.decision.timestamp = '2026-02-18T14:23:46.000Z'), 'recorded', 15],
      ['another place', (b) => (b.inclusion.index = 0), 'recorded', 15],
      ['a shorter path', (b) => b.inclusion.hashes.pop(), 'recorded', 15],
      [
        'another checkpoint text',
        (b) =>
          (b.checkpoint = b.checkpoint.replace(/^aip\.log\/./, (first: string) =>
            first.endsWith('0') ? 'aip.log/1' : 'aip.log/0',
          )),
        'recorded',
        15,
      ],
      ['no signature', (b) => (b.checkpoint = b.checkpoint.replace(/\n— [^\n]+\n$/, '\n')), 'recorded', 15],
      ['salts of another', (b) => (b.decision.salts = (other['decision'] as any).salts), 'recorded', 15],
    ];
    for (const [name, change, step, exit] of cases) {
      const { code, report } = await verify(forge(change), ...keys);
      expect([name, code === 0, report?.ok ?? false]).toEqual([name, false, false]);
      if (report !== null) expect([name, statuses(report)[step]]).toEqual([name, 'broken']);
      expect([name, [10, 11, 12, 13, 15].includes(code), exit > 0]).toEqual([name, true, true]);
    }
  });

  test('is judged by the keys that are named, and no other', async () => {
    const { prove, verify, keys, principal, verifier } = await judged();
    const text = await prove('2');
    const strange = `ed25519:${'3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29'}`;
    expect(
      (await verify(text, '--principal-key', `did:web:acme.com=${strange}`, '--verifier-key', verifier)).code,
    ).toBe(10);
    const wrong = await verify(text, '--principal-key', `did:web:acme.com=${principal}`, '--verifier-key', strange);
    expect([wrong.code, statuses(wrong.report)['recorded']]).toEqual([13, 'broken']);
    const witness = 'w.example+a8c6d6f3+AQ';
    expect((await verify(text, ...keys, '--witness-key', witness)).code).toBe(2);
  });

  /** What a verifier of its own would have written: the decision changed, alone in a tree that it signs. */
  function rewritten(text: string, changes: JsonObject): { text: string; key: string } {
    const bundle = readBundle(Buffer.from(text));
    const entry = { ...withShown({ ...bundle.decision, ...changes }, bundle.intent as JsonObject) };
    const hash = entryHash(entry);
    const verifier = new TreeVerifier(7);
    const head = { origin: 'aip.log/0f1e2d3c', size: 1, root: leafHash(leafText({ ...entry, hash })!) };
    const checkpoint = verifier.signed(checkpointText(head), head.origin);
    const decision = { ...bundle.decision, ...changes, hash };
    const inclusion = { index: 0, hashes: [] };
    return { text: writeBundle({ ...bundle, decision, inclusion, checkpoint }), key: verifier.publicKey };
  }

  test('tells its place among all entries, also those before the tree', async () => {
    const { prove, verify, keys } = await judged();
    const { text, key } = rewritten(await prove('2'), { seq: 9 });
    const { code, report } = await verify(text, ...keys.slice(0, 2), '--verifier-key', key);
    const said = report.steps.find(({ step }) => step === 'recorded')!.message;
    expect([code, said]).toEqual([0, 'It is entry 9 of aip.log/0f1e2d3c, among 9.']);
  });

  test('of a yes to more than a day allows in all is contradicted by the passport', async () => {
    const { run, place, prove, verify, keys } = await judged();
    const made = ['passport', 'create', 'saver', '--domain', 'acme.com', '-a', 'refund', '--daily-limit', '100'];
    expect((await run(...made, '--key-store', 'file', '--out', join(place.cwd, 'saver.json'))).code).toBe(0);
    const signed = await run('intent', 'sign', '-p', 'saver', '-a', 'refund', '--param', 'amount:=101');
    expect((await run('intent', 'verify', place.file('over.json', signed.out))).code).toBe(12);
    const refusal = await prove('6');
    expect((await verify(refusal, ...keys)).report).toMatchObject({ ok: true, error_code: 'AIP-E212' });
    const yes = { status: 'success', error_code: null, error_message: null, details: null };
    const gone = readBundle(Buffer.from(refusal)).decision['salts'] as string;
    // The first salts are those of the details and the error message.
    const salts = Buffer.from(gone, 'base64').subarray(64).toString('base64');
    const { text, key } = rewritten(refusal, { ...yes, salts });
    const { code, report } = await verify(text, ...keys.slice(0, 2), '--verifier-key', key);
    expect([code, statuses(report)]).toMatchObject([12, { who: 'ok', limits: 'broken', recorded: 'ok' }]);
  });

  test('is of no other document than the one given', async () => {
    const { prove, verify, keys, intents } = await judged();
    const text = await prove('2');
    const other = await verify(text, ...keys, '--intent', intents[2]!);
    expect([other.code, other.report.ok, statuses(other.report)['what']]).toEqual([12, false, 'broken']);
    expect((await verify(text, ...keys, '--intent', intents[1]!)).code).toBe(0);
  });

  test('with withheld params proves who only with the document as it was sent', async () => {
    for (const params of ['none', 'masked'] as const) {
      const { prove, verify, keys, intents } = await judged(params, [
        '--param',
        'amount:=5',
        '--param',
        'password=hunter2',
        '--param',
        'https://root:hunter2@acme.com=yes',
      ]);
      expect(await prove('2')).not.toContain('hunter2');
      const bare = await verify(await prove('2'), ...keys);
      expect([bare.code, statuses(bare.report)]).toMatchObject([
        10,
        { who: 'unproven', what: 'unproven', limits: 'unproven', recorded: 'ok' },
      ]);
      expect(bare.report.steps[0]!.message).toContain('params withheld');
      const text = await prove('2', '--intent', intents[1]!);
      const whole = await verify(text, ...keys);
      expect([params, whole.code, whole.report.params]).toEqual([
        params,
        0,
        { amount: 5, password: 'hunter2', 'https://root:hunter2@acme.com': 'yes' },
      ]);
      const wrong = await verify(await prove('2'), ...keys, '--intent', intents[2]!);
      expect(wrong.code).not.toBe(0);
      expect((await verify(await prove('2'), ...keys, '--intent', intents[1]!)).code).toBe(0);
    }
  });

  test('for people is a page that nothing in it escapes from', async () => {
    const { prove, place, keys } = await judged('masked', [
      '--param',
      'amount:=5',
      '--param',
      'note=<script>alert(1)</script>',
    ]);
    const file = place.file('proof.json', await prove('2'));
    const page = join(place.cwd, 'proof.html');
    const { code, out } = await place.run('proof', 'verify', file, ...keys, '--html', page);
    expect([code, out.split('\n')[0]]).toEqual([0, expect.stringContaining('PROVED')]);
    const html = readFileSync(page, 'utf8');
    expect(html).not.toContain('<script');
    expect(html).toContain('did:web:acme.com');
    expect(html).toContain('\n  &#34;amount&#34;: 5,\n');
    const piped = await place.run('proof', 'verify', file, ...keys, '--html', '-');
    expect([piped.code, piped.out.trimEnd(), existsSync(join(place.cwd, '-'))]).toEqual([0, html.trimEnd(), false]);
    expect((await place.run('proof', 'verify', file, '--html', '-', '--json')).code).toBe(2);
  });

  test('and its text say in the last line what a yes leaves open, and what a no is about', async () => {
    const { prove, place, keys } = await judged();
    const file = place.file('proof.json', await prove('2'));
    const stranger = 'did:web:acme.com=ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29';
    const page = join(place.cwd, 'proof.html');
    const principal = keys.slice(0, keys.indexOf('--verifier-key'));
    for (const [given, code, said] of [
      [[file, ...keys], 0, '1 step needs a key that was not given.'],
      [[file, ...principal], 0, '4 steps need keys that were not given.'],
      [[file], 10, 'A step that was asked for is not shown by what was given.'],
      [[file, '--principal-key', stranger], 10, 'A step is contradicted: nothing of this may be relied on.'],
    ] as const) {
      const answer = await place.run('proof', 'verify', ...given, '--html', page);
      expect([answer.code, answer.out.trimEnd().split('\n').at(-1)]).toEqual([code, expect.stringContaining(said)]);
      expect(readFileSync(page, 'utf8')).toContain(said);
    }
  });

  test('of an intent that the verifier took days after it was signed says so, and is whole', async () => {
    const { place, run, prove, verify, keys } = await judged();
    const signed = await run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', 'amount:=5');
    const file = place.file('old.json', signed.out);
    const then = place.io.now();
    Object.assign(place.io, { now: () => then + 2 * 86_400_000 });
    expect((await run('intent', 'verify', file, '--max-age', '7d')).code).toBe(0);
    const { code, report } = await verify(await prove('6'), ...keys);
    expect([code, report.steps.find(({ step }) => step === 'when')]).toMatchObject([
      0,
      { status: 'ok', message: expect.stringContaining('more than a day apart') as string },
    ]);
  });

  test('is not made of what is not there', async () => {
    const { run, intents } = await judged();
    expect((await run('logs', 'prove', '99')).code).toBe(3);
    expect((await run('logs', 'prove', `sha256:${'0'.repeat(64)}`)).code).toBe(3);
    expect((await run('logs', 'prove', '1', '--intent', intents[3]!)).code).toBe(2);
  });
});

describe('a checkpoint of the tree', () => {
  test('finds what was written anew, cut, or replaced by an older copy', async () => {
    const { run, place, home } = await judged();
    const file = join(place.cwd, 'checkpoint.txt');
    const older = join(place.cwd, 'older.db');
    const sql = (text: string): void => inHome(home, () => undefined) ?? edit(join(home, 'state.db'), text);
    const signed = await run('logs', 'checkpoint', '-o', file);
    expect(signed.code, signed.err).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^aip\.log\/[0-9a-f]{32}\n5\n[A-Za-z0-9+/]{43}=\n\n— aip\.log\//);
    expect((await run('logs', 'verify', '--checkpoint', file)).code).toBe(0);
    // A row of the tree.
    sql('UPDATE tiles SET hashes = zeroblob(160) WHERE level = 0 AND n = 0');
    expect(await firstBad(run)).toBe(1);
    expect(existsSync(older)).toBe(false);
  });

  test('and what else needs the tree fails where it has a hole, and is no bug of aip', async () => {
    const { run, home } = await judged();
    inHome(home, () => undefined);
    edit(join(home, 'state.db'), 'DELETE FROM tiles');
    for (const argv of [['checkpoint'], ['prove', '2'], ['export', '--since', '1h']]) {
      const { code, out, err } = await run('logs', ...argv);
      expect([argv, code, out]).toEqual([argv, 3, '']);
      expect(err).toContain('has a hole');
    }
  });

  test('of another log or by another key is refused', async () => {
    const one = await judged();
    const two = await judged();
    const foreign = one.place.file('foreign.txt', (await two.run('logs', 'checkpoint')).out);
    expect((await one.run('logs', 'verify', '--checkpoint', foreign)).code).toBe(2);
    const own = (await one.run('logs', 'checkpoint')).out;
    const forged = one.place.file('forged.txt', own.replace(/[A-Za-z0-9+/]{8}=*\n$/, 'AAAAAAAA\n'));
    expect((await one.run('logs', 'verify', '--checkpoint', forged)).code).not.toBe(0);
    const rubbish = one.place.file('rubbish.txt', 'rubbish');
    expect((await one.run('logs', 'verify', '--checkpoint', rubbish)).code).toBe(3);
  });

  test('an older copy of the file is shorter than the checkpoint says', async () => {
    const { run, place, home } = await judged();
    const copy = join(place.cwd, 'older.db');
    inHome(home, (state) => void state.bounds());
    edit(join(home, 'state.db'), 'PRAGMA wal_checkpoint(TRUNCATE)');
    copyFileSync(join(home, 'state.db'), copy);
    const more = await run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', 'amount:=1');
    expect((await run('intent', 'verify', place.file('more.json', more.out))).code).toBe(0);
    const file = join(place.cwd, 'checkpoint.txt');
    await run('logs', 'checkpoint', '-o', file);
    for (const side of ['', '-wal', '-shm']) rmSync(join(home, `state.db${side}`), { force: true });
    copyFileSync(copy, join(home, 'state.db'));
    const { code, out } = await run('logs', 'verify', '--checkpoint', file, '--json');
    expect([code, JSON.parse(out)]).toMatchObject([15, { ok: false, first_bad_seq: 6 }]);
  });
});

async function firstBad(run: (...argv: string[]) => Promise<{ out: string }>): Promise<number | null> {
  return (JSON.parse((await run('logs', 'verify', '--json')).out) as { first_bad_seq: number | null }).first_bad_seq;
}

function edit(path: string, sql: string): void {
  const database = new Database(path, 0);
  database.exec(sql);
  database.close();
}

describe('every signature anew', () => {
  test('holds where what was signed is kept, and is said where it is not', async () => {
    const { run } = await judged();
    const whole = await run('logs', 'verify', '--signatures', '--json');
    expect([whole.code, JSON.parse(whole.out)]).toMatchObject([
      0,
      { ok: true, signatures: { checked: 4, unchecked: 0 } },
    ]);
    const dropped = await judged('none');
    expect(JSON.parse((await dropped.run('logs', 'verify', '--signatures', '--json')).out)).toMatchObject({
      signatures: { checked: 0, unchecked: 4 },
    });
    expect(JSON.parse((await run('logs', 'verify', '--json')).out)).toMatchObject({ ok: true, signatures: null });
  });

  test('finds an acceptance that the file’s owner appended', async () => {
    const { run, home } = await judged();
    inHome(home, (state) => {
      const [first] = [...state.entries({})];
      const { params, seq: _, verifier: __, prev_hash: ___, hash: ____, salts: _____, ...rest } = first!;
      const forged = { ...rest, params: { ...params, amount: 99 }, nonce: 'ab'.repeat(16) };
      const document = {
        agent_id: rest.agent_id,
        action: rest.action!,
        params: forged.params,
        timestamp: rest.intent_timestamp!,
        nonce: forged.nonce,
      };
      const intent_hash = `sha256:${sha256Hex(canonicalize(document))}`;
      state.transact((ledger) => ledger.append({ ...forged, intent_hash }));
    });
    const { code, out } = await run('logs', 'verify', '--signatures', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([15, { ok: false, first_bad_seq: 6 }]);
  });

  test('doctor shows the public half of the verifier’s key, once there is one', async () => {
    const { run, verifier } = await judged();
    expect((await run('doctor')).out).toContain(verifier);
    const fresh = world();
    expect((await fresh.run('doctor', '--home', join(fresh.io.userHome, 'h'))).out).not.toContain(
      'public key of this verifier',
    );
  });
});
