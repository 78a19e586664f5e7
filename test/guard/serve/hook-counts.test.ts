/** What `/metrics` says of the hooks that are decided here: an answer in an agent's words is a yes or a no as any other. */
import { expect, test } from 'vitest';
import type { Desk } from '../../../src/app/guarding/desk.js';
import { CircuitOpen } from '../../../src/app/verification/fleet/circuit.js';
import { metricsText, ServiceCounters } from '../../../src/guard/serve/metrics.js';
import { respond, type ServiceDeps } from '../../../src/guard/serve/respond.js';
import type { Judgement } from '../../../src/verify/judge.js';

const AGENT = 'did:web:acme.com:agents:bot';

type Decide = () => Promise<Judgement>;

const decision = (
  error_code: string | null,
  warnings: readonly { code: string; message: string }[] = [],
): Decision => ({
  success: error_code === null,
  agent_id: AGENT,
  error_code,
  error_message: error_code,
  message: 'So it is.',
  details: null,
  warnings,
});

type Decision = Readonly<Record<string, unknown>>;

/** The samples of decisions and circuits after one event for each of `decides`. */
async function counted(tool: object, ...decides: readonly Decide[]): Promise<string[]> {
  const tally = new ServiceCounters();
  for (const decide of decides) {
    const passport = { agent: { id: AGENT, name: 'bot' }, actions: new Map(), document: { constraints: {} } };
    const deps: ServiceDeps = {
      gate: { agents: [{ agentId: AGENT, token: null }], token: null, same: (a, b) => a === b, hosts: new Set() },
      desks: new Map([[AGENT, { passport: async () => passport, decide } as unknown as Desk]]),
      verify: () => Promise.reject(new Error('not asked')),
      hook: {
        ownPlaces: ['/home/aip'],
        ownFolders: ['/home/aip'],
        userHome: '/home/a',
        files: { followed: (path) => path, placesBehind: () => [], isHardLink: () => false },
        accepted: () => undefined,
        refused: () => undefined,
      },
      outcome: () => Promise.reject(new Error('not asked')),
      tally,
      url: () => 'http://localhost',
      version: '0',
    };
    await respond(deps, {
      method: 'POST',
      path: '/v1/hooks/claude',
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.from(JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/repo', ...tool })),
      entrance: 'socket',
    });
  }
  return metricsText(tally)
    .split('\n')
    .filter((line) => /^aip_(?:decisions|circuit)/.test(line));
}

const gives =
  (each: Decision): Decide =>
  async () =>
    ({ decision: each }) as unknown as Judgement;

const SHELL = { tool_name: 'Bash', tool_input: { command: 'ls' } };

test('a no of a hook is counted by its code, and only a yes as accepted', async () => {
  const open = [{ code: 'circuit_open', message: 'A hook is not waited for.' }];
  expect(
    await counted(SHELL, gives(decision(null)), gives(decision('AIP-E201')), gives(decision('HOOK_FAILED', open))),
  ).toEqual([
    'aip_decisions_total{code="accepted"} 1',
    'aip_decisions_total{code="AIP-E201"} 1',
    'aip_decisions_total{code="HOOK_FAILED"} 1',
    'aip_circuit_open_total 1',
  ]);
});

test('what is refused before it is signed is counted as well', async () => {
  const reached = { tool_name: 'Read', tool_input: { file_path: '/home/aip/key.pem' } };
  expect(await counted(reached, gives(decision(null)))).toEqual([
    'aip_decisions_total{code="AIP-E210"} 1',
    'aip_circuit_open_total 0',
  ]);
});

test('a memory of the fleet that is not waited for is counted as an open circuit', async () => {
  expect(await counted(SHELL, () => Promise.reject(new CircuitOpen()))).toEqual([
    'aip_decisions_total{code="HOOK_FAILED"} 1',
    'aip_circuit_open_total 1',
  ]);
});
