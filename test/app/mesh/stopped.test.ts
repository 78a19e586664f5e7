import { expect, test } from 'vitest';
import { stoppedAnywhere } from '../../../src/app/mesh/stopped.js';
import type { MeshEndpoint } from '../../../src/app/ports/mesh.js';
import type { Standing } from '../../../src/mesh/standing.js';

const NOW = Date.parse('2026-02-18T14:23:45Z');
const [BOTH, THERE, HERE] = ['both', 'there', 'here'].map((name) => `did:web:acme.com:agents:${name}`) as [
  string,
  string,
  string,
];
const held = (subject: string): Standing => ({
  ...{
    subject,
    status: 'revoked',
    reason: "it's odd",
    changedAt: NOW,
    changedBy: 'me',
    suspendedUntil: null,
    version: 1,
    seq: 0,
  },
});

/** A mesh on which these are revoked. */
function meshWith(...revoked: string[]): MeshEndpoint {
  return {
    url: 'http://mesh',
    ask: async ({ target }) => {
      const subject = decodeURIComponent(target.slice('/v1/mesh/status/'.length));
      const status = revoked.includes(subject) ? 'revoked' : 'active';
      const body = target.startsWith('/v1/mesh/fleet')
        ? { above: [], agents: revoked.map((id) => ({ agent_id: id, status: 'revoked', status_of: id })) }
        : {
            ...{
              agent_id: subject,
              status,
              reason: 'leak',
              revoked_by: 'them',
              changed_at: '2026-02-18T14:00:00.000Z',
            },
            ...{ suspended_until: null, version: 1, above: [] },
          };
      return { kind: 'answered', status: 200, body: JSON.stringify(body) };
    },
  };
}

test('where mesh and machine differ, the command is named that repairs it', async () => {
  const known = [held(BOTH), held(HERE)];
  const copy = {
    stopped: () => known,
    standing: (subject: string) => known.find((each) => each.subject === subject) ?? null,
    local: () => null,
    note: () => null,
  };
  const { stopped: found } = await stoppedAnywhere([meshWith(BOTH, THERE)], copy, NOW, () => []);
  expect(found.map(({ subject, mesh, here, by, repair }) => [subject, mesh, here, by, repair])).toEqual([
    [BOTH, 'revoked', 'revoked', 'them', null],
    [HERE, 'active', 'revoked', 'me', `aip revoke ${HERE} --reason 'it'\\''s odd'`],
    [THERE, 'revoked', 'active', 'them', 'aip mesh follow'],
  ]);
});

test('what is suspended on one machine is suspended on the mesh for what is left of it, not revoked', async () => {
  const own = { ...held(HERE), status: 'suspended' as const, suspendedUntil: NOW + 90_500 };
  const copy = { stopped: () => [own], standing: (id: string) => (id === HERE ? own : null) };
  const { stopped: found } = await stoppedAnywhere(
    [meshWith()],
    { ...copy, local: () => null, note: () => null },
    NOW,
    () => [],
  );
  expect(found.map(({ repair }) => repair)).toEqual([`aip suspend ${HERE} --for 91s --reason 'it'\\''s odd'`]);
});

test('what the mesh has lifted since is not ordered again: this machine has not heard of it', async () => {
  const older = { ...held(HERE), version: 1 };
  const of = (own: typeof older, local: typeof older | null) => ({
    stopped: () => [own],
    standing: () => own,
    local: () => local,
    note: () => null,
  });
  const lifted = {
    ...meshWith(),
    ask: async (call: Parameters<MeshEndpoint['ask']>[0]) => {
      const reply = await meshWith().ask(call);
      return reply.kind === 'answered' ? { ...reply, body: reply.body.replace('"version":1', '"version":2') } : reply;
    },
  };
  const {
    stopped: [behind],
  } = await stoppedAnywhere([lifted], of(older, null), NOW, () => []);
  expect(behind).toMatchObject({ mesh: 'active', here: 'revoked', repair: 'aip mesh follow' });
  const {
    stopped: [ahead],
  } = await stoppedAnywhere([meshWith()], of({ ...older, version: 2 }, null), NOW, () => []);
  expect(ahead!.repair).toMatch(/^aip revoke /);
  const {
    stopped: [ours],
  } = await stoppedAnywhere([lifted], of(older, older), NOW, () => []);
  expect(ours!.repair).toMatch(/^aip revoke /);
});

test.each([
  ['the oldest answer', [0, 70_000], 70_000],
  ['unknown where one of the answers is', [null, 0], null],
] as const)('the age of the list is %s', async (_, ages, age) => {
  let asked = 0;
  const aged = {
    ...meshWith(),
    ask: async (call: Parameters<MeshEndpoint['ask']>[0]) => {
      const reply = await meshWith().ask(call);
      const own = call.target.startsWith('/v1/mesh/status') ? `"age_ms":${ages[asked++]},` : '';
      return reply.kind === 'answered' ? { ...reply, body: reply.body.replace('{', `{${own}`) } : reply;
    },
  };
  const copy = { stopped: () => [held(HERE)], standing: () => held(HERE), local: () => null, note: () => null };
  expect((await stoppedAnywhere([aged], copy, NOW, () => [])).ageMs).toBe(age);
});

test('a mesh on which nothing is stopped is asked how old that is', async () => {
  const asked: string[] = [];
  const line = {
    ...meshWith(),
    ask: (call: Parameters<MeshEndpoint['ask']>[0]) => {
      asked.push(call.target);
      return meshWith().ask(call);
    },
  };
  const copy = { stopped: () => [], standing: () => null, local: () => null, note: () => null };
  expect(await stoppedAnywhere([line], copy, NOW, () => [])).toEqual({ stopped: [], ageMs: 0 });
  expect(asked).toContain('/v1/mesh/status/*');
});

/** `meshWith(THERE)`, whose list of the fleet is another one. */
function listing(fleet: object): MeshEndpoint {
  return {
    ...meshWith(),
    ask: async (call) =>
      call.target === '/v1/mesh/fleet'
        ? { kind: 'answered', status: 200, body: JSON.stringify(fleet) }
        : meshWith(THERE).ask(call),
  };
}

const NOTHING = { stopped: () => [], standing: () => null, local: () => null, note: () => null };

test('a server of an earlier version, which does not say whose key was stopped, is understood', async () => {
  const everyone = { subject: '*', status: 'suspended', reason: null };
  const line = listing({ above: [everyone], agents: [{ agent_id: THERE, status: 'revoked', status_of: THERE }] });
  const { stopped } = await stoppedAnywhere([line], NOTHING, NOW, () => []);
  expect(stopped.map(({ subject }) => subject)).toEqual([THERE]);
});

test.each<[string, object, true | undefined]>([
  ['the last agent is stopped, and there are more', { more: 1 }, true],
  [
    'it ends with one that is active',
    { more: 1, agents: [{ agent_id: THERE, status: 'active', status_of: THERE }] },
    undefined,
  ],
  ['there are no more', { more: 0 }, undefined],
  [
    'as many keys and principals are stopped as it has',
    {
      above: Array.from({ length: 50 }, (_, n) => ({ subject: `did:web:p${n}.com`, status: 'revoked', reason: null })),
    },
    true,
  ],
])('a list is said to be a part where more may be stopped: %s', async (_, fleet, isPart) => {
  const agents = [{ agent_id: THERE, status: 'revoked', status_of: THERE }];
  const found = await stoppedAnywhere([listing({ above: [], agents, ...fleet })], NOTHING, NOW, () => []);
  expect(found.isPart).toBe(isPart);
});

test('a list that cannot be read is a failure, not an empty list', async () => {
  const asked = stoppedAnywhere([listing({ above: 'none' })], NOTHING, NOW, () => []);
  await expect(asked).rejects.toThrow('MESH_UNAVAILABLE');
});

test('of a fleet that is stopped as a whole, several agents are asked for at once', async () => {
  const agents = Array.from({ length: 200 }, (_, i) => `did:web:acme.com:agents:a-${i}`);
  const mesh = meshWith(...agents);
  let [open, most] = [0, 0];
  const slow: MeshEndpoint = {
    ...mesh,
    ask: async (call) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return mesh.ask(call);
    },
  };
  const { stopped } = await stoppedAnywhere([slow], NOTHING, NOW, () => []);
  expect(stopped.map(({ subject }) => subject)).toEqual([...agents].sort());
  expect(most).toBe(4);
});

test('the list of a fleet is larger than one document may be', async () => {
  const agents = Array.from({ length: 200 }, (_, i) => `did:web:acme.com:agents:${'a'.repeat(300)}-${i}`);
  expect((await stoppedAnywhere([meshWith(...agents)], NOTHING, NOW, () => [])).stopped).toHaveLength(200);
});
