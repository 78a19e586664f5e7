/** Whom a name means: published passports outrank passports kept here, and these outrank agents that were only seen. */
import { describe, expect, test } from 'vitest';
import { agentNamed } from '../../../src/app/passports/agent-named.js';
import { Failure } from '../../../src/app/failure.js';
import type { FleetName } from '../../../src/app/passports/find.js';

const id = (domain: string, name = 'support') => `did:web:${domain}:agents:${name}`;
const [OURS, THEIRS, OTHER] = [id('acme.com'), id('partner.example'), id('other.example')];

interface World {
  /** Passports kept here. */
  readonly kept?: readonly string[];
  readonly seen?: readonly string[];
  readonly published?: readonly string[];
  /** What the mesh answers; whether it was asked is counted. */
  readonly fleet?: readonly FleetName[];
}

function named(name: string, { kept = [], seen = [], published = [], fleet }: World) {
  const asked: string[] = [];
  const passports = kept.map((agentId) => ({
    ...{ agentId, name: agentId.split(':').at(-1)!, text: '', path: null, addedAt: 0 },
  }));
  const deps = {
    state: { passport: () => null, passports: () => passports },
    readFile: () => Promise.resolve(null),
    seen: () => seen,
    published: () => published,
    ...(fleet && {
      fleet: (find: string) => {
        asked.push(find);
        return Promise.resolve(fleet.filter(({ agentId }) => agentId.includes(find)));
      },
    }),
  };
  return { asked, meant: agentNamed(deps, name) };
}

const inFleet = (agentId: string, published = false): FleetName => ({ agentId, published });

describe('a name means', () => {
  test.each<[string, World, string]>([
    ['the passport kept here', { kept: [OURS] }, OURS],
    ['the one that is published, where another is kept here', { kept: [OURS], published: [THEIRS] }, THEIRS],
    ['the one that is published, of two that are kept', { kept: [OURS, THEIRS], published: [OURS] }, OURS],
    ['the one kept here, where another was only seen', { kept: [OURS], seen: [THEIRS] }, OURS],
    ['an agent that was only seen', { seen: [THEIRS] }, THEIRS],
    [
      'the one that the mesh has published, of two kept here',
      { kept: [OURS, THEIRS], fleet: [inFleet(OURS, true)] },
      OURS,
    ],
    ['what only the mesh knows', { fleet: [inFleet(OTHER)] }, OTHER],
    ['of two in the mesh the one that is published', { fleet: [inFleet(OTHER), inFleet(OURS, true)] }, OURS],
  ])('%s', async (_what, world, meant) => {
    expect(await named('support', world).meant).toBe(meant);
  });

  test.each<[string, World, readonly string[]]>([
    ['two kept here', { kept: [OURS, THEIRS] }, [OURS, THEIRS]],
    ['two that were only seen', { seen: [OURS, THEIRS] }, [OURS, THEIRS]],
    ['two that are published', { published: [OURS, THEIRS], kept: [OTHER] }, [OURS, THEIRS]],
    [
      'two kept here of which the mesh knows none as published',
      { kept: [OURS, THEIRS], fleet: [inFleet(OURS)] },
      [OURS, THEIRS],
    ],
    ['two in the mesh', { fleet: [inFleet(OURS), inFleet(OTHER)] }, [OURS, OTHER]],
  ])('nobody, and both ids are named: %s', async (_what, world, ids) => {
    const failure = await named('support', world).meant.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'USAGE', exitCode: 2 });
    for (const each of ids) expect((failure as Failure).message).toContain(each);
  });

  test('the mesh is not asked where this machine knows', async () => {
    const { asked, meant } = named('support', { kept: [OURS], fleet: [inFleet(OTHER, true)] });
    expect([await meant, asked]).toEqual([OURS, []]);
  });
});

test.each<[string, World]>([
  ['here', { kept: [OURS] }],
  ['in the mesh', { fleet: [inFleet(OURS, true)] }],
])('a name that is not found names the nearest ones that are known %s', async (_where, world) => {
  const failure = await named('suport', world).meant.catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('support@acme.com') });
});

test('a name that nobody is known by is answered with the form of an id, where an id is enough', async () => {
  expect(await named('support', { fleet: [] }).meant.catch((error: unknown) => error)).toMatchObject({
    code: 'NOT_FOUND',
    message: 'No agent is known by the name "support", and no such file exists.',
    hint: 'give the whole id: did:web:<domain>:agents:support',
  });
});
