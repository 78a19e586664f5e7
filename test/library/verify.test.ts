import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AGENT, KEY, refusal, supportAgent, T0, workshop } from './workshop.js';

const REFUND = { agentId: AGENT, action: 'issue_refund', params: { order_id: '8472', amount: 50 } };
const LOOSE = { constraints: {} };

describe('verifyIntent', () => {
  test('gives the decision of the command line: plain data, every key present', async () => {
    const aip = workshop();
    await supportAgent(aip);
    const decision = await aip.verifyIntent(await aip.createIntent(REFUND), { source: 'queue' });
    expect(decision).toEqual({
      success: true,
      dialect: 'native',
      agent_id: AGENT,
      action: 'issue_refund',
      intent_hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      error_code: null,
      error_message: null,
      message: `${AGENT} may do "issue_refund".`,
      details: null,
      violations: [],
      checks: [
        { check: 'passport', status: 'passed' },
        { check: 'signature', status: 'passed' },
        { check: 'nonce', status: 'passed' },
        { check: 'timestamp', status: 'passed' },
        { check: 'action', status: 'passed' },
        { check: 'constraints', status: 'passed' },
        { check: 'hooks', status: 'skipped', reason: 'no hooks are registered' },
        { check: 'revocation', status: 'passed' },
        { check: 'trust', status: 'skipped', reason: 'no minimum is set' },
      ],
      revocation: { status: 'active', age_ms: null, degraded: false },
      warnings: [
        {
          code: 'unmeasured',
          message:
            '"allowed_domains" found nothing to measure: it looks for an address, URL or host, and it looked at order_id, amount.',
        },
      ],
      verified_at: '2026-02-18T14:23:45.000Z',
      source: 'queue',
      outcome_token: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test('takes an object, its text and its bytes, and they are one intent', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intent = await aip.createIntent(REFUND);
    const text = JSON.stringify(intent, null, 2);
    expect((await aip.verifyIntent(text)).success).toBe(true);
    for (const again of [intent, text, Buffer.from(text)])
      expect(await aip.verifyIntent(again)).toMatchObject({ error_code: 'AIP-E301' });
  });

  test.each<[string, (text: string) => string | Uint8Array | object]>([
    ['nothing', () => ''],
    ['half of it', (text) => text.slice(0, 100)],
    ['two members of one name', (text) => text.replace('{', '{"action":"x",')],
    ['half a character', (text) => text.replace('8472', '\ud800')],
    ['bytes that are no UTF-8', (text) => Buffer.from(text).fill(0xff, 20, 22)],
    ['an unknown member', (text) => ({ ...(JSON.parse(text) as object), admin: true })],
    ['an object without a signature', (text) => ({ ...(JSON.parse(text) as object), signature: undefined })],
    ['a list', () => []],
  ])('%s is malformed, and leaves no trace', async (_, spoil) => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const text = JSON.stringify(await aip.createIntent(REFUND));
    const decision = await aip.verifyIntent(spoil(text) as never);
    expect(decision).toMatchObject({ success: false, error_code: 'AIP-E100', agent_id: null });
    expect(await aip.getVerificationLogs()).toEqual([]);
    expect((await aip.verifyIntent(text)).success).toBe(true);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['undefined', undefined],
    ['an object that is nothing as JSON', { toJSON: () => undefined }],
    ['a cycle', cyclic()],
  ])('%s is a mistake of the caller', async (_, intent) => {
    expect(await refusal(workshop().verifyIntent(intent as never))).toMatchObject({ code: 'USAGE' });
  });

  test.each<[string, object]>([
    ['an unknown option', { maxage: '300s' }],
    ['a duration without a unit', { maxAge: '300' }],
    ['a number for a duration', { maxAge: 300 }],
    ['a moment ahead that would be counted', { at: new Date(T0 + 31_000) }],
    ['a permission that is none', { allowFuture: 'yes' }],
    ['a text for a date', { at: 'now' }],
    ['a date that is none', { at: new Date(Number.NaN) }],
    ['a country in small letters', { geo: 'us' }],
    ['an empty country', { geo: '' }],
    ['a truthy dry run', { dryRun: 'yes' }],
    ['a falsy state', { state: 0 }],
    ['a passno port from 1 to 65535', { passport: { agentId: AGENT } }],
    ['a principal that is none', { principalKeys: { acme: KEY } }],
    ['a principal key that is none', { principalKeys: { 'did:web:acme.com': 'ed25519:00' } }],
    ['no principal keys', { principalKeys: null }],
    ['a number of principal keys', { principalKeys: 5 }],
    ['another log', { logParams: 'all' }],
  ])('%s is refused before anything is judged', async (_, options) => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intent = await aip.createIntent(REFUND);
    expect(await refusal(aip.verifyIntent(intent, options as never))).toMatchObject({ code: 'USAGE' });
    expect((await aip.verifyIntent(intent)).success).toBe(true);
  });

  test('bytes are judged as they were when they were handed over', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const bytes = new TextEncoder().encode(JSON.stringify(await aip.createIntent(REFUND)));
    const decision = aip.verifyIntent(bytes);
    bytes.fill(0x20);
    expect((await decision).success).toBe(true);
  });

  test.each([null, 0, true, 'x'])('options that are no object (%j) are not no options', async (options) => {
    expect(await refusal(workshop().verifyIntent('{}', options as never))).toMatchObject({ code: 'USAGE' });
  });

  test('options change how it judges', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const create = () => aip.createIntent(REFUND);
    const codes = async (...decisions: ReturnType<typeof aip.verifyIntent>[]) =>
      (await Promise.all(decisions)).map(({ error_code }) => error_code);
    aip.wait(-20);
    const ahead = await create();
    aip.wait(20);
    const fresh = await create();
    aip.wait(60);
    expect(
      await codes(
        aip.verifyIntent(fresh, { dryRun: true }),
        aip.verifyIntent(fresh, { maxAge: '59s', dryRun: true }),
        aip.verifyIntent(fresh, { maxAge: '60s', dryRun: true }),
        aip.verifyIntent(fresh, { at: new Date(T0 - 31_000), dryRun: true }),
        aip.verifyIntent(fresh, { at: new Date(T0 - 31_000), maxSkew: '31s', dryRun: true }),
        aip.verifyIntent(ahead, { dryRun: false, logParams: 'none' }),
      ),
    ).toEqual([null, 'AIP-E302', null, 'AIP-E104', null, null]);
    expect(await aip.getVerificationLogs()).toMatchObject([{ params: null, status: 'success' }]);
  });

  test('a moment ahead of now is judged by, and counted only where that is allowed', async () => {
    const aip = workshop();
    await supportAgent(aip);
    const at = new Date(T0 + 200_000);
    const intent = await aip.createIntent({ agentId: AGENT, action: 'send_email', params: { to: 'a@acme.com' } });
    expect((await aip.verifyIntent(intent, { at, dryRun: true })).success).toBe(true);
    await expect(aip.verifyIntent(intent, { at })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await aip.getVerificationLogs()).toEqual([]);
    expect((await aip.verifyIntent(intent, { at: new Date(T0 + 30_000) })).success).toBe(true);
    const other = await aip.createIntent({ agentId: AGENT, action: 'send_email', params: { to: 'b@acme.com' } });
    expect((await aip.verifyIntent(other, { at, allowFuture: true })).success).toBe(true);
  });

  test('geo reaches its constraint', async () => {
    const aip = workshop();
    await supportAgent(aip, { constraints: { geo_restriction: ['US'] } });
    const answer = async (options: object) =>
      (await aip.verifyIntent(await aip.createIntent(REFUND), options)).error_code;
    expect([await answer({ geo: 'US' }), await answer({ geo: 'FR' }), await answer({})]).toEqual([
      null,
      'AIP-E214',
      'AIP-E214',
    ]);
  });
});

describe('whose word counts', () => {
  test('a verifier elsewhere needs the passport and the pin of its principal', async () => {
    const [aip, elsewhere] = [workshop(), workshop()];
    const passport = await supportAgent(aip, LOOSE);
    const intent = await aip.createIntent(REFUND);
    const path = join(aip.folder, 'bot.json');
    await passport.save(path);
    const given = await elsewhere.loadPassport(readFileSync(path));
    const principalKeys = { 'did:web:acme.com': passport.principalPublicKey };
    const other = { 'did:web:acme.com': passport.publicKey };
    expect(await elsewhere.verifyIntent(intent)).toMatchObject({ error_code: 'AIP-E102' });
    expect(await elsewhere.verifyIntent(intent, { passport: given })).toMatchObject({ error_code: 'AIP-E103' });
    expect(await elsewhere.verifyIntent(intent, { passport: given, principalKeys: other })).toMatchObject({
      error_code: 'AIP-E103',
    });
    expect((await elsewhere.verifyIntent(intent, { passport: [given], principalKeys })).success).toBe(true);
  });

  test('a passport for the same key that another principal signed is refused', async () => {
    const aip = workshop();
    const old = await supportAgent(aip, LOOSE);
    const other = workshop();
    other.wait(60);
    const renewed = await supportAgent(other, LOOSE);
    const intent = await other.createIntent({ ...REFUND, timestamp: T0 / 1000 + 60 });
    expect(renewed.publicKey).toBe(old.publicKey);
    expect(await other.verifyIntent(intent, { passport: old })).toMatchObject({ error_code: 'AIP-E103' });
  });

  test('an intent of another key is refused', async () => {
    const [aip, stranger] = [workshop(), workshop()];
    await supportAgent(aip, LOOSE);
    await supportAgent(stranger, { ...LOOSE, privateKey: `ed25519:${'0b'.repeat(32)}` });
    expect(await aip.verifyIntent(await stranger.createIntent(REFUND))).toMatchObject({ error_code: 'AIP-E101' });
  });
});

describe('calls at the same time', () => {
  test('of one intent: exactly one is accepted', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intent = await aip.createIntent(REFUND);
    const decisions = await Promise.all(Array.from({ length: 300 }, () => aip.verifyIntent(intent)));
    expect(decisions.filter(({ success }) => success)).toHaveLength(1);
    expect(decisions.filter(({ error_code }) => error_code === 'AIP-E301')).toHaveLength(299);
  });

  test('of two workspaces on one folder: exactly one is accepted', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intent = await aip.createIntent(REFUND);
    const other = aip.again();
    const decisions = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? aip : other).verifyIntent(intent)),
    );
    expect(decisions.filter(({ success }) => success)).toHaveLength(1);
  });

  test('for the last dollars of a day: the limit holds, and each caller gets its own answer', async () => {
    const aip = workshop();
    await supportAgent(aip, { constraints: { daily_limit: 100 } });
    const amounts = [60, 30, 20, 10, 5];
    const intents = await Promise.all(amounts.map((amount) => aip.createIntent({ ...REFUND, params: { amount } })));
    const decisions = await Promise.all(intents.map((intent) => aip.verifyIntent(intent)));
    expect(decisions.map(({ success }) => success)).toEqual([true, true, false, true, false]);
    expect(decisions[2]!.details).toMatchObject({ requested: 20, spent: 90, limit: 100 });
  });

  test('with different options are judged by their own', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intents = await Promise.all(Array.from({ length: 30 }, () => aip.createIntent(REFUND)));
    aip.wait(100);
    const decisions = await Promise.all(
      intents.map((intent, i) => aip.verifyIntent(intent, { maxAge: i % 3 === 0 ? '60s' : '100s' })),
    );
    expect(decisions.map(({ success }) => success)).toEqual(intents.map((_, i) => i % 3 !== 0));
  });

  test('rubbish between them takes nobody down', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intents = await Promise.all(Array.from({ length: 40 }, () => aip.createIntent(REFUND)));
    const all = intents.flatMap((intent) => [intent, '{"agent_id":', '{"agent_id":"did:web:x:agents:y"}']);
    const decisions = await Promise.all(all.map((each) => aip.verifyIntent(each)));
    expect(decisions.map(({ success }) => success)).toEqual(all.map((_, i) => i % 3 === 0));
  });

  test('closing waits for the answers', async () => {
    const aip = workshop();
    await supportAgent(aip, LOOSE);
    const intents = await Promise.all(Array.from({ length: 20 }, () => aip.createIntent(REFUND)));
    const answers = Promise.all(intents.map((intent) => aip.verifyIntent(intent)));
    await aip.verifyIntent('{}');
    await aip.close();
    expect((await answers).every(({ success }) => success)).toBe(true);
    expect(await aip.getVerificationLogs({ limit: 50 })).toHaveLength(20);
  });
});

describe('a workspace', () => {
  test.each<[string, object]>([
    ['a home that is no path', { home: 5 }],
    ['a clock that stands still', { clock: T0 }],
    ['a notice to nobody', { onNotice: 'stderr' }],
    ['an unknown option', { dir: '.' }],
  ])('is not opened with %s', (_, options) => {
    expect(() => workshop(options)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('a clock with fractions of a millisecond is as good as any', async () => {
    const aip = workshop({ clock: () => T0 + 0.25 });
    await supportAgent(aip);
    expect((await aip.verifyIntent(await aip.createIntent(REFUND))).success).toBe(true);
    expect((await aip.getVerificationLogs())[0]!.timestamp).toBe('2026-02-18T14:23:45.000Z');
  });

  test.each([Number.NaN, undefined, '2026', new Date(T0), Infinity])(
    'a clock that says %s decides nothing',
    async (now) => {
      const aip = workshop();
      await supportAgent(aip);
      const intent = await aip.createIntent(REFUND);
      const astray = aip.again({ clock: () => now as number });
      expect(await refusal(astray.verifyIntent(intent))).toMatchObject({ code: 'USAGE' });
      expect((await aip.verifyIntent(intent)).success).toBe(true);
    },
  );
});

describe('getVerificationLogs', () => {
  test('gives the newest first, filtered and bounded', async () => {
    const aip = workshop();
    await supportAgent(aip);
    for (const amount of [1, 500, 2]) {
      await aip.verifyIntent(await aip.createIntent({ ...REFUND, params: { amount, card_token: 'tok_1' } }));
      aip.wait(10);
    }
    const seqs = async (query: object) => (await aip.getVerificationLogs(query)).map(({ seq }) => seq);
    expect(await seqs({})).toEqual([3, 2, 1]);
    expect(await seqs({ limit: 2 })).toEqual([3, 2]);
    expect(await seqs({ status: 'failed' })).toEqual([2]);
    expect(await seqs({ code: 'AIP-E202', agentId: AGENT, action: 'issue_refund' })).toEqual([2]);
    expect(await seqs({ since: new Date(T0 + 10_000), until: new Date(T0 + 20_000) })).toEqual([2]);
    expect(await seqs({ agentId: 'did:web:acme.com:agents:nobody' })).toEqual([]);
    const [entry] = await aip.getVerificationLogs({ limit: 1 });
    expect(entry).toMatchObject({ agent_id: AGENT, params: { amount: 2, card_token: '[masked]' }, status: 'success' });
  });

  test.each([
    { limit: 0 },
    { limit: 1.5 },
    { limit: '5' },
    { status: 'ok' },
    { since: '2026' },
    { agent_id: AGENT },
    // As if it had done nothing.
    { agentId: 'support-agent-v1' },
    // The database's driver ends the whole process over a boolean.
    { agentId: true },
    { action: false },
    { code: {} },
  ])('refuses %o', async (query) => {
    expect(await refusal(workshop().getVerificationLogs(query as never))).toMatchObject({ code: 'USAGE' });
  });
});

function cyclic(): unknown {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return cycle;
}
