import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AGENT, KEY, refusal, supportAgent, workshop } from './workshop.js';
import { scratch } from '../kit/scratch.js';

const OTHER_KEY = `ed25519:${'0b'.repeat(32)}`;

describe('createPassport', () => {
  test('says what it made, and where the key went', async () => {
    const aip = workshop();
    const passport = await aip.createPassport({
      domain: 'acme.com',
      agentName: 'bot',
      actions: ['read_tickets', { name: 'pay', params: { type: 'object', required: ['amount'] } }],
      deniedActions: ['drop'],
      constraints: { monetary_limit: '99.99', daily_limit: undefined },
      metadata: { team: 'support' },
      expiresIn: '90d',
      keyStore: 'file',
    });
    expect(passport).toMatchObject({
      agentId: 'did:web:acme.com:agents:bot',
      name: 'bot',
      domain: 'acme.com',
      principal: 'did:web:acme.com',
      keyId: 'did:web:acme.com:agents:bot#key-1',
      actions: ['read_tickets', 'pay'],
      constraints: { monetary_limit: '99.99' },
      issuedAt: '2026-02-18T14:23:45Z',
      expiresAt: '2026-05-19T14:23:45Z',
      keyStore: 'file',
    });
    expect(passport.warnings.map(({ code }) => code)).toContain('no-daily-limit');
    expect(statSync(passport.keyRef).mode & 0o777).toBe(0o600);
    expect(readFileSync(passport.keyRef, 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    expect(passport.principalPublicKey).toMatch(/^ed25519:[0-9a-f]{64}$/);
    expect(passport.principalPublicKey).not.toBe(passport.publicKey);
  });

  test('a second agent has the same principal, and a key of its own', async () => {
    const aip = workshop();
    const [one, two] = [await supportAgent(aip), await supportAgent(aip, { agentName: 'two', privateKey: OTHER_KEY })];
    expect(two.principalPublicKey).toBe(one.principalPublicKey);
    expect(two.publicKey).not.toBe(one.publicKey);
  });

  // The guide's "Mistake 2": each agent an identity of its own.
  test('an identity alone may do nothing yet', async () => {
    const aip = workshop();
    const passport = await aip.createPassport({
      domain: 'acme.com',
      agentName: 'agent-1',
      privateKey: KEY,
      principalKeyStore: 'file',
    });
    expect(passport.warnings.map(({ code }) => code)).toContain('no-actions');
    const intent = await aip.createIntent({ passport, action: 'pay' });
    expect(await aip.verifyIntent(intent)).toMatchObject({ success: false, error_code: 'AIP-E201' });
  });

  test('is made once, and found from then on, whatever the options say', async () => {
    const aip = workshop();
    const options = { domain: 'acme.com', agentName: 'bot', actions: ['ping'], privateKey: KEY };
    const made = await aip.ensurePassport(options);
    const again = await aip.again().ensurePassport({ ...options, actions: ['ping', 'delete_all'] });
    expect(again.toJSON()).toEqual(made.toJSON());
    await expect(aip.ensurePassport({ ...options, what: 1 } as never)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(aip.ensurePassport({ ...options, agentName: 'No Name' })).rejects.toMatchObject({ code: 'USAGE' });
    const stranger = { ...options, privateKey: `ed25519:${'11'.repeat(32)}` };
    await expect(aip.again().ensurePassport(stranger)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    const both = await Promise.all([1, 2].map(() => aip.ensurePassport({ ...options, agentName: 'other' })));
    expect(both[0]!.agentId).toBe(both[1]!.agentId);
  });

  test('never makes a second passport of an agent', async () => {
    const aip = workshop();
    const first = await supportAgent(aip);
    expect(await refusal(supportAgent(aip, { privateKey: OTHER_KEY }))).toMatchObject({ code: 'EXISTS' });
    expect((await aip.loadPassport(AGENT)).publicKey).toBe(first.publicKey);
  });

  test.each<[string, object]>([
    ['an unknown option', { allowedDomains: ['acme.com'] }],
    ['a constraint that does not exist', { constraints: { monetary_limits: 5 } }],
    ['actions as a text', { actions: 'pay' }],
    ['an action that is no name', { actions: ['pay all'] }],
    ['a schema that is none', { actions: [{ name: 'pay', params: { type: 'objekt' } }] }],
    ['a domain in capitals', { domain: 'ACME.com' }],
    ['no domain', { domain: undefined }],
    ['a list of domains', { domain: ['acme.com'] }],
    ['a name with a slash', { agentName: '../bot' }],
    ['a name that is none', { agentName: true }],
    ['metadata with a hole', { metadata: { list: [, 1] } }],
    ['metadata with half a character for a name', { metadata: { ['\ud800']: 1 } }],
    ['a passphrase that is none', { privateKey: undefined, keyStore: 'file', passphrase: 12345678 }],
    [
      'a question for the passphrase that is not answered',
      { privateKey: undefined, keyStore: 'file', passphrase: () => undefined },
    ],
    ['a lifetime without a unit', { expiresIn: '90' }],
    ['metadata that JSON cannot say', { metadata: { when: new Date(0) } }],
    ['a private key that is none', { privateKey: 'hunter2' }],
    ['a private key and a store', { privateKey: KEY, keyStore: 'file' }],
    ['the environment without a file', { privateKey: undefined, keyStore: 'env' }],
    ['an env file and the keychain', { privateKey: undefined, keyStore: 'keychain', envFile: '.env' }],
    ['a store that does not exist', { privateKey: undefined, keyStore: 'vault', principalKeyStore: 'file' }],
  ])('%s: refused, and nothing is left behind', async (_, changes) => {
    const aip = workshop();
    const error = await refusal(supportAgent(aip, changes));
    expect(error).toMatchObject({ name: 'Failure', code: 'USAGE' });
    expect(error.message).not.toContain('hunter2');
    expect(await refusal(aip.loadPassport(AGENT))).toMatchObject({ code: 'NOT_FOUND' });
    const keys = readdirSync(aip.folder, { recursive: true }).filter((name) => String(name).includes('agents_'));
    expect(keys).toEqual([]);
  });

  test('with an env file, the principal goes to a key file', async () => {
    const aip = workshop();
    const envFile = join(aip.folder, '.env');
    const passport = await supportAgent(aip, { envFile, keyStore: 'env' });
    expect(passport.keyStore).toBe('env');
    const again = await supportAgent(aip, { agentName: 'two', envFile, keyStore: 'env' }).catch((error) => error);
    expect(again).toMatchObject({ code: 'EXISTS' });
    const intent = await aip.createIntent({ passport, action: 'issue_refund' });
    expect((await aip.verifyIntent(intent)).success).toBe(true);
  });
});

describe('a passport file', () => {
  test('is loaded by path, id and name, from bytes and as an object', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const path = join(aip.folder, 'bot.json');
    await passport.save(path);
    const document = JSON.parse(readFileSync(path, 'utf8')) as never;
    for (const from of [path, AGENT, 'support-agent-v1', readFileSync(path), document])
      expect((await aip.loadPassport(from)).document).toEqual(passport.document);
  });

  test('is written twice when it is the same, and over another only when told to', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const path = join(aip.folder, 'bot.json');
    await passport.save(path);
    await passport.save(path);
    const other = await supportAgent(aip, { agentName: 'two', privateKey: OTHER_KEY });
    expect(await refusal(other.save(path))).toMatchObject({ code: 'EXISTS' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ agent_id: AGENT });
    await other.save(path, { overwrite: true });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ agent_name: 'two' });
  });

  test.each<[string, string | Uint8Array | object, string]>([
    ['no file', 'nowhere.json', 'NOT_FOUND'],
    ['no such agent', 'did:web:acme.com:agents:nobody', 'NOT_FOUND'],
    ['no such name', 'nobody', 'NOT_FOUND'],
    ['bytes that are no JSON', Buffer.from('{'), 'UNREADABLE'],
    ['an object that is no passport', { agent_id: AGENT }, 'UNREADABLE'],
  ])('%s is not loaded', async (_, from, code) => {
    const aip = workshop();
    expect(await refusal(aip.loadPassport(from as never))).toMatchObject({ code });
  });

  test('an edited one is loaded, and its intents are refused', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const path = join(aip.folder, 'bot.json');
    await passport.save(path);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"monetary_limit": 100', '"monetary_limit": 100000'));
    const edited = await aip.loadPassport(path);
    expect(edited.constraints.monetary_limit).toBe(100_000);
    const intent = await aip.createIntent({ passport: edited, action: 'issue_refund', params: { amount: 50_000 } });
    expect(await aip.verifyIntent(intent, { passport: edited })).toMatchObject({ error_code: 'AIP-E103' });
    expect(await aip.verifyIntent(intent)).toMatchObject({ error_code: 'AIP-E202' });
  });
});

describe('a private key', () => {
  test('shows in nothing that is returned, thrown, logged, noticed or written in the open', async () => {
    const aip = workshop();
    const digits = KEY.slice('ed25519:'.length);
    const passport = await supportAgent(aip);
    await passport.save(join(aip.folder, 'bot.json'));
    const intent = await aip.createIntent({ passport, action: 'issue_refund', params: { amount: 5 } });
    const decision = await aip.verifyIntent(intent);
    const wrong = await refusal(
      aip.createIntent({
        passport: await supportAgent(aip, { agentName: 'two', privateKey: OTHER_KEY }),
        action: 'x',
        privateKey: KEY,
      }),
    );
    const said = inspect([aip, passport, intent, decision, wrong, aip.notices, await aip.getVerificationLogs()], {
      depth: 12,
      showHidden: true,
    });
    await aip.close();
    expect(said).not.toContain(digits);
    expect(said).not.toContain(Buffer.from(digits, 'hex').toString('base64url'));
    for (const name of readdirSync(aip.folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const bytes = readFileSync(join(name.parentPath, name.name));
      expect(bytes.includes(digits) || bytes.includes(Buffer.from(digits, 'hex'))).toBe(false);
    }
  });

  test('of another passport signs nothing', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const { signIntent } = await import('../../src/index.js');
    const request = { action: 'pay', timestamp: 1, nonce: '00'.repeat(16) };
    expect(() => signIntent(passport, OTHER_KEY, request)).toThrow(/is not that of/);
    expect(await refusal(aip.createIntent({ passport, action: 'pay', privateKey: OTHER_KEY }))).toMatchObject({
      code: 'KEY_NOT_FOUND',
    });
  });

  test('is asked for again after close', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    await aip.close();
    expect(await refusal(aip.createIntent({ passport, action: 'issue_refund' }))).toMatchObject({
      code: 'KEY_NOT_FOUND',
    });
    await aip.createIntent({ passport, action: 'issue_refund', privateKey: KEY });
  });

  test('in a key file is opened once for all calls that need it at the same time, and a no is no answer for another time', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, { privateKey: undefined, keyStore: 'file' });
    const answers = ['battery staple', 'correct horse'];
    const asked: string[] = [];
    const passphrase = (): string => {
      asked.push(answers[asked.length]!);
      return asked.at(-1)!;
    };
    const { createIntent } = aip.again({ passphrase });
    const all = (): Promise<PromiseSettledResult<object>[]> =>
      Promise.allSettled(Array.from({ length: 8 }, () => createIntent({ agentId, action: 'send_email' })));
    expect(new Set((await all()).map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(asked).toHaveLength(1);
    expect(new Set((await all()).map(({ status }) => status))).toEqual(new Set(['fulfilled']));
    expect(asked).toHaveLength(2);
    const own = aip.again({ passphrase: 'battery staple' });
    const other = own.createIntent({ agentId, action: 'send_email' });
    expect((await own.createIntent({ agentId, action: 'send_email', passphrase: 'correct horse' })).agent_id).toBe(
      agentId,
    );
    await expect(other).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
  });
  test('in a key file opens with a passphrase that is asked for, and with no other', async () => {
    const aip = workshop();
    await supportAgent(aip, { keyStore: 'file' });
    const right = aip.again({ passphrase: async () => 'correct horse' });
    const wrong = aip.again({ passphrase: 'battery staple' });
    const request = { agentId: AGENT, action: 'issue_refund' };
    expect((await aip.verifyIntent(await right.createIntent(request))).success).toBe(true);
    expect(await refusal(wrong.createIntent(request))).toMatchObject({ code: 'WRONG_PASSPHRASE' });
    expect((await wrong.createIntent({ ...request, passphrase: 'correct horse' })).agent_id).toBe(AGENT);
  });
});

test('a folder that cannot be made is a failure with a reason', async () => {
  const path = scratch();
  writeFileSync(join(path, 'file'), '');
  const aip = workshop({ home: join(path, 'file', 'home') });
  expect(await refusal(aip.verifyIntent('{}'))).toMatchObject({ name: 'Failure', code: 'STATE' });
});

describe('where a new key goes', () => {
  const bot = { domain: 'acme.com', agentName: 'bot', actions: ['pay'] };

  test('is what the environment says, as for the command line, and what the options say comes first', async () => {
    vi.stubEnv('AIP_KEY_STORE', 'file');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await workshop().createPassport(bot)).toMatchObject({ keyStore: 'file' });
    const envFile = join(scratch(), '.env');
    expect(await workshop().createPassport({ ...bot, keyStore: 'env', envFile })).toMatchObject({ keyStore: 'env' });
    expect(await workshop().createPassport({ ...bot, envFile: join(scratch(), '.env') })).toMatchObject({
      keyStore: 'env',
    });
  });

  test.each(['ssh-agent:me', 'keychan'])('is refused where the environment says %s', async (store) => {
    vi.stubEnv('AIP_KEY_STORE', store);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await refusal(workshop().createPassport(bot))).toMatchObject({ code: 'USAGE' });
  });
});

test('a program that starts again is told of ensurePassport', async () => {
  const aip = workshop();
  await supportAgent(aip);
  expect(await refusal(supportAgent(aip))).toMatchObject({
    code: 'EXISTS',
    hint: expect.stringContaining(
      'ensurePassport takes the one that is known here; for a new key: aip passport rotate',
    ),
  });
});
