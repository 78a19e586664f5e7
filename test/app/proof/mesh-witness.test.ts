/** Asking a mesh for its cosignature: only what it signed with the pinned key is believed, and only of this log. */
import { describe, expect, test } from 'vitest';
import {
  askSeen,
  cosignedByMesh,
  keepSeen,
  keptSeen,
  type SeenTreeHead,
  type WitnessingMesh,
} from '../../../src/app/proof/mesh-witness.js';
import type { MeshReply } from '../../../src/app/ports/mesh.js';
import { meshWitnessKey } from '../../../src/mesh/log/tree-witness.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { cosignature, cosignedMessage, readNote, writeNote } from '../../../src/protocol/transparency/note.js';
import { readCheckpointText } from '../../../src/protocol/transparency/note.js';
import { MESH_PUBLIC_KEY, TestMesh } from '../../kit/mesh/server.js';
import { leavesOf, TestTree, TreeVerifier } from '../../kit/proof/trees.js';

const MESH_KEY = parsePublicKey(MESH_PUBLIC_KEY)!;
const NAME = meshWitnessKey(MESH_KEY)!.name;

/** What stands between this machine and its mesh. */
type Between = (method: string, answer: { status: number; body: string }) => { status: number; body: string };

async function started(between: Between = (_, answer) => answer) {
  const mesh = await TestMesh.start();
  const verifier = new TreeVerifier(11).enroll(mesh);
  const tree = new TestTree(...leavesOf(5));
  const log = { logId: verifier.logId, tree: () => ({ after: 0, size: tree.size, nodes: tree.read }) };
  const asked: string[] = [];
  const ask = async (method: string, target: string, body: Uint8Array | undefined): Promise<MeshReply> => {
    asked.push(method);
    const text = body === undefined ? undefined : Buffer.from(body).toString();
    const { status, body: answer } = await mesh.ask(method, target, 'verifier', text);
    return { kind: 'answered', ...between(method, { status, body: answer }) };
  };
  const witnessing: WitnessingMesh = {
    line: { url: 'http://mesh.test', ask: ({ method, target, body }) => ask(method, target, body) },
    meshKey: MESH_KEY,
    timeoutMs: 1000,
  };
  const signed = (size = tree.size) => {
    const note = readNote(verifier.checkpoint(tree, size));
    return { note, head: readCheckpointText(note.text) };
  };
  const cosign = (size?: number) => cosignedByMesh(log, () => signed(size), verifier, witnessing);
  return { mesh, verifier, tree, log, asked, cosign, signed, witnessing };
}

/** The answer with another line of the mesh. */
const withLine = (change: (line: SeenTreeHead['line'], text: string) => SeenTreeHead['line']): Between => {
  return (method, answer) => {
    if (method !== 'POST' || answer.status !== 200) return answer;
    const note = readNote((JSON.parse(answer.body) as { checkpoint: string }).checkpoint);
    const signatures = note.signatures.map((each) => (each.name === NAME ? change(each, note.text) : each));
    return { ...answer, body: JSON.stringify({ checkpoint: writeNote({ ...note, signatures }) }) };
  };
};

const flipped = (at: number) => (line: SeenTreeHead['line']) => {
  const signature = Buffer.from(line.signature);
  signature[at]! ^= 1;
  return { ...line, signature };
};

const OTHER = new Uint8Array(32).fill(8);
const byAnother = (name: string) => (_: unknown, text: string) =>
  cosignature(name, publicKeyOf(OTHER), 1, signMessage(OTHER, Buffer.from(cosignedMessage(text, 1))));

describe('a cosignature', () => {
  test('comes with one question and one answer each, and again as the log grows', async () => {
    const { tree, asked, cosign } = await started();
    for (const more of [[], leavesOf(3, 'a'), leavesOf(9, 'b')]) {
      tree.add(...more);
      expect(await cosign()).toMatchObject({ kind: 'cosigned', seen: { head: { size: tree.size } } });
    }
    expect(asked).toEqual(['GET', 'POST', 'GET', 'POST', 'GET', 'POST']);
  });

  test.each<readonly [string, Between]>([
    ['of another key under the name of the mesh', withLine(byAnother(NAME))],
    ['of another key under a name of its own', withLine(byAnother('aip.mesh/1398f62c6d1a457c'))],
    ['with another time', withLine(flipped(7))],
    ['with another signature', withLine(flipped(20))],
    ['with a byte less', withLine((line) => ({ ...line, signature: line.signature.subarray(0, 71) }))],
    ['with the key of another name', withLine((line) => ({ ...line, keyHash: Buffer.alloc(4) }))],
    ['under another name', withLine((line) => ({ ...line, name: `${NAME}0` }))],
  ])('%s is none', async (_, between) => {
    const { cosign } = await started(between);
    expect(await cosign()).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('not signed with the key'),
    });
  });

  test('of an earlier checkpoint is none of this one', async () => {
    let earlier = '';
    const { tree, cosign } = await started((method, answer) => {
      if (method !== 'POST') return answer;
      earlier ||= answer.body;
      return { ...answer, body: earlier };
    });
    expect((await cosign()).kind).toBe('cosigned');
    tree.add('more');
    expect(await cosign()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('another checkpoint') });
  });

  test('is asked for anew where another process of this machine was faster', async () => {
    let meanwhile = async (): Promise<void> => undefined;
    const { mesh, verifier, tree, log, asked, signed, witnessing } = await started();
    const { line } = witnessing;
    const racing: WitnessingMesh = {
      ...witnessing,
      line: {
        ...line,
        ask: async (call) => {
          if (call.method === 'POST') await meanwhile();
          return line.ask(call);
        },
      },
    };
    meanwhile = async () => {
      meanwhile = async () => undefined;
      expect((await mesh.ask('POST', '/v1/logs/tree', 'verifier', verifier.asks(tree, 0, 3))).status).toBe(200);
    };
    expect((await cosignedByMesh(log, () => signed(), verifier, racing)).kind).toBe('cosigned');
    expect(asked).toEqual(['GET', 'POST', 'GET', 'POST']);
  });

  test('for an end that the log has left behind is not asked for: nothing was cut', async () => {
    const { mesh, verifier, tree, asked, cosign } = await started();
    await mesh.ask('POST', '/v1/logs/tree', 'verifier', verifier.asks(tree));
    expect(await cosign(4)).toMatchObject({ kind: 'silent', reason: expect.stringContaining('later end') });
    expect([asked, mesh.server.shipping.older]).toEqual([['GET'], 0]);
  });

  test('is not asked for of a tree with a hole', async () => {
    const { log, signed, verifier, witnessing, cosign } = await started();
    expect((await cosign()).kind).toBe('cosigned');
    const holed = {
      ...log,
      tree: () => ({
        ...log.tree(),
        nodes: () => {
          throw new RangeError('no node');
        },
      }),
    };
    expect(await cosignedByMesh(holed, () => signed(), verifier, witnessing)).toMatchObject({ kind: 'refused' });
  });
});

describe('what was kept of it', () => {
  async function notes() {
    const { log, cosign } = await started();
    const given = await cosign();
    if (given.kind !== 'cosigned') throw new Error(given.kind);
    const kept = new Map<string, string | null>();
    const copy = {
      note: (name: string) => kept.get(name) ?? null,
      setNote: (name: string, value: string | null) => void kept.set(name, value),
    };
    return { log, given, kept, copy };
  }

  test('is read back', async () => {
    const { log, given, copy } = await notes();
    expect(keptSeen(copy, log.logId, MESH_KEY)).toBeNull();
    keepSeen(copy, given.seen);
    expect(keptSeen(copy, log.logId, MESH_KEY)?.head).toEqual(given.seen.head);
  });

  test('counts for nothing for another log, under another mesh, or once it was changed', async () => {
    const { log, given, kept, copy } = await notes();
    keepSeen(copy, given.seen);
    expect(keptSeen(copy, 'c3'.repeat(16), MESH_KEY)).toBeNull();
    expect(keptSeen(copy, log.logId, publicKeyOf(OTHER))).toBeNull();
    const [[name, text]] = [...kept] as [[string, string]];
    for (const changed of [
      text.replace('\n5\n', '\n4\n'),
      text.slice(0, -1),
      '',
      text.split('\n').slice(0, 5).join('\n'),
    ]) {
      kept.set(name, changed);
      expect(keptSeen(copy, log.logId, MESH_KEY)).toBeNull();
    }
  });
});

test('an answer that is no document of the mesh is believed in nothing', async () => {
  for (const body of ['', '[]', '{"checkpoint":7}', '{}', 'null', '{"checkpoint":"x"}', '{"checkpoint":']) {
    const { witnessing, log } = await started((_, answer) => ({ ...answer, body }));
    expect((await askSeen(log.logId, witnessing)).kind).toBe('refused');
  }
});
