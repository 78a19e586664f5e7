import { expect, test } from 'vitest';
import { drill } from '../../../src/app/mesh/drill.js';
import type { MeshEndpoint } from '../../../src/app/ports/mesh.js';
import { unsignedCheckpoint } from '../../../src/mesh/log/checkpoint.js';

const LOG = 'a'.repeat(32);
const TIME = '2026-02-18T14:23:45.000Z';

/** A mesh whose server lists one verifier, which has confirmed, and whose answers to orders say `reach`; `may` to those that it takes. */
function meshOf(reach: object, may: (action: string) => boolean): MeshEndpoint {
  const head = { logId: LOG, term: 1, seq: 1, hash: 'b'.repeat(64) };
  const checkpoint = {
    ...unsignedCheckpoint(head, { time: TIME, upMs: 1, boot: 'c'.repeat(16) }, null),
    signature: 'd'.repeat(128),
  };
  const listener = {
    ...{ verifier: 'ed25519:' + 'e'.repeat(64), label: 'eu-1', program: '1.0.0', on_stale: 'last-known' },
    ...{
      max_age_ms: 30_000,
      key_denied: false,
      key_id: 'k1',
      mode: 'stream',
      seq: 1,
      confirmed: true,
      last_seen_ms: 1,
    },
  };
  const overview = {
    ...{ log_id: LOG, head: 1, time: TIME, up_ms: 1, require_signed_commands: false, connected: 1, more: 0 },
    ...{ verifiers: [listener], roster: 1, absent: [], older: [], last_drill: null, checkpoint },
  };
  const answerTo = (body: string): { status: number; answer: object } => {
    const { cmd_id, agent_id, action } = JSON.parse(body) as { cmd_id: string; agent_id: string; action: string };
    if (!may(action)) return { status: 403, answer: { code: 'FORBIDDEN', message: 'It takes the role admin.' } };
    const status = action === 'revoke' ? 'revoked' : 'active';
    const answer = {
      ...{ agent_id, status, seq: 1, version: 1, cmd_id, durable: true, propagated_to: 1, connected: 1 },
      ...{ propagation_ms: 2, regions: [], changed: true, unsettled: 0, roster: 1, absent: [], late: [], ...reach },
    };
    return { status: 200, answer };
  };
  const standing = {
    ...{ status: 'revoked', reason: null, revoked_by: null, changed_at: TIME, suspended_until: null, version: 1 },
  };
  return {
    url: 'http://127.0.0.1:1',
    ask: async ({ target, body }) => {
      const subject = decodeURIComponent(target.split('/').at(-1)!);
      const order = target.startsWith('/v1/mesh/commands') ? answerTo(Buffer.from(body!).toString()) : null;
      const answer =
        order?.answer ??
        (target.startsWith('/v1/mesh/status/')
          ? { agent_id: subject, ...standing, above: [], stopped_keys: [], known: true, head: 1 }
          : overview);
      return { kind: 'answered', status: order?.status ?? 200, body: JSON.stringify(answer) };
    },
  };
}

const held = (reach: object, may: (action: string) => boolean = () => true) =>
  drill(
    {
      ...{ lines: [meshOf(reach, may)], clock: () => Date.parse(TIME), random: (n: number) => new Uint8Array(n) },
      ...{ signer: null, waitMs: 1000, check: () => true },
    },
    { withinMs: 1000, rounds: 1 },
  );

test('every verifier on the roster confirmed: it can halt', async () => {
  expect(await held({})).toMatchObject({ can_halt: 'yes', ok: true, reinstated: true });
});

test('an API key that may revoke and not reinstate learns what the drill found', async () => {
  const report = await held({}, (action) => action !== 'reinstate');
  expect(report).toMatchObject({ can_halt: 'yes', ok: true, reinstated: false });
});

test('one that the asked server does not list, and that may still accept, leaves it unknown', async () => {
  const late = [{ verifier: 'ed25519:' + 'f'.repeat(64), label: 'us-1' }];
  expect(await held({ unsettled: 1, roster: 2, late })).toMatchObject({ can_halt: 'unknown', ok: false });
});
