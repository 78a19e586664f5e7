import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { erasureText } from '../../../src/app/logs/erasures.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import type { ErasureDraft } from '../../../src/protocol/log/entry.js';
import { erase } from '../../../src/protocol/log/leaf.js';
import { inHome } from '../../kit/history.js';
import { household } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';

const MARK = 'jane.doe.4711@acme.com';

/** A machine whose log holds a person's address in some entries, an approval request, and an outcome. */
async function logged(params: 'full' | 'masked' | 'none' = 'masked') {
  const home = household({ env: { AIP_LOG_PARAMS: params } });
  const made = await home.run(
    ...['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'send', '-a', 'pay', '--allowed-domain', 'acme.com'],
    ...['--constraint', 'require_approval:={"actions":["pay"]}', '--key-store', 'file', '--out', home.at('bot.json')],
  );
  expect(made.code, made.err).toBe(0);
  const judge = async (action: string, ...params: string[]): Promise<string> => {
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', action, ...params);
    const file = home.file('intent.json', signed.out);
    await home.run('intent', 'verify', file);
    return signed.out;
  };
  const sent = [
    await judge('send', '--param', `to=${MARK}`, '--param', 'subject=hi'),
    await judge('send', '--param', 'to=other@acme.com'),
    await judge('send', '--param', `to=${MARK}`, '--param', 'subject=dear-jane-4711'),
    await judge('send', '--param', 'to=x@evil.example'),
    await judge('pay', '--param', `to=${MARK}`),
  ];
  const [first] = inHomeEntries(home.state);
  await home.run('outcome', first!.intent_hash!, '--status', 'error', '--detail', `bounced at ${MARK}`);
  const principal = inHome(dirname(home.state), (state) =>
    formatPublicKey(state.pins('did:web:acme.com')[0]!.publicKey),
  );
  const bundle = await home.run('logs', 'prove', '2');
  const verifier = /--verifier-key (ed25519:[0-9a-f]{64})/.exec(bundle.err)![1]!;
  const keys = ['--principal-key', `did:web:acme.com=${principal}`, '--verifier-key', verifier];
  const checked = async (seq: number): Promise<Record<string, string>> => {
    const { out } = await home.run('logs', 'prove', String(seq));
    const answer = await world({ stdin: out }).run('proof', 'verify', '-', '--json', ...keys);
    return Object.fromEntries((JSON.parse(answer.out) as ProofReport).steps.map(({ step, status }) => [step, status]));
  };
  return { home, sent, checked };
}

function inHomeEntries(state: string) {
  return inHome(dirname(state), (opened) => [...opened.entries({})]);
}

/** Files beside the state that hold the text, in plain or in base64. */
function holders(state: string, text: string): string[] {
  const folder = dirname(state);
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
}

describe('a param of an agent', () => {
  test('is gone from file, write-ahead log and export; chain, tree and proofs hold', async () => {
    const { home, checked } = await logged();
    expect(holders(home.state, MARK)).not.toEqual([]);
    const before = inHomeEntries(home.state);
    const erased = await home.json<object>('logs', 'erase', '--agent', 'bot', '--param', 'to', '--yes');
    expect([erased.code, erased.value]).toEqual([
      0,
      { erased: 5, would_erase: 5, not_erasable: 0, requests: 1, file_emptied: true, mesh_erased: null },
    ]);
    expect(holders(home.state, MARK)).toEqual([]);
    expect((await home.run('logs', 'export')).out).not.toContain(MARK);
    const after = inHomeEntries(home.state);
    expect(after.map(({ hash }) => hash)).toEqual(before.map(({ hash }) => hash));
    for (const [i, entry] of after.entries()) {
      expect(entry).toMatchObject({
        nonce: null,
        signature: null,
        intent_hash: null,
        target: null,
        error_message: null,
      });
      // Nothing confirms a guess: neither value nor salt is there.
      for (const confirming of [before[i]!.intent_hash!, before[i]!.nonce!, before[i]!.signature!])
        expect(holders(home.state, confirming)).toEqual([]);
    }
    expect(after[0]!.params).toEqual({ subject: 'hi' });
    const verified = await home.json<{ ok: boolean; derived: { ok: boolean } }>('logs', 'verify');
    expect([verified.code, verified.value.ok, verified.value.derived.ok]).toEqual([0, true, true]);
    // Of the entry itself: what was decided, and where that is recorded; who and what are not shown any more, and nothing is broken.
    expect(await checked(1)).toMatchObject({ decision: 'ok', recorded: 'ok', who: 'unproven' });
    expect(Object.values(await checked(1))).not.toContain('broken');
    const { out } = await home.run('logs', 'export');
    const records = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.at(-1)).toMatchObject({
      type: 'erasure',
      entries: [1, 2, 3, 4, 5],
      param: 'to',
      signature: expect.stringMatching(/^[0-9a-f]{128}$/),
    });
    const file = home.file('log.jsonl', out);
    expect((await home.run('logs', 'verify', '--file', file)).code).toBe(0);
    // Once is enough.
    expect((await home.json<object>('logs', 'erase', '--agent', 'bot', '--param', 'to', '--yes')).value).toMatchObject({
      erased: 0,
      would_erase: 0,
    });
  });

  test('before a time only, and not without a yes', async () => {
    const { home, checked } = await logged();
    expect((await home.run('logs', 'erase', '--agent', 'bot', '--param', 'to')).code).toBe(2);
    expect(
      (await home.json<object>('logs', 'erase', '--agent', 'bot', '--param', 'to', '--dry-run')).value,
    ).toMatchObject({ erased: 0, would_erase: 5 });
    expect(
      (await home.json<object>('logs', 'erase', '--agent', 'bot', '--param', 'to', '--before', '1h', '--yes')).value,
    ).toMatchObject({ erased: 0 });
    const older = await home.run('logs', 'erase', '--agent', 'bot', '--param', 'to', '--before', '2020-01-01');
    expect(older.out).toBe('no entry here from before 2020-01-01T00:00:00.000Z holds it\n');
    expect(holders(home.state, MARK)).not.toEqual([]);
    expect(await checked(1)).toMatchObject({ who: 'ok', recorded: 'ok' });
  });
});

describe('one entry', () => {
  test('loses all its params, and the others keep theirs and their proofs', async () => {
    const { home, checked } = await logged();
    expect((await home.json<object>('logs', 'erase', '--entry', '3', '--yes')).value).toMatchObject({ erased: 1 });
    expect(inHomeEntries(home.state)[2]!.params).toEqual({});
    expect(holders(home.state, 'dear-jane-4711')).toEqual([]);
    expect(await checked(1)).toMatchObject({ who: 'ok', what: 'ok', recorded: 'ok' });
    expect(await checked(3)).toMatchObject({ decision: 'ok', recorded: 'ok' });
    expect((await home.run('logs', 'verify', '--signatures')).code).toBe(0);
    // No hash is over a list of what is gone, so that nothing else may stand in it.
    const lines = (await home.run('logs', 'export')).out.trim().split('\n');
    for (const more of [{}, { note: 'paid' }, { 'sent.note': '0'.repeat(64) }]) {
      const entry = JSON.parse(lines[2]!) as { erased: object };
      const changed = JSON.stringify({ ...entry, erased: { ...entry.erased, ...more } });
      const file = home.file('changed.jsonl', lines.toSpliced(2, 1, changed).join('\n'));
      expect((await home.run('logs', 'verify', '--file', file)).code).toBe(Object.keys(more).length === 0 ? 0 : 15);
    }
    for (const params of ['paid', 5, ['paid']]) {
      const changed = JSON.stringify({ ...(JSON.parse(lines[2]!) as object), params });
      const file = home.file('changed.jsonl', lines.toSpliced(2, 1, changed).join('\n'));
      expect((await home.run('logs', 'verify', '--file', file)).code).toBe(15);
    }
  });
  test('also where the log withholds its params: the commitments lose their salts', async () => {
    const { home, sent, checked } = await logged('none');
    const intent = home.file('sent.json', sent[0]!);
    expect((await home.run('logs', 'prove', '1', '--intent', intent)).code).toBe(0);
    expect((await home.json<object>('logs', 'erase', '--entry', '1', '--yes')).value).toMatchObject({ erased: 1 });
    expect(await home.run('logs', 'prove', '1', '--intent', intent)).toMatchObject({
      code: 2,
      err: expect.stringContaining('hash of entry 1 was erased') as string,
    });
    expect(await checked(1)).toMatchObject({ recorded: 'ok', who: 'unproven' });
  });
});

test.each([
  [['--agent', 'bot'], 2],
  [['--param', 'to'], 2],
  [['--entry', '3', '--agent', 'bot'], 2],
  [['--entry', '0'], 2],
  [['--entry', '99', '--yes'], 3],
  [['--agent', 'nobody', '--param', 'to'], 3],
])('wrong use: %s', async (argv, exit) => {
  const { home } = await logged();
  expect((await home.run('logs', 'erase', ...argv)).code).toBe(exit);
});

describe('values that were taken in silence', () => {
  const machine = { seed: new Uint8Array(32).fill(7) };
  const signed = (draft: Omit<ErasureDraft, 'signature'>): ErasureDraft => ({
    ...draft,
    signature: toHex(signMessage(machine.seed, Buffer.from(erasureText(draft)))),
  });
  const by = formatPublicKey(publicKeyOf(machine.seed));
  const whole = { timestamp: '2026-02-18T14:23:45.000Z', agent_id: 'did:web:acme.com:agents:bot', by };

  test.each<[string, ErasureDraft, string[], number]>([
    ['named by an erasure that counts', signed({ ...whole, entries: [2], param: 'to' }), ['--public-key', by], 0],
    ['by nobody who is trusted', signed({ ...whole, entries: [2], param: 'to' }), [], 15],
    ['of another entry', signed({ ...whole, entries: [1], param: 'to' }), ['--public-key', by], 15],
    ['of another param', signed({ ...whole, entries: [2], param: 'subject' }), ['--public-key', by], 15],
    [
      'with a signature over something else',
      { ...signed({ ...whole, entries: [2], param: 'to' }), entries: [2, 3] },
      ['--public-key', by],
      15,
    ],
  ])('%s', async (_, statement, flags, code) => {
    const { home } = await logged();
    inHome(dirname(home.state), (state) => {
      const entry = [...state.entries({})][1]!;
      const slots = ['params.to', 'sent.to', 'details', 'error_message', 'intent_hash', 'nonce', 'signature', 'target'];
      state.archive.erase(
        () => [erase(entry, slots)],
        statement,
        () => false,
      );
    });
    const { value, ...answer } = await home.json<{ ok: boolean; first_bad_seq: number | null; reason: string | null }>(
      ...['logs', 'verify', ...flags],
    );
    expect([answer.code, value.ok, value.first_bad_seq]).toEqual([code, code === 0, code === 0 ? null : 2]);
    if (code !== 0) expect(value.reason).toContain('no erasure');
    // An export is held to the same.
    const file = home.file('log.jsonl', (await home.run('logs', 'export')).out);
    const exported = await home.json<object>('logs', 'verify', '--file', file, ...flags);
    expect([exported.code, exported.value]).toMatchObject([
      code,
      { ok: code === 0, first_bad_seq: code === 0 ? null : 2, reason: value.reason },
    ]);
  });
});

test('who may read the state and not its key is told whose erasure it is, and whom to ask', async () => {
  const { home } = await logged();
  await home.run('logs', 'erase', '--entry', '1', '--yes');
  const { by } = JSON.parse((await home.run('logs', 'tail', '--type', 'erasure', '--json')).out) as { by: string };
  renameSync(join(dirname(home.state), 'verifier.key'), join(dirname(home.state), 'elsewhere'));
  const alone = await home.run('logs', 'verify');
  expect([alone.code, alone.out.replaceAll(/\s+/g, ' ')]).toEqual([
    15,
    expect.stringContaining(`is signed by ${by}, which`),
  ]);
  expect(alone.err).toContain(`aip logs verify --public-key ${by}`);
  expect(await home.run('logs', 'verify', '--public-key', by)).toMatchObject({ code: 0 });
  const file = home.file('log.jsonl', (await home.run('logs', 'export')).out);
  const exported = await home.run('logs', 'verify', '--file', file);
  expect([exported.code, exported.err]).toEqual([15, expect.stringContaining(`--file ${file} --public-key ${by}`)]);
});
