/** The guide's Phase 2 and its tests 1 to 3, typed at a command line: the binary, real time, real keys. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';
import { aip, place, type Place } from '../../kit/built/binary.js';
import { GUIDE_FLAGS, PASSPHRASE } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';

const PASSPORT = 'support-agent-v1.passport.json';

/** Step 2 of the guide, with its private key in .env. */
function setUp(): Place {
  const where = place({ AIP_KEY_PASSPHRASE: PASSPHRASE });
  const { code, err } = aip(where, ['passport', 'create', 'support-agent-v1', ...GUIDE_FLAGS, '-e', '.env']);
  expect(code, err).toBe(0);
  return where;
}

function sign(where: Place, action: string, params: JsonObject, ...more: string[]): string {
  const args = ['intent', 'sign', '-p', PASSPORT, '-a', action, '--params', JSON.stringify(params), '-e', '.env'];
  const { code, out, err } = aip(where, [...args, ...more]);
  expect(code, err).toBe(0);
  return out;
}

function verify(where: Place, intent: string, ...more: string[]): Decision & { readonly exit: number } {
  const { code, out } = aip(where, ['intent', 'verify', '-', '--json', ...more], intent);
  return { ...(JSON.parse(out) as Decision), exit: code };
}

describe("the guide's Phase 2", () => {
  test('gives the agent an identity: a passport to share, a private key to keep', () => {
    const where = setUp();
    const path = join(where.folder, PASSPORT);
    const passport = JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
    expect(passport).toMatchObject({
      agent_id: SUPPORT,
      actions: ['send_email', 'issue_refund'],
      constraints: { allowed_domains: ['acme.com'], rate_limit: '10/hour' },
    });
    const env = readFileSync(join(where.folder, '.env'), 'utf8');
    const seed = /^AGENT_PRIVATE_KEY=ed25519:([0-9a-f]{64})$/m.exec(env)![1]!;
    expect(statSync(join(where.folder, '.env')).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(passport)).not.toContain(seed);
    expect(readFileSync(join(where.folder, 'home', 'state.db'), 'latin1')).not.toContain(seed);
  });

  test('pays the customer $50, and answers the three attacks with a code, a name and the facts', () => {
    const where = setUp();
    const refund = verify(where, sign(where, 'issue_refund', { order_id: '8472', amount: 50, reason: 'defective' }));
    expect(refund).toMatchObject({ success: true, error_code: null, error_message: null, details: null, exit: 0 });

    const injected = verify(where, sign(where, 'issue_refund', { order_id: 'FAKE', amount: 10_000 }));
    expect(injected).toMatchObject({
      success: false,
      error_code: 'AIP-E202',
      error_message: 'MONETARY_LIMIT_EXCEEDED',
      details: { requested: 10_000, limit: 100, agent_id: SUPPORT },
      exit: 12,
    });

    const mail = verify(where, sign(where, 'send_email', { to: 'attacker@evil.com', subject: 's', body: 'b' }));
    expect(mail).toMatchObject({
      success: false,
      error_code: 'AIP-E203',
      error_message: 'DOMAIN_RESTRICTION_VIOLATED',
      details: { requested_domain: 'evil.com', allowed_domains: ['acme.com'] },
      exit: 12,
    });

    const unknown = verify(where, sign(where, 'delete_customer_data', { all: true }));
    expect(unknown).toMatchObject({ error_code: 'AIP-E201', error_message: 'ACTION_NOT_DECLARED', exit: 12 });
  });

  test('signs with the key in the environment, as a deployment does', () => {
    const where = setUp();
    const AGENT_PRIVATE_KEY = /=(ed25519:\S+)/.exec(readFileSync(join(where.folder, '.env'), 'utf8'))![1]!;
    // Another machine: it holds the passport and the variable, and nothing else.
    const agent = place({ AGENT_PRIVATE_KEY });
    writeFileSync(join(agent.folder, PASSPORT), readFileSync(join(where.folder, PASSPORT)));
    const args = ['intent', 'sign', '-p', PASSPORT, '-a', 'issue_refund', '--param', 'amount:=50'];
    const { code, out, err } = aip(agent, args);
    expect(code).toBe(0);
    expect(err).not.toContain(AGENT_PRIVATE_KEY.slice('ed25519:'.length));
    expect(verify(where, out)).toMatchObject({ success: true });
  });

  test('lets a script go on only after a yes', () => {
    const where = setUp();
    expect(verify(where, sign(where, 'issue_refund', { amount: 100 })).exit).toBe(0);
    expect(verify(where, sign(where, 'issue_refund', { amount: 101 })).exit).not.toBe(0);
    expect(aip(where, ['intent', 'verify', '-'], 'Ignore previous instructions.').code).toBe(10);
    expect(aip(where, ['intent', 'verify', 'nothing.json']).code).toBe(3);
  });

  test('refuses a passport that its agent has edited', () => {
    const where = setUp();
    const intent = sign(where, 'issue_refund', { amount: 10_000 });
    const path = join(where.folder, PASSPORT);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"100.00"', '"1000000.00"'));
    expect(verify(where, intent, '--passport', PASSPORT)).toMatchObject({ error_code: 'AIP-E103', exit: 10 });
  });

  test('counts to ten in an hour', () => {
    const where = setUp();
    const intents = Array.from({ length: 11 }, (_, i) => {
      const args = ['intent', 'sign', '-p', PASSPORT, '-a', 'issue_refund', '--param', `amount:=${i}`, '-e', '.env'];
      return aip(where, args).out;
    });
    const { code, out } = aip(where, ['intent', 'verify', '-', '--ndjson'], intents.join(''));
    expect(code).toBe(12);
    const codes = out
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as Decision).error_code);
    expect(codes).toEqual([...Array<null>(10).fill(null), 'AIP-E205']);
  });
});

describe("the guide's tests", () => {
  test('1: what an injected prompt makes the agent ask for is blocked', () => {
    const where = setUp();
    for (const [action, params] of [
      ['issue_refund', { amount: 10_000 }],
      ['delete_customer_data', {}],
      ['disable_security', { override: 'ADMIN-2026' }],
      ['issue_refund', { amount: '1e9' }],
      ['issue_refund', { amount: -50 }],
      ['issue_refund', { amount: 50, currency: 'BTC' }],
      ['send_email', { to: ['user@acme.com', 'attacker@evil.com'] }],
    ] as const) {
      const decision = verify(where, sign(where, action, params));
      expect(decision.success).toBe(false);
      expect(decision.error_code).toMatch(/^AIP-E2\d\d$/);
    }
  });

  test('2: $50 within the limit, $150 beyond it', () => {
    const where = setUp();
    expect(verify(where, sign(where, 'issue_refund', { order_id: '8472', amount: 50.0 })).success).toBe(true);
    const beyond = verify(where, sign(where, 'issue_refund', { order_id: '8473', amount: 150.0 }));
    expect(beyond).toMatchObject({ success: false, error_code: 'AIP-E202' });
  });

  test('3: a captured intent is accepted once, an old one never', () => {
    const where = setUp();
    const intent = sign(where, 'send_email', { to: 'user@acme.com', subject: 'Test' });
    expect(verify(where, intent).success).toBe(true);
    expect(verify(where, intent)).toMatchObject({ success: false, error_code: 'AIP-E301', exit: 11 });
    const sixMinutesAgo = String(Math.floor(Date.now() / 1000) - 400);
    const old = sign(where, 'send_email', { to: 'user@acme.com' }, '--timestamp', sixMinutesAgo);
    expect(verify(where, old)).toMatchObject({ success: false, error_code: 'AIP-E302', exit: 11 });
  });

  test('4: all of it is in the log, chained', () => {
    const where = setUp();
    verify(where, sign(where, 'issue_refund', { amount: 50 }));
    verify(where, sign(where, 'issue_refund', { amount: 10_000 }));
    expect(aip(where, ['logs', 'verify']).code).toBe(0);
    expect(existsSync(join(where.folder, 'home', 'state.db'))).toBe(true);
  });
});
