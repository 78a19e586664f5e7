import { describe, expect, test } from 'vitest';
import { household, settled } from '../../kit/native/household.js';
import { fixture, fixtureBytes } from '../../kit/native/vectors.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, publicKeyText, SUPPORT, withSignature } from '../../kit/native/parts.js';
import { AGENT as AIP1_AGENT, AT as AIP1_AT, KEYS, signed, text } from '../../kit/conformance/parts.js';
import { newApiKey } from '../../../src/mesh/access/api-key.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { multikeyText } from '../../../src/protocol/identity/public-key-forms.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const TYPO = 'did:web:acme.com:agents:suport-agent-v1';
const revoke = (...more: string[]) => ['revoke', ...more, '--reason', 'leak', '--yes'];

const DID_KEY = `did:key:${multikeyText(parsePublicKey(publicKeyText('principal'))!)}`;

describe('a subject that was never seen', () => {
  test('is denied all the same, ends with 3, and the nearest ids are named', async () => {
    const home = await settled();
    const { code, err, out } = await home.run(...revoke(TYPO), '--json');
    expect([code, JSON.parse(out)]).toEqual([3, expect.objectContaining({ agent_id: TYPO, status: 'revoked' })]);
    expect(JSON.parse(err.trim())).toMatchObject({ code: 'never_seen', warning: expect.stringContaining(SUPPORT) });
    expect((await home.json<JsonObject>('status', TYPO)).value).toMatchObject({ status: 'revoked' });
  });

  test('is what was meant with --unseen', async () => {
    const home = await settled();
    expect((await home.run(...revoke(TYPO), '--unseen')).code).toBe(0);
    expect((await home.run('suspend', 'did:key:z6Mk', '--for', '5m', '--reason', 'odd', '--unseen')).code).toBe(0);
  });

  test('that is a did:key without a key is denied as the id that it is, and that it spells no key is said', async () => {
    const { code, err, out } = await (await settled()).run(...revoke('did:key:z6Mk'));
    expect([code, out]).toEqual([3, expect.stringContaining('REVOKED did:key:z6Mk')]);
    expect(err).toMatch(/it is a did:key .*, and no key is stopped with it/);
  });

  test('is active for status, which says that it was never seen and what is near it', async () => {
    const home = await settled();
    const told = await home.run('status', TYPO, '--json');
    expect([told.code, JSON.parse(told.out)]).toEqual([0, expect.objectContaining({ status: 'active' })]);
    expect(JSON.parse(told.err.trim())).toMatchObject({
      code: 'never_seen',
      warning: expect.stringContaining(SUPPORT),
    });
    expect((await home.run('status', TYPO)).err).toContain('was never seen here, and nothing denies it; near it: ');
    expect((await home.run('status', SUPPORT)).err).toBe('');
    await home.run(...revoke(TYPO));
    expect((await home.run('status', TYPO)).err).toBe('');
    await home.run('reinstate', TYPO, '--yes');
    expect((await home.run('status', TYPO)).err).toBe('');
  });

  test('once denied it is no stranger', async () => {
    const home = await settled();
    expect((await home.run(...revoke(TYPO))).code).toBe(3);
    expect((await home.run(...revoke(TYPO))).code).toBe(0);
  });

  test.each([
    ['an agent of a known passport', SUPPORT],
    ['by its name', 'support-agent-v1'],
    ['by its short form', 'support-agent-v1@acme.com'],
    ['by another spelling', 'did:web:ACME.com.:agents:support-agent-v1'],
    ['a pinned principal', 'did:web:acme.com'],
    ['a key of a known passport', publicKeyText('agent')],
    ['by its id', `${SUPPORT}#key-1`],
    ['a pinned key', publicKeyText('principal')],
    ['as a did:key', DID_KEY],
    ['as a did:key', `did:key:${multikeyText(parsePublicKey(publicKeyText('principal'))!)}`],
    ['its id', 'did:web:acme.com#key-1'],
  ])('is none: %s', async (_, subject) => {
    expect((await (await settled()).run(...revoke(subject))).code).toBe(0);
  });

  test.each([
    ['its agent', SUPPORT],
    ['the principal', 'did:web:acme.com'],
    ['the key of the agent', publicKeyText('agent')],
    ['its id', `${SUPPORT}#key-1`],
    ['the key of the principal', publicKeyText('principal')],
    ['its id', 'did:web:acme.com#key-1'],
  ])('is none that was judged under a passport the caller brought: %s', async (_, subject) => {
    const home = household();
    const pin = ['--principal-key', `did:web:acme.com=${publicKeyText('principal')}`];
    const terms = JSON.parse(fixtureBytes('passport-support-agent.json').toString('utf8')) as JsonObject;
    const numbered = withSignature({ ...terms, serial: 3 }, 'issuer_signature', 'principal');
    const files = [home.file('i.json', line(refund('brought'))), '-p', home.file('p.json', line(numbered))];
    expect((await home.run('intent', 'verify', ...files, ...pin)).code).toBe(0);
    expect((await home.run(...revoke(subject))).code).toBe(0);
    // What was refused for its signature shows nobody.
    expect((await home.run(...revoke(publicKeyText('stranger')))).code).toBe(3);
  });

  test('is no key that has spoken under names of its own, and ids of the log are near', async () => {
    const home = household();
    const at = ['--at', AIP1_AT, '--public-key', `ed25519:${KEYS.agent}`];
    expect((await home.run('intent', 'verify', home.file('e.json', text(signed('spoken'))), ...at)).code).toBe(0);
    expect((await home.run(...revoke(`ed25519:${KEYS.agent}`))).code).toBe(0);
    const { code, err } = await home.run(...revoke(`${AIP1_AGENT}s`));
    expect([code, err]).toEqual([3, expect.stringContaining(`near it: ${AIP1_AGENT}`)]);
  });

  test('is not said of a name where the mesh does not answer', async () => {
    const key = newApiKey('operator', new Uint8Array(38)).text;
    const mesh = {
      AIP_MESH_URL: 'http://127.0.0.1:9',
      AIP_MESH_KEY: key,
      AIP_MESH_PUBLIC_KEY: publicKeyText('stranger'),
    };
    const home = await settled({ env: mesh });
    for (const command of [revoke('nobody'), revoke('nobody', '--local')]) {
      const { code, err } = await home.run(...command);
      expect([code, err]).toEqual([
        5,
        expect.stringContaining('No passport here is named "nobody", and the mesh was not asked'),
      ]);
    }
  });

  test('an id that a stranger wrote into a document is none that was seen', async () => {
    const home = await settled();
    const intent = home.file('forged.json', JSON.stringify({ ...JSON.parse('{}'), agent_id: TYPO }));
    await home.run('intent', 'verify', intent);
    await home.run('intent', 'verify', fixture('intent-refund.json'));
    expect((await home.run(...revoke(TYPO))).code).toBe(3);
  });
});

describe('a denied key', () => {
  test.each([
    ["an agent's", `${SUPPORT}#key-1`, 'agent', 'agent'],
    ["a principal's", 'did:web:acme.com#key-1', 'principal', 'issuer'],
  ] as const)('that is named by its id is stopped by its text: %s', async (_what, id, key, role) => {
    const home = await settled();
    const mail = home.at('mail.json');
    const passport = fixture('passport-support-agent.json');
    await home.run('intent', 'sign', '-p', passport, '-a', 'send_email', '--param', 'to=a@acme.com', '-o', mail);
    const done = await home.run(...revoke(id));
    expect([done.code, done.err]).toEqual([0, '']);
    expect(done.out).toContain(`${publicKeyText(key)} (${id})`);
    const { value } = await home.json('intent', 'verify', mail);
    expect([value.error_code, value.details]).toEqual([
      'AIP-E406',
      expect.objectContaining({ role, subject: publicKeyText(key) }),
    ]);
    expect((await home.json<JsonObject>('status', id)).value).toMatchObject({
      agent_id: id,
      status: 'revoked',
      denied_by: publicKeyText(key),
    });
    expect((await home.json('reinstate', id, '--reason', 'mistaken')).value).toMatchObject({
      agent_id: publicKeyText(key),
      status: 'active',
    });
    expect((await home.json<JsonObject>('status', id)).value).toMatchObject({ status: 'active', denied_by: null });
  });

  test('whose text nobody knows is denied under its id, said, and lifted under its id', async () => {
    const home = await settled();
    const id = `${SUPPORT}#key-9`;
    const { code, err } = await home.run(...revoke(id), '--unseen', '--json');
    expect([code, JSON.parse(err.trim())]).toEqual([0, expect.objectContaining({ code: 'key_text_unknown' })]);
    expect((await home.json<JsonObject>('status', id)).value).toMatchObject({ status: 'revoked', denied_by: id });
    expect((await home.json('reinstate', id)).value).toMatchObject({ agent_id: id, status: 'active' });
  });

  test('stops what it signed, under every spelling of it', async () => {
    const home = await settled();
    const passport = fixture('passport-support-agent.json');
    const mail = home.at('mail.json');
    const sign = ['intent', 'sign', '-p', passport, '-a', 'send_email', '--param', 'to=a@acme.com', '-o', mail];
    expect((await home.run(...sign)).code).toBe(0);
    expect(
      (await home.run(...revoke(publicKeyText('agent').replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase())))).code,
    ).toBe(0);
    const { code, value } = await home.json('intent', 'verify', mail);
    expect([code, value.error_code, value.error_message]).toEqual([13, 'AIP-E406', 'KEY_REVOKED']);
    expect(value.details).toMatchObject({ role: 'agent', subject: publicKeyText('agent'), reason: 'leak' });
  });

  test("of the issuer's stops its passports, and can be reinstated", async () => {
    const home = await settled();
    const mail = home.at('mail.json');
    const passport = fixture('passport-support-agent.json');
    await home.run('intent', 'sign', '-p', passport, '-a', 'send_email', '--param', 'to=a@acme.com', '-o', mail);
    await home.run(...revoke(publicKeyText('principal')));
    const { value } = await home.json('intent', 'verify', mail);
    expect([value.error_code, value.details?.['role']]).toEqual(['AIP-E406', 'issuer']);
    expect((await home.run('reinstate', publicKeyText('principal'))).code).toBe(0);
    await home.run(
      'intent',
      'sign',
      '-p',
      passport,
      '-a',
      'send_email',
      '--param',
      'to=b@acme.com',
      '-o',
      home.at('again.json'),
    );
    expect((await home.json('intent', 'verify', home.at('again.json'))).value.error_code).toBeNull();
  });
});

test('a name that is not found gets the nearest ones', async () => {
  const home = await settled();
  const failure = await home.failure('status', 'suport-agent-v1');
  expect([failure.exit_code, failure.hint]).toEqual([3, expect.stringContaining('support-agent-v1@acme.com')]);
});

test('two agents of one name are told apart by their short forms', async () => {
  const home = household();
  const make = async (domain: string) =>
    home.run(
      ...['passport', 'create', 'bot', '--domain', domain, '-a', 'x', '--out', home.at(`${domain}.json`)],
      ...['--key-store', 'env', '--env-file', home.at(`.${domain}`), '--principal-key-store', 'file'],
    );
  expect([(await make('acme.com')).code, (await make('globex.com')).code]).toEqual([0, 0]);
  const failure = await home.failure('status', 'bot');
  expect([failure.exit_code, failure.message]).toEqual([2, expect.stringMatching(/acme\.com.*globex\.com/)]);
  expect((await home.json<JsonObject>('status', 'bot@globex.com')).value['agent_id']).toBe(
    'did:web:globex.com:agents:bot',
  );
});
