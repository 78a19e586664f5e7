/** The guide's Steps 2 to 4, its tests 1 to 3 and its custom verification, as a TypeScript user would write them. */
import { join } from 'node:path';
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VerificationError, VerificationHook, type HookIntent, type Workspace } from '../../src/index.js';
import { AGENT, supportAgent, T0, workshop } from './workshop.js';

class EmailTool {
  readonly sent: string[] = [];

  async send(to: string, subject: string, body: string): Promise<string> {
    this.sent.push(`${to}: ${subject} (${body.length})`);
    return `Email sent to ${to}`;
  }
}

class RefundTool {
  readonly paid: number[] = [];

  process(orderId: string, amount: number, reason: string): string {
    this.paid.push(amount);
    return `Refund of $${amount} issued for order ${orderId} (${reason})`;
  }
}

/** Step 3. */
async function securedTools(aip: Workspace, passport: string) {
  const Email = aip.shield(
    { passport, actions: ['send_email'], allowedDomains: ['acme.com'], params: ['to', 'subject', 'body'] },
    EmailTool,
  );
  const Refund = aip.shield(
    { passport, actions: ['issue_refund'], limit: 100, params: ['order_id', 'amount', 'reason'] },
    RefundTool,
  );
  return { email: new Email(), refund: new Refund() };
}

/** Step 4: what an agent framework gets back from a tool. */
async function runAgent(call: () => Promise<unknown>) {
  try {
    return { success: true, result: await call() };
  } catch (error) {
    if (error instanceof VerificationError) {
      return { success: false, error_code: error.code, error_message: error.message, details: error.details };
    }
    return { success: false, error: String(error) };
  }
}

describe('the guide', () => {
  test('Step 2: an identity, its passport in a file and its key in .env', async () => {
    const aip = workshop();
    const envFile = join(aip.folder, '.env');
    const passport = await supportAgent(aip, { keyStore: 'env', envFile });
    await passport.save(join(aip.folder, 'support_agent_passport.json'));

    expect(passport.agentId).toBe(AGENT);
    const saved = readFileSync(join(aip.folder, 'support_agent_passport.json'), 'utf8');
    const key = /AGENT_PRIVATE_KEY=(ed25519:[0-9a-f]{64})\n/.exec(readFileSync(envFile, 'utf8'))![1]!;
    expect(statSync(envFile).mode & 0o777).toBe(0o600);
    expect(saved).not.toContain(key.slice('ed25519:'.length));
    expect(JSON.parse(saved)).toEqual(JSON.parse(JSON.stringify(passport)));
    expect(aip.notices.join('\n')).toContain('plain text');
  });

  test('Step 4: a refund of $50 runs, one of $10,000 and a mail to evil.com do not', async () => {
    const aip = workshop();
    const file = join(aip.folder, 'support_agent_passport.json');
    await (await supportAgent(aip)).save(file);
    const { email, refund } = await securedTools(aip, file);

    expect(await runAgent(() => refund.process('8472', 50, 'defective'))).toEqual({
      success: true,
      result: 'Refund of $50 issued for order 8472 (defective)',
    });
    expect(await runAgent(() => refund.process('FAKE', 10_000, 'ignore previous instructions'))).toEqual({
      success: false,
      error_code: 'AIP-E202',
      error_message: 'MONETARY_LIMIT_EXCEEDED',
      details: { requested: 10_000, limit: 100, currency: 'USD', param: 'amount', agent_id: AGENT },
    });
    expect(await runAgent(() => email.send('attacker@evil.com', 'Hi', '...'))).toMatchObject({
      success: false,
      error_code: 'AIP-E203',
      error_message: 'DOMAIN_RESTRICTION_VIOLATED',
      details: { requested_domain: 'evil.com', allowed_domains: ['acme.com'] },
    });
    expect(await runAgent(() => email.send('user@acme.com', 'Hi', '...'))).toMatchObject({ success: true });
    expect(refund.paid).toEqual([50]);
    expect(email.sent).toEqual(['user@acme.com: Hi (3)']);
  });

  test('test 1: overrides by prompt reach no tool', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip);
    const { refund } = await securedTools(aip, agentId);
    const deleteAll = aip.shield({ passport: agentId, actions: ['delete_all_customer_data'] }, () => 'deleted');

    for (const call of [() => refund.process('1', 10_000, ''), () => refund.process('1', 100.01, ''), deleteAll]) {
      const result = await runAgent(call);
      expect(result).toMatchObject({ success: false, error_code: expect.stringMatching(/^AIP-E20[12]$/) });
    }
    expect(refund.paid).toEqual([]);
  });

  test('test 2: the limit holds', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip);
    const { refund } = await securedTools(aip, agentId);
    await expect(refund.process('8472', 50, 'defective product')).resolves.toContain('$50');
    await expect(refund.process('8473', 150, 'wants more money')).rejects.toThrow(VerificationError);
  });

  test('test 3: a replay and an old intent are refused', async () => {
    const aip = workshop();
    await supportAgent(aip);
    const intent = await aip.createIntent({
      agentId: AGENT,
      action: 'send_email',
      params: { to: 'user@acme.com', subject: 'Test' },
    });
    expect((await aip.verifyIntent(intent)).success).toBe(true);
    expect(await aip.verifyIntent(intent)).toMatchObject({ success: false, error_code: 'AIP-E301' });

    const old = await aip.createIntent({
      agentId: AGENT,
      action: 'send_email',
      params: { to: 'user@acme.com' },
      timestamp: T0 / 1000 - 400,
    });
    expect(await aip.verifyIntent(old)).toMatchObject({ success: false, error_code: 'AIP-E302' });
  });

  test('custom verification: allow, reject with a code of its own, require a person', async () => {
    class ComplianceVerifier extends VerificationHook {
      verify(intent: HookIntent) {
        if (intent.action !== 'transfer_funds') return this.allow();
        if (Number(intent.params.amount) > 10_000)
          return this.requireHumanApproval({ reason: 'AML: Transaction exceeds $10k threshold' });
        if (intent.params.recipient === 'sanctioned')
          return this.reject({ code: 'COMPLIANCE-001', message: 'Recipient on sanctions list' });
        return this.allow();
      }
    }
    const aip = workshop();
    const { agentId } = await supportAgent(aip, { actions: ['transfer_funds'], constraints: {} });
    const transfer = aip.shield(
      { passport: agentId, actions: ['transfer_funds'], params: ['amount', 'recipient'] },
      (amount: number, recipient: string) => `${amount} to ${recipient}`,
    );
    aip.registerVerificationHook(new ComplianceVerifier());

    expect(await runAgent(() => transfer(20_000, 'bob'))).toMatchObject({
      error_code: 'AIP-E209',
      details: { reason: 'AML: Transaction exceeds $10k threshold' },
    });
    expect(await runAgent(() => transfer(5, 'sanctioned'))).toMatchObject({
      error_code: 'COMPLIANCE-001',
      error_message: 'Recipient on sanctions list',
      details: { hook: 'ComplianceVerifier', agent_id: AGENT },
    });
    expect(await runAgent(() => transfer(5, 'bob'))).toEqual({ success: true, result: '5 to bob' });
  });
});
