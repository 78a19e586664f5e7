/**
 * What a roster of thousands costs a revocation: the same server with and without them, in turn, in one process and without sockets.
 * `npm run bench:mesh` prints it; `node test/bench/run.mjs roster [members] [listening]`.
 */
import { randomBytes } from 'node:crypto';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import { signerOf, verifyOperator } from '../../src/adapters/mesh/mesh-key.js';
import { hashApiKey, newApiKey } from '../../src/mesh/access/api-key.js';
import { handle } from '../../src/mesh/server/http/handle.js';
import type { WholeReply } from '../../src/mesh/server/http/exchange.js';
import { MeshServer } from '../../src/mesh/server/mesh-server.js';
import type { Member } from '../../src/mesh/roster/member.js';

const ROUNDS = 300;

function memberOf(n: number, keyId: string, at: number): Member {
  return {
    verifier: `ed25519:${n.toString(16).padStart(64, '0')}`,
    label: `verifier-${n}`,
    keyId,
    program: '9.9.9',
    onStale: n % 2 === 0 ? 'deny' : 'last-known',
    maxAgeMs: 30_000,
    seq: 0,
    applied: null,
    firstSeenAt: at,
    seenAt: at,
    leftAt: null,
    ephemeral: false,
  };
}

/** A server with `members` on its roster, and how one revocation is given to it. */
async function serverOf(members: number): Promise<{ revoke: () => Promise<number>; stop: () => void }> {
  const store = new MemoryMeshStore('a1'.repeat(16));
  const key = newApiKey('admin', randomBytes(38));
  const record = { keyId: key.keyId, role: 'admin', hash: hashApiKey(key), label: null, publicKey: null } as const;
  await store.keys.add({ ...record, createdAt: Date.now(), revokedAt: null });
  await store.members.put(Array.from({ length: members }, (_, n) => memberOf(n + 1, key.keyId, Date.now())));
  const { sign, publicKey } = signerOf(randomBytes(32));
  const server = await MeshServer.start({
    store,
    clock: { wall: Date.now, up: () => performance.now() },
    randomHex: (n) => randomBytes(n).toString('hex'),
    sign,
    publicKey,
    verify: verifyOperator,
    soon: setImmediate,
  });
  const revoke = async (): Promise<number> => {
    const body = Buffer.from(
      JSON.stringify({
        cmd_id: randomBytes(8).toString('hex'),
        action: 'revoke',
        agent_id: 'did:web:acme.com:agents:a',
        reason: 'bench',
      }),
    );
    const started = performance.now();
    const reply = (await handle(server, {
      method: 'POST',
      path: '/v1/mesh/commands',
      query: new URLSearchParams({ wait: '500ms' }),
      headers: { authorization: `Bearer ${key.text}` },
      body,
      remote: '127.0.0.1',
    })) as WholeReply;
    if (reply.status !== 200) throw new Error(reply.body);
    return performance.now() - started;
  };
  return { revoke, stop: () => server.stop(0) };
}

/** Prints what `members` on the roster add to one revocation. */
export async function rosterCost(members: number): Promise<void> {
  const [empty, full] = [await serverOf(0), await serverOf(members)];
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of [first, second]) times[which]!.push(await [empty, full][which]!.revoke());
  }
  const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]!;
  const [bare, loaded] = times.map(median);
  console.log(
    `a roster of ${members}: ${loaded!.toFixed(2)} ms a revocation, ${bare!.toFixed(2)} ms without, ${(loaded! - bare!).toFixed(2)} ms more`,
  );
  empty.stop();
  full.stop();
}

if (process.argv[1]?.includes('roster') === true) await rosterCost(Number(process.argv[2] ?? 5_000));
