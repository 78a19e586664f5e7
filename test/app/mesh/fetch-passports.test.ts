/** Documents of passports that the mesh has put in force, asked of each endpoint that may have them. */
import { expect, test } from 'vitest';
import { fetchPassports, passportFetcher } from '../../../src/app/mesh/passports.js';
import type { MeshEndpoint, MeshReply } from '../../../src/app/ports/mesh.js';
import type { Pin } from '../../../src/app/ports/state.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { passportIn } from '../../../src/protocol/passport.js';
import { ISSUER_SEED, publishedPassport } from '../../kit/mesh/passports.js';
import { AGENT, PRINCIPAL } from '../../kit/mesh/server.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const AGENTS = [AGENT, `${AGENT}-2`];
const TEXTS = AGENTS.map((agent) => JSON.stringify(publishedPassport(agent, 2)));
const MARKS = AGENTS.map((agent, i) => ({ agent, serial: 2, hash: passportIn(TEXTS[i]!)!.hash(), seq: i + 1 }));

const PIN: Pin = {
  ...{ did: PRINCIPAL, keyId: `${PRINCIPAL}#key-1`, publicKey: publicKeyOf(ISSUER_SEED) },
  ...{ pinnedAt: NOW, source: 'added' },
};

function endpoint(answer: (target: string) => MeshReply): MeshEndpoint & { asked: number } {
  return {
    url: 'http://mesh.invalid',
    asked: 0,
    ask(call) {
      this.asked++;
      return Promise.resolve(answer(call.target));
    },
  };
}
const away = () => endpoint(() => ({ kind: 'unreachable', reason: 'nothing listens there', sent: false }));
const says = (status: number, body: string) => endpoint(() => ({ kind: 'answered', status, body }));
const holding = () =>
  endpoint((target) => {
    const i = MARKS.findIndex(({ hash }) => target.endsWith(encodeURIComponent(hash)));
    return { kind: 'answered', status: 200, body: TEXTS[i]! };
  });

function machine() {
  const kept: string[] = [];
  const rememberPassport = ({ agentId }: { agentId: string }): void => void kept.push(agentId);
  return { kept, state: { passport: () => null, pins: () => [PIN], rememberPassport } };
}

async function fetchedFrom(...lines: MeshEndpoint[]) {
  const { kept, state } = machine();
  const missing = await fetchPassports(lines, { passportMarks: () => MARKS }, state, { now: NOW, timeoutMs: 1_000 });
  return { kept, missing };
}

test('an endpoint that is away, has not got it, or gives another is passed over for the next', async () => {
  for (const first of [away(), says(404, '{"code":"NOT_FOUND"}'), says(200, '<html>'), says(200, TEXTS[1]!)])
    expect(await fetchedFrom(first, holding())).toEqual({ kept: AGENTS, missing: 0 });
});

test('one that is away is not waited for with each document', async () => {
  const first = away();
  await fetchedFrom(first, holding());
  expect(first.asked).toBe(1);
});

test('nor is it with each look of a machine that follows', async () => {
  const { kept, state } = machine();
  const [first, second] = [away(), holding()];
  const marks = [MARKS[0]!];
  const look = passportFetcher([first, second], { passportMarks: () => marks }, state, () => NOW);
  look();
  await expect.poll(() => kept).toEqual([AGENTS[0]]);
  marks[0] = MARKS[1]!;
  look();
  await expect.poll(() => kept).toEqual(AGENTS);
  expect(first.asked).toBe(1);
});

test('what no endpoint gives is missing', async () => {
  expect(await fetchedFrom(away(), says(200, TEXTS[0]!))).toEqual({ kept: [AGENT], missing: 1 });
});
