/**
 * An agent of each kind is stopped at a refund of $10,000, which a person approves ten minutes later; the same call is let through then,
 * once. Every process is a real one; their clocks are moved.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { AGENT, ask as askService, guarded, served, type Guarded } from '../../kit/guard.js';

type Any = Record<string, any>;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Asks for the refund; resolves to `ran`, or to the code. `approved`: the request, for those who can name it. */
type Ask = (approved: string | null) => Promise<string>;

const KINDS: readonly (readonly [string, string, (place: Guarded) => Promise<Ask>])[] = [
  [
    'an MCP client',
    'AIP-E209',
    async (place) => {
      const tools = join(place.folder, 'tools.json');
      writeFileSync(tools, JSON.stringify([{ name: 'issue_refund', inputSchema: { type: 'object' } }]));
      const server = [process.execPath, here('../../kit/servers/mcp-server.mjs'), join(place.folder, 'seen'), tools];
      const child = place.start(['mcp', 'guard', '-p', 'coder', '--name', 'pay', '--', ...server]);
      const lines = createInterface({ input: child.stdout! });
      let id = 0;
      return () =>
        new Promise((resolve) => {
          id += 1;
          const call = { name: 'issue_refund', arguments: { amount: 10_000 } };
          lines.once('line', (line) => {
            const { result } = JSON.parse(line) as Any;
            resolve(result.isError === true ? (result._meta['aip/decision'].code as string) : 'ran');
          });
          child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: call })}\n`);
        });
    },
  ],
  [
    "Claude Code's hook",
    'AIP-E209',
    async (place) => async () => {
      const event = {
        hook_event_name: 'PreToolUse',
        cwd: '/repo',
        tool_name: 'issue_refund',
        tool_input: { amount: 10_000 },
      };
      const { status, stdout } = await place.ran(['hook', 'claude', '-p', 'coder'], JSON.stringify(event));
      expect(status).toBe(0);
      if (stdout === '{}\n') return 'ran';
      const { permissionDecision, permissionDecisionReason } = JSON.parse(stdout).hookSpecificOutput as Any;
      expect(permissionDecision).toBe('deny');
      return (permissionDecisionReason as string).split(' ')[0]!;
    },
  ],
  [
    'a Python script',
    'AIP-E216',
    async (place) => {
      const { socket } = await served(place, '--as', 'coder');
      return (approved) =>
        new Promise((resolve) => {
          const argv = [here('../../examples/approved.py'), socket!, AGENT, '10000', approved ?? '-'];
          execFile('python3', argv, (error, out, err) => {
            if (error === null) expect(out).toBe('refunded\n');
            resolve(error === null ? 'ran' : err.split(' ')[0]!.trim());
          });
        });
    },
  ],
  [
    'an enforcement point that speaks AuthZEN',
    'AIP-E209',
    async (place) => {
      const { socket } = await served(place, '--as', 'coder');
      const evaluation = {
        subject: { type: 'agent', id: AGENT },
        action: { name: 'issue_refund', properties: { amount: 10_000 } },
        resource: { type: 'order', id: '8472' },
      };
      return async () => {
        // A dry run before it spends nothing, and says what comes.
        const dry = await askService(socket!, '/access/v1/evaluation', { ...evaluation, context: { dry_run: true } });
        const { json } = await askService(socket!, '/access/v1/evaluation', evaluation);
        expect(dry.json).toMatchObject({ decision: false, context: { would: json.decision as boolean } });
        return json.decision === true ? 'ran' : (json.context.reason as string);
      };
    },
  ],
];

test.each(KINDS)('%s', { timeout: 120_000 }, async (_, afterwards, prepare) => {
  const place = await guarded({ actions: ['issue_refund'], constraints: { require_approval: { above: 100 } } });
  const clock = join(place.folder, 'clock');
  writeFileSync(clock, '0');
  Object.assign(place.env, {
    AIP_TEST_CLOCK: clock,
    NODE_OPTIONS: `--require ${here('../../kit/servers/shifted-clock.cjs')}`,
  });
  const ask = await prepare(place);
  expect(await ask(null)).toBe('AIP-E209');
  writeFileSync(clock, '600000');
  // The same again raises no second request, and a person has not spoken.
  expect(await ask(null)).toBe('AIP-E209');
  place.env.AIP_KEY_PASSPHRASE = 'correct horse';
  const requests = JSON.parse((await place.ran(['approvals', 'list', '--json'])).stdout) as Any[];
  expect(requests).toMatchObject([{ action: 'issue_refund', params: { amount: 10_000 }, status: 'pending' }]);
  const [{ request_id: id }] = requests as [Any];
  const approval = await place.ran(['approvals', 'approve', id as string, '--yes']);
  expect(approval.status, approval.stderr).toBe(0);
  expect(await ask(id as string)).toBe('ran');
  expect(await ask(id as string)).toBe(afterwards);
});
