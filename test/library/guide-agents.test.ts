/** The guide's trading and DevOps agents, its kill switch and its health check, as a TypeScript user would write them. */
import { expect, test } from 'vitest';
import { VerificationError } from '../../src/index.js';
import { AGENT, supportAgent, workshop } from './workshop.js';

async function codeOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(VerificationError);
    return (error as VerificationError).code;
  }
}

test('the trading agent: 5 AAPL with a stop loss, no GME, no order without a stop loss, a cancellation', async () => {
  const aip = workshop();
  const rules = { allowed_symbols: ['AAPL', 'GOOGL', 'MSFT'], max_orders_per_hour: 10, require_stop_loss: true };
  const actions = ['place_order', 'cancel_order'];
  const { agentId } = await supportAgent(aip, { actions, constraints: { monetary_limit: 1000, ...rules } });
  const placed: string[] = [];
  const options = { passport: agentId, limit: 1000, constraints: rules };
  const placeOrder = aip.shield(
    { ...options, actions: ['place_order'], params: ['symbol', 'qty', 'side', 'stop_loss'] },
    (symbol: string, qty: number, side: string, stopLoss?: number) => {
      placed.push(`${side} ${qty} ${symbol} at ${stopLoss}`);
      return `Order placed: ${symbol} ${qty} shares, stop loss $${stopLoss}`;
    },
  );
  const cancelOrder = aip.shield(
    { ...options, actions: ['cancel_order'], params: ['order_id'] },
    (id: string) => `Order ${id} cancelled`,
  );
  await expect(placeOrder('AAPL', 5, 'buy', 150)).resolves.toContain('AAPL 5 shares');
  expect(await codeOf(placeOrder('GME', 100, 'buy', 20))).toBe('AIP-E204');
  expect(await codeOf(placeOrder('aapl', 5, 'buy', 150))).toBe('AIP-E204');
  expect(await codeOf(placeOrder('AAPL', 5, 'buy', 0))).toBeNull();
  await expect(cancelOrder('8472')).resolves.toBe('Order 8472 cancelled');
  for (let i = 0; i < 8; i++) await placeOrder('MSFT', 1, 'sell', 300);
  expect(await codeOf(placeOrder('MSFT', 1, 'sell', 300))).toBe('AIP-E205');
  expect(placed).toHaveLength(10);
});

test('the DevOps agent: staging by itself, production and more than ten instances not', async () => {
  const aip = workshop();
  const rules = {
    allowed_environments: ['staging', 'production'],
    allowed_services: ['api', 'worker', 'frontend'],
    max_instances: 10,
    require_approval: { environments: ['production'] },
  };
  await supportAgent(aip, { actions: ['deploy_service', 'scale_service', 'rollback'], constraints: rules });
  const scale = aip.shield(
    { passport: AGENT, actions: ['scale_service'], params: ['service', 'environment', 'desired_count'] },
    (service: string, environment: string, desired: number) => `Scaled ${service} in ${environment} to ${desired}`,
  );
  const deploy = aip.shield(
    { passport: AGENT, actions: ['deploy_service'], params: ['service', 'environment', 'version'] },
    (service: string, environment: string, version: string) => `Deployed ${service} v${version} to ${environment}`,
  );
  const drop = aip.shield(
    { passport: AGENT, actions: ['delete_service'], params: ['service'] },
    (service: string) => `Deleted ${service}`,
  );
  await expect(scale('api', 'staging', 10)).resolves.toBe('Scaled api in staging to 10');
  expect(await codeOf(scale('api', 'staging', 11))).toBe('AIP-E207');
  await expect(deploy('worker', 'staging', '1.4.2')).resolves.toBe('Deployed worker v1.4.2 to staging');
  expect(await codeOf(deploy('worker', 'production', '1.4.2'))).toBe('AIP-E209');
  expect(await codeOf(deploy('billing', 'staging', '1.4.2'))).toBe('AIP-E206');
  expect(await codeOf(deploy('worker', 'qa', '1.4.2'))).toBe('AIP-E206');
  expect(await codeOf(drop('api'))).toBe('AIP-E201');
});

test('"require_approval: true" of the guide: every action of the DevOps agent waits for a person', async () => {
  const aip = workshop();
  await supportAgent(aip, { actions: ['deploy_service'], constraints: { require_approval: true } });
  const deploy = aip.shield(
    { passport: AGENT, actions: ['deploy_service'], params: ['environment'] },
    (environment: string) => environment,
  );
  expect(await codeOf(deploy('staging'))).toBe('AIP-E209');
});

test('test 4 and step 5: revoked it is blocked, reinstated it works', async () => {
  const aip = workshop();
  await supportAgent(aip);
  const send = aip.shield(
    { passport: AGENT, actions: ['send_email'], params: ['to'] },
    (to: string) => `sent to ${to}`,
  );
  await expect(send('user@acme.com')).resolves.toBe('sent to user@acme.com');
  await aip.revokeAgent({ agentId: AGENT, reason: 'Security test', revokedBy: 'security_team' });
  expect(await codeOf(send('user@acme.com'))).toBe('AIP-E401');
  await aip.reinstateAgent({ agentId: AGENT });
  await expect(send('user@acme.com')).resolves.toBe('sent to user@acme.com');
});

test('step 6: the health check counts what was accepted and refused', async () => {
  const aip = workshop();
  await supportAgent(aip);
  const refund = aip.shield(
    { passport: AGENT, actions: ['issue_refund'], params: ['amount'] },
    (amount: number) => `refunded ${amount}`,
  );
  for (let i = 0; i < 8; i++) await refund(50);
  expect(await codeOf(refund(10_000))).toBe('AIP-E202');
  const logs = await aip.getVerificationLogs({ agentId: AGENT, limit: 100 });
  const failures = logs.filter(({ status }) => status === 'failed');
  expect([logs.length, failures.length]).toEqual([9, 1]);
  expect(failures[0]).toMatchObject({ error_code: 'AIP-E202', action: 'issue_refund', timestamp: expect.any(String) });
  expect((await aip.getTrustScore(AGENT)).score).toBeCloseTo(0.5 + 8 * 0.01 - 0.05, 10);
});
