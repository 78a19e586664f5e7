/** The kill switch on a machine without a mesh, and what it asks and refuses before it does anything. */
import { describe, expect, test } from 'vitest';
import { household, settled } from '../../kit/native/household.js';

const AGENT = 'did:web:acme.com:agents:bot';

describe('without a mesh', () => {
  test('revoke, suspend and reinstate act on this machine alone, and say so', async () => {
    const home = household();
    const revoked = await home.run('revoke', AGENT, '--unseen', '--reason', 'leak', '--yes');
    expect(revoked).toMatchObject({ code: 0 });
    expect(revoked.out).toBe(`REVOKED ${AGENT}\n  on this machine alone: no other machine was told\n`);
    const { value } = await home.json<Record<string, unknown>>('status', AGENT);
    expect(value).toMatchObject({
      agent_id: AGENT,
      status: 'revoked',
      denied_by: AGENT,
      reason: 'leak',
      source: 'this machine',
      age_ms: null,
    });
    expect((await home.json('reinstate', AGENT, '--yes')).value).toMatchObject({ status: 'active', changed: true });
    expect((await home.run('status', AGENT)).out).toContain(`ACTIVE ${AGENT}`);
  });

  test('a script that suspends or reinstates has said what it wants; one that revokes says it twice', async () => {
    const home = household();
    expect((await home.json('suspend', AGENT, '--for', '30m', '--unseen', '--reason', 'odd')).value).toMatchObject({
      status: 'suspended',
      changed: true,
    });
    expect((await home.json('reinstate', AGENT)).value).toMatchObject({ status: 'active', changed: true });
    for (const more of [
      ['revoke', AGENT, '--unseen', '--reason', 'leak'],
      ['suspend', '--everyone', '--for', '1h', '--reason', 'stop'],
      ['reinstate', '--everyone'],
    ])
      expect(await home.failure(...more)).toMatchObject({ code: 'ANSWER_NEEDED', hint: 'give --yes' });
  });

  test('a backup that is not there is told before it is asked whether to put it back', async () => {
    const missing = await household().failure('mesh', 'restore', 'no-such.backup');
    expect(missing).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/no-such\.backup\.$/) as string,
    });
  });

  test('asks whom before it asks why', async () => {
    const home = household();
    expect(await home.failure('revoke')).toMatchObject({ code: 'USAGE', message: 'No agent was named.' });
    expect(await home.failure('revoke', 'nobody')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await home.failure('suspend', 'nobody', '--for', '5m')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await home.failure('revoke', AGENT)).toMatchObject({ code: 'ANSWER_NEEDED', hint: 'give --reason <text>' });
  });

  test('the answer for programs has every member that a mesh gives', async () => {
    const { value } = await household().json('revoke', AGENT, '--unseen', '--reason', 'leak', '--yes');
    expect(value).toEqual({
      agent_id: AGENT,
      status: 'revoked',
      seq: null,
      version: 1,
      cmd_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      durable: true,
      propagated_to: 0,
      connected: 0,
      propagation_ms: null,
      regions: [],
      changed: true,
    });
  });

  test('again is no error, and says that nothing changed', async () => {
    const home = household();
    await home.run('revoke', AGENT, '--unseen', '--reason', 'first', '--yes');
    expect((await home.json('revoke', AGENT, '--unseen', '--reason', 'second', '--yes')).value).toMatchObject({
      changed: false,
    });
    expect((await home.json('status', AGENT)).value).toMatchObject({ reason: 'second', version: 2 });
    expect((await home.json('reinstate', 'did:web:acme.com:agents:never', '--yes')).value).toMatchObject({
      status: 'active',
      changed: false,
      version: 0,
    });
  });

  test('a suspension never weakens a revocation, nor shortens a longer one', async () => {
    const home = household();
    await home.run('suspend', AGENT, '--for', '2h', '--unseen', '--reason', 'long', '--yes');
    await home.run('suspend', AGENT, '--for', '1m', '--unseen', '--reason', 'short', '--yes');
    expect((await home.json('status', AGENT)).value).toMatchObject({
      status: 'suspended',
      reason: 'short',
      suspended_until: '2026-02-18T16:23:45.000Z',
    });
    await home.run('revoke', AGENT, '--unseen', '--reason', 'leak', '--yes');
    await home.run('suspend', AGENT, '--for', '1m', '--unseen', '--reason', 'short', '--yes');
    expect((await home.json('status', AGENT)).value).toMatchObject({ status: 'revoked', suspended_until: null });
  });

  test('verification knows at once, and by name or file as well', async () => {
    const home = await settled();
    const signed = async (file: string) => {
      await home.run('intent', 'sign', '-p', 'support-agent-v1', '-a', 'send_email', '-o', home.at(file));
      return (await home.run('intent', 'verify', home.at(file), '--json')).out;
    };
    expect(await signed('one.json')).toContain('"success":true');
    await home.run('revoke', 'support-agent-v1', '--unseen', '--reason', 'leak', '--yes', '--by', 'did:web:acme.com');
    const refused = JSON.parse(await signed('two.json')) as object;
    expect(refused).toMatchObject({
      error_code: 'AIP-E401',
      details: { reason: 'leak', revoked_by: 'did:web:acme.com' },
    });
    await home.run('reinstate', 'support-agent-v1', '--yes');
    expect(await signed('three.json')).toContain('"success":true');
    await home.run('suspend', '--everyone', '--for', '1h', '--reason', 'all', '--yes');
    expect(await signed('four.json')).toContain('AIP-E403');
  });
});

describe('nothing is done', () => {
  test('by --dry-run, which says what would be', async () => {
    const home = household();
    expect((await home.run('revoke', AGENT, '--unseen', '--reason', 'r', '--dry-run')).out).toContain(
      'nothing was changed',
    );
    expect((await home.json('suspend', AGENT, '--for', '1m', '--unseen', '--reason', 'r', '--dry-run')).value).toEqual({
      dry_run: true,
      action: 'suspend',
      agent_id: AGENT,
      reason: 'r',
      duration_ms: 60_000,
      mesh: null,
    });
    expect((await home.json('status', AGENT)).value).toMatchObject({ status: 'active' });
  });

  test.each([
    [['revoke', AGENT, '--unseen', '--reason', 'r'], 'give --yes'],
    [['revoke', AGENT, '--yes'], 'give --reason'],
    [['revoke', '--reason', 'r', '--yes'], '--everyone'],
    [['revoke', AGENT, '--everyone', '--reason', 'r', '--yes'], 'not both'],
    [['revoke', AGENT, '--unseen', '--reason', '', '--yes'], 'Expected a reason'],
    [['revoke', AGENT, '--unseen', '--reason', 'a\u001b[31mb', '--yes'], 'control characters'],
    [['revoke', AGENT, '--unseen', '--reason', 'x'.repeat(501), '--yes'], '500 characters'],
    [['suspend', AGENT, '--unseen', '--reason', 'r', '--yes'], '--for'],
    [['suspend', AGENT, '--for', '0s', '--unseen', '--reason', 'r', '--yes'], '366d'],
    [['suspend', AGENT, '--for', '367d', '--unseen', '--reason', 'r', '--yes'], '366d'],
    [
      ['revoke', 'did:web:acme.com:agents:a b', '--unseen', '--reason', 'r', '--yes'],
      'names no agent, principal or key',
    ],
    [['revoke', 'ed25519:00', '--unseen', '--reason', 'r', '--yes'], 'names no agent, principal or key'],
    [['mesh', 'status'], 'belongs to no mesh'],
    [['mesh', 'follow'], 'belongs to no mesh'],
    [['mesh', 'follow', '--name', 'a<b'], '--name'],
    [['mesh', 'follow', '--label', ' '], '--label'],
    [['mesh', 'drill', '--challenge', 'abc'], '--challenge'],
    [['mesh', 'serve', '--log-quota', '12'], '--log-quota'],
    [['mesh', 'serve', '--log-retention', 'soon'], '--log-retention'],
    [['mesh', 'key', 'create', '--role', 'verifier', '--max-verifiers', '0'], '--max-verifiers'],
    [['mesh', 'watch', '--lines', '201'], '--lines'],
    [['mesh', 'drill', '--within', '11s'], '--within'],
    [['mesh', 'drill', '--rounds', '0'], '--rounds'],
    [['mesh', 'key', 'create'], '--role'],
    [['mesh', 'key', 'create', '--role', 'region'], '--label'],
    [['mesh', 'serve', '--follow', 'ftp://x'], '--follow'],
    [['mesh', 'serve', '--region', ''], '--region'],
    [['mesh', 'key', 'create', '--role', 'king'], 'observer, approver, verifier, operator, admin, region'],
    [['mesh', 'key', 'create', '--role', 'operator', '--public-key', 'ed25519:00'], '--public-key'],
    [['mesh', 'key', 'revoke', 'nonsense', '--yes'], 'no id of an API key'],
    [['mesh', 'join', 'ftp://x', '--mesh-key', `ed25519:${'ab'.repeat(32)}`], 'is asked by https or http'],
  ])('by %j: wrong use', async (argv, says) => {
    const home = household();
    const { code, out, err } = await home.run(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(says);
    expect((await home.json('status', AGENT)).value).toMatchObject({ status: 'active' });
  });

  test('to an agent that nobody knows by that name', async () => {
    expect(await household().run('revoke', 'nobody', '--unseen', '--reason', 'r', '--yes')).toMatchObject({
      code: 3,
      out: '',
    });
  });
});
