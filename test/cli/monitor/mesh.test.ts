/** The monitor as a process beside a mesh: what it stops is stopped for everyone, and what others stop it tells. */
import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../../src/app/ports/monitor.js';
import { writePast } from '../../kit/history.js';
import { Home } from '../../kit/mesh/homes.js';

const BAD = 'did:web:acme.com:agents:bad';
const GOOD = 'did:web:acme.com:agents:good';
const HOUR = 3_600_000;

/** An operator's machine whose log holds a bad agent and a good one. */
async function operator(): Promise<{ admin: Home; machine: Home }> {
  const [admin, machine] = [new Home(), new Home()];
  await admin.serve();
  await machine.join(admin, 'operator');
  const past = (agent_id: string, error_code: string | null, count: number) =>
    Array.from({ length: count }, () => ({ agent_id, at: Date.now() - HOUR / 2, error_code }));
  mkdirSync(machine.env.AIP_HOME!, { recursive: true });
  writePast(machine.env.AIP_HOME!, [
    ...past(BAD, null, 8),
    ...past(BAD, 'AIP-E202', 8),
    ...past(GOOD, null, 40),
    ...past(GOOD, 'AIP-E101', 40),
  ]);
  return { admin, machine };
}

const events = (out: string): AlertEvent[] =>
  out.trimEnd() === ''
    ? []
    : out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as AlertEvent);

describe('aip monitor beside a mesh', { timeout: 120_000 }, () => {
  test('revokes for everyone, under its own name, and only whom it must', async () => {
    const { admin, machine } = await operator();
    const said = await machine.run(['monitor', '--once', '--json'], { env: { AIP_MONITOR_AUTO_REVOKE: 'true' } });
    expect(said.code).toBe(15);
    expect(events(said.out).find(({ kind }) => kind === 'revoked')).toMatchObject({
      agent_id: BAD,
      severity: 'critical',
      facts: { by: 'aip monitor' },
    });
    expect(await admin.json('status', BAD)).toMatchObject({ status: 'revoked', revoked_by: 'aip monitor' });
    expect(await admin.json('status', GOOD)).toMatchObject({ status: 'active' });
  });

  test('says that a key which may not revoke did not, and leaves the mesh as it was', async () => {
    const { admin, machine } = await operator();
    await machine.join(admin, 'verifier');
    const said = await machine.run(['monitor', '--once', '--json'], { env: { AIP_MONITOR_AUTO_REVOKE: 'true' } });
    expect(events(said.out).map(({ kind }) => kind)).toContain('not_revoked');
    expect(await admin.json('status', BAD)).toMatchObject({ status: 'active' });
  });

  test('tells what others stop and let back while it runs, and ends with 130 and a summary', async () => {
    const { admin, machine } = await operator();
    const running = machine.start(['monitor', '--interval', '50ms', '--agent', GOOD, '--json'], {
      AIP_REVOCATION_MAX_AGE: '100ms',
    });
    await running.notes(/watching 1/);
    await admin.json('revoke', GOOD, '--unseen', '--reason', 'drill', '--yes');
    await running.says(/"event":"raised".*"kind":"revoked"/);
    await admin.json('reinstate', GOOD, '--yes');
    await running.says(/"event":"resolved".*"kind":"revoked"/);
    const said = await running.stop('SIGINT');
    expect(said.code).toBe(130);
    expect(said.err).toMatch(/1 raised, 1 resolved, 0 open; (?:1 check|\d+ checks) in \d+ s/);
  });
});
