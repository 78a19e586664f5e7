import { describe, expect, test } from 'vitest';
import { createApiKey, revokeApiKey } from '../../../src/app/mesh/admin.js';
import type { MeshCall, MeshEndpoint, MeshReply } from '../../../src/app/ports/mesh.js';
import { giveOrder, askStanding, type Order } from '../../../src/app/mesh/orders.js';

const AGENT = 'did:web:acme.com:agents:support';
const ORDER: Order = { action: 'revoke', subject: AGENT, reason: 'leaked', by: null, durationMs: null };

const answered = (status: number, body: unknown): MeshReply => ({
  kind: 'answered',
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const yes = (other: object = {}): MeshReply => answered(200, { ...SAID, ...other });

const SAID = {
  agent_id: AGENT,
  status: 'revoked',
  seq: 7,
  version: 1,
  cmd_id: '0'.repeat(32),
  durable: true,
  propagated_to: 0,
  connected: 0,
  reporting: 0,
  roster: 0,
  unsettled: 0,
  absent: [],
  propagation_ms: null,
  regions: [],
  changed: true,
};
const YES = yes();

/** An endpoint that gives these replies in turn, the last one again and again. */
function endpoint(name: string, ...replies: MeshReply[]): MeshEndpoint & { readonly asked: MeshCall[] } {
  const asked: MeshCall[] = [];
  return {
    url: `http://${name}.invalid`,
    asked,
    ask: async (call) => replies[Math.min(asked.push(call), replies.length) - 1]!,
  };
}

function deps(...lines: MeshEndpoint[]) {
  return { lines, clock: () => 1_771_424_625_000, random: (n: number) => new Uint8Array(n), signer: null, waitMs: 500 };
}

/** Answers after which a command may be on disk: of a proxy that lost the mesh's answer, or of a server that broke. */
const UNSURE: readonly [string, MeshReply][] = [
  ['a gateway that lost the answer', answered(502, '<html>Bad Gateway</html>')],
  ['a gateway that speaks JSON', answered(504, { message: 'upstream timed out' })],
  ['an empty 500', answered(500, '')],
  ['a server with a bug', answered(500, { code: 'BUG' })],
  ['a store that failed', answered(500, { code: 'STORE_FAILED', message: 'whether it was kept is unknown' })],
  ['a yes cut off', answered(200, '{"agent_id": "did')],
  ['a yes that says nothing', answered(200, {})],
];

/** Answers that a proxy mixed up, or kept from another time. */
const MIXED_UP: readonly [string, MeshReply][] = [
  ['a yes to another command', yes({ cmd_id: '1'.repeat(32) })],
  ['a yes for another agent', yes({ agent_id: `${AGENT}-2` })],
  ['a yes that did something else', yes({ status: 'active' })],
];

describe('whoever answers in the place of the mesh', () => {
  test.each([...UNSURE, ...MIXED_UP])('%s leaves open what became of the command', async (_, reply) => {
    await expect(giveOrder(deps(endpoint('home', reply)), ORDER)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
      message: expect.stringMatching(/^AIP-E500 MESH_UNAVAILABLE: .* Whether the command arrived is unknown: give it/),
    });
  });

  test.each([...UNSURE, ...MIXED_UP])('%s is followed by the next try, under the same cmd_id', async (_, reply) => {
    const [home, other] = [endpoint('home', reply), endpoint('other', YES)];
    expect((await giveOrder(deps(home, other), ORDER)).outcome).toMatchObject({ status: 'revoked', seq: 7 });
    expect(other.asked[0]!.body).toEqual(home.asked[0]!.body);
    const again = endpoint('home', reply, YES);
    expect((await giveOrder(deps(again), ORDER)).outcome.seq).toBe(7);
  });

  test('a mesh of the first version is told from a stranger', async () => {
    const { unsettled: _, ...first } = SAID;
    const upgrade = { hint: expect.stringContaining('aip help upgrade') };
    await expect(giveOrder(deps(endpoint('home', answered(200, first))), ORDER)).rejects.toMatchObject({
      message: expect.stringMatching(/sent an answer that cannot be read: "unsettled" .* is unknown: give it again/),
      ...upgrade,
    });
    for (const message of [
      'There is nothing at this path; see /openapi.json.',
      'The body of this request may have 0 bytes at most.',
    ]) {
      const home = endpoint('home', answered(404, { code: 'NOT_FOUND', message }));
      await expect(giveOrder(deps(home), ORDER)).rejects.toMatchObject(upgrade);
    }
  });

  test('a certificate that has run out is no server that is down', async () => {
    const reason = 'certificate has expired (CERT_HAS_EXPIRED)';
    await expect(
      giveOrder(deps(endpoint('home', { kind: 'unreachable', reason, sent: false })), ORDER),
    ).rejects.toMatchObject({ hint: expect.stringMatching(/^renew the certificate/) });
  });

  test('a server that the mesh has left behind names the term, and is no server that is down', async () => {
    const sealed = answered(503, { code: 'MESH_SEALED', message: 'sealed', details: { term: 2 }, retryable: false });
    await expect(giveOrder(deps(endpoint('home', sealed)), ORDER)).rejects.toMatchObject({
      message: expect.stringMatching(/gone on elsewhere, in term 2 \(MESH_SEALED\)\. Nothing was changed\.$/),
      hint: expect.stringMatching(/^point mesh\.url at .*aip help growing$/),
      retryable: false,
    });
  });

  test.each([
    ['a redirect', answered(302, ''), /answered 302 .*Nothing was changed/],
    ['a stranger', answered(404, '<html>no such page</html>'), /answered 404 .*Nothing was changed/],
    ['a server that is ending', answered(503, { code: 'SHUTTING_DOWN', message: 'later' }), /Nothing was changed/],
  ])('%s has changed nothing, and another endpoint may', async (_, reply, message) => {
    await expect(giveOrder(deps(endpoint('home', reply)), ORDER)).rejects.toMatchObject({ message });
    expect((await giveOrder(deps(endpoint('home', reply), endpoint('other', YES)), ORDER)).outcome.seq).toBe(7);
  });

  test('a refusal of the mesh itself ends it at once', async () => {
    const refused = answered(403, { code: 'FORBIDDEN', message: 'To revoke takes the role operator.' });
    const other = endpoint('other', YES);
    await expect(giveOrder(deps(endpoint('home', refused), other), ORDER)).rejects.toMatchObject({
      message: expect.stringContaining('refused: '),
    });
    expect(other.asked).toEqual([]);
  });

  test('a refusal after a try that may have arrived does not say that nothing happened', async () => {
    const [lost, refused] = [answered(502, ''), answered(401, { code: 'UNAUTHENTICATED', message: 'unknown key' })];
    await expect(giveOrder(deps(endpoint('home', lost), endpoint('other', refused)), ORDER)).rejects.toMatchObject({
      message: expect.stringContaining('Whether the command arrived is unknown'),
    });
  });
});

test('what a later version adds to an answer, at any depth, is not passed on', async () => {
  const region = { region: 'eu', state: 'pending', ms: null, last_seq: null, last_seen: null };
  const absent = {
    ...{ verifier: 'v', label: 'l', key_id: 'k', last_seen: '2026-02-18T14:23:45.000Z' },
    ...{ on_stale: null, refuses_since: null },
  };
  const added = { later: 1, key_id: null, late: [{ verifier: 'w', label: 'm', later: 1 }] };
  const others = { unsettled: 5, absent_more: 3 };
  const reply = yes({ ...added, ...others, regions: [{ ...region, later: 1 }], absent: [{ ...absent, later: 1 }] });
  const { reporting: _, roster, unsettled: __, absent: ___, ...report } = SAID;
  expect(await giveOrder(deps(endpoint('home', reply)), ORDER)).toEqual({
    ...{ outcome: { ...report, regions: [region] }, roster, missing: 5, absent: [absent], absentTotal: 4, late: ['m'] },
  });
});

test('the standing is asked of the next endpoint where the first is away', async () => {
  const away: MeshReply = { kind: 'unreachable', reason: 'nothing listens there', sent: false };
  const standing = {
    agent_id: AGENT,
    status: 'revoked',
    reason: null,
    revoked_by: null,
    changed_at: null,
    suspended_until: null,
    version: 3,
    above: [],
  };
  const another = answered(200, { ...standing, agent_id: `${AGENT}-2` });
  for (const first of [away, answered(502, 'Bad Gateway'), another]) {
    const lines = [endpoint('home', first), endpoint('other', answered(200, standing))];
    expect(await askStanding(lines, AGENT)).toMatchObject({ status: 'revoked', version: 3 });
  }
});

test('where no endpoint answers, what is said of the first is true of the first', async () => {
  const lines = [
    endpoint('home', { kind: 'unreachable', reason: 'refused', sent: false }),
    endpoint('other', answered(502, '')),
  ];
  await expect(askStanding(lines, AGENT)).rejects.toMatchObject({
    message: expect.stringContaining('http://home.invalid cannot be reached: refused') as string,
  });
});

describe('an API key', () => {
  const keys = (reply: MeshReply) => ({ ...deps(), line: endpoint('home', reply) });
  const wish = { role: 'verifier', label: null, publicKey: null } as const;

  test.each([...UNSURE, ['a lost answer', { kind: 'unreachable', reason: 'it broke', sent: true }]] as const)(
    '%s leaves open whether one was made or revoked',
    async (_, reply) => {
      await expect(createApiKey(keys(reply), wish)).rejects.toMatchObject({
        message: expect.stringContaining('Whether a key was made is unknown'),
      });
      await expect(revokeApiKey(keys(reply), 'abcdef012345')).rejects.toMatchObject({
        message: expect.stringContaining('Whether the key was revoked is unknown'),
      });
    },
  );
});
