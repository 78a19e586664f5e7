/** The mesh as a witness of this machine's tree: what it has seen last, and its cosignature under where the tree ends now. */
import { toHex } from '../../protocol/hex.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import { readOrNull, ShapeError } from '../../protocol/json/shape.js';
import type { Json } from '../../protocol/json/values.js';
import {
  noteSignatureHolds,
  originOf,
  writeNote,
  type Note,
  type NoteSignature,
  type TreeHead,
} from '../../protocol/transparency/note.js';
import { rootOf } from '../../protocol/transparency/tree.js';
import { documentOf } from '../../mesh/document.js';
import { meshWitnessKey, readTreeNote } from '../../mesh/log/tree-witness.js';
import type { MeshCall, MeshCopy, MeshEndpoint } from '../ports/mesh.js';
import { signedBy, type NoteSigner, type signTree, type TreeLog } from './checkpoint.js';
import { proofSince } from './witness.js';

/** The mesh that is asked. */
export interface WitnessingMesh {
  /** Its home. */
  readonly line: MeshEndpoint;
  /** Its pinned key, raw: only what is signed with it is believed. */
  readonly meshKey: Uint8Array;
  readonly timeoutMs: number;
}

/** Why there is no cosignature, though nothing speaks against the log. */
export interface Unseen {
  /** `older`: the mesh is of a version that witnesses no trees. `silent`: it may be asked again. */
  readonly kind: 'older' | 'silent' | 'refused';
  readonly reason: string;
}

/** A mesh that has seen what is not here: the log was cut, written anew, or replaced by an older copy. */
export interface Contradicted {
  readonly kind: 'log_cut' | 'log_changed';
  readonly message: string;
}

/** What a mesh has seen of a log, in its signed words; null where it has seen nothing of it. */
export type MeshSight = { readonly kind: 'seen'; readonly last: SeenTreeHead | null } | Unseen;

/** A checkpoint with the cosignature of the mesh under it. */
export interface SeenTreeHead {
  readonly head: TreeHead;
  readonly note: Note;
  /** The mesh's own line. */
  readonly line: NoteSignature;
}

/** Asks the mesh what it has seen last of a log. */
export async function askSeen(logId: string, mesh: WitnessingMesh): Promise<MeshSight> {
  const asked = await ask(mesh, { method: 'GET', target: `/v1/logs/tree?log=${logId}` });
  if (asked.kind !== 'answered') return asked;
  if (asked.status !== 200) return unseen(asked);
  return sightingIn(asked.json, logId, mesh);
}

/** What became of asking for a cosignature. */
export type Cosigning = { readonly kind: 'cosigned'; readonly seen: SeenTreeHead } | Unseen | Contradicted;

/** How often the mesh may have seen another tree meanwhile: processes of this machine may ask at the same time. */
const ROUNDS = 3;

/** Has the mesh cosign what `sign` gives: the tree of `log` with the line of its verifier. */
export async function cosignedByMesh(
  log: Pick<TreeLog, 'logId' | 'tree'>,
  sign: () => ReturnType<typeof signTree>,
  verifier: Pick<NoteSigner, 'publicKey'>,
  mesh: WitnessingMesh,
): Promise<Cosigning> {
  try {
    return await cosigning(log, sign(), verifier, mesh);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'refused', reason: 'the tree over the log has a hole (aip logs verify)' };
  }
}

async function cosigning(
  log: Pick<TreeLog, 'logId' | 'tree'>,
  { note, head }: ReturnType<typeof signTree>,
  { publicKey }: Pick<NoteSigner, 'publicKey'>,
  mesh: WitnessingMesh,
): Promise<Cosigning> {
  const key = parsePublicKey(publicKey);
  const own = key === null ? [] : [key];
  for (let round = 1; ; round++) {
    const sighting = await askSeen(log.logId, mesh);
    if (sighting.kind !== 'seen') return sighting;
    const { last } = sighting;
    const problem = contradictionWith(log, last?.head ?? null);
    // Another's word says nothing of this log, and this verifier has shown nothing of it yet.
    const stranger = last === null ? null : strangerIn(log, last, own);
    const old = stranger === null ? (last?.head.size ?? 0) : 0;
    // The log goes on while it is asked, and another process of this machine may have been faster.
    if (problem === null && old > head.size)
      return { kind: 'silent', reason: 'it has seen a later end of the log by now: ask again' };
    const asked = await ask(mesh, {
      method: 'POST',
      target: '/v1/logs/tree',
      body: Buffer.from(
        JSON.stringify({
          public_key: publicKey,
          old: Math.min(old, head.size),
          proof: proofSince(log, old, head.size),
          checkpoint: writeNote(note),
        }),
      ),
    });
    // Asked even where it is plain that the mesh has seen another history: its operators learn of it by that.
    if (problem !== null && stranger === null) return problem;
    if (asked.kind !== 'answered') return asked;
    if (asked.status === 200) return cosigningIn(asked.json, log.logId, note, mesh);
    if (stranger !== null && ['FORBIDDEN', 'LOG_FORK', 'VERSION_CONFLICT'].includes(asked.code))
      return { kind: 'refused', reason: `${stranger}. It answered: ${asked.message}` };
    if (asked.code !== 'VERSION_CONFLICT' && asked.code !== 'LOG_FORK') return unseen(asked);
    if (round === ROUNDS) return { kind: 'silent', reason: asked.message };
  }
}

function cosigningIn(json: Json, logId: string, { text }: Note, mesh: WitnessingMesh): Cosigning {
  const given = sightingIn(json, logId, mesh);
  if (given.kind !== 'seen') return given;
  if (given.last?.note.text === text) return { kind: 'cosigned', seen: given.last };
  return { kind: 'refused', reason: 'it cosigned another checkpoint than the one that it was asked about' };
}

/**
 * Who else has shown the mesh another tree under the id of this log, in words; null where the trees agree, or one of the keys has signed it: only
 * that speaks against the log here.
 */
export function strangerIn(
  log: Pick<TreeLog, 'tree'>,
  { head, note }: SeenTreeHead,
  keys: readonly Uint8Array[],
): string | null {
  if (keys.some((key) => signedBy(note, head.origin, key)) || agrees(log, head)) return null;
  const by = note.signatures.find(({ name }) => name === head.origin);
  const key =
    by === undefined ? 'by no verifier' : `with another key than this verifier\u2019s (note hash ${toHex(by.keyHash)})`;
  return `somebody else has shown the mesh a tree of ${head.size} entries under the id of this log, signed ${key}`;
}

function agrees(log: Pick<TreeLog, 'tree'>, head: TreeHead): boolean {
  try {
    return contradictionWith(log, head) === null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/** What the mesh has seen, against the tree that is here; null where both agree. Throws RangeError where the tree has a hole. */
function contradictionWith(log: Pick<TreeLog, 'tree'>, seen: TreeHead | null): Contradicted | null {
  if (seen === null) return null;
  const { size, nodes } = log.tree();
  if (seen.size > size) {
    const message = `The mesh has seen ${seen.size} entries of this log, and it has ${size} now: its end was cut off, or an older copy is in its place.`;
    return { kind: 'log_cut', message };
  }
  if (Buffer.from(rootOf(seen.size, nodes)).equals(seen.root)) return null;
  return {
    kind: 'log_changed',
    message: `The first ${seen.size} entries of this log are not those that the mesh has seen: it was written anew.`,
  };
}

const KEPT = 'log.tree';

/** Keeps what the mesh has cosigned last beside this machine's copy of it. */
export function keepSeen(copy: Pick<MeshCopy, 'setNote'>, { note }: SeenTreeHead): void {
  copy.setNote(KEPT, writeNote(note));
}

/** What is kept of that; null where nothing is, or nothing of this log that the mesh has signed. */
export function keptSeen(copy: Pick<MeshCopy, 'note'>, logId: string, meshKey: Uint8Array): SeenTreeHead | null {
  const text = copy.note(KEPT);
  return text === null ? null : believedTree(text, logId, meshKey);
}

type Asked =
  | { readonly kind: 'answered'; readonly status: number; readonly json: Json; readonly code: string; message: string }
  | Unseen;

async function ask({ line, timeoutMs }: WitnessingMesh, call: Omit<MeshCall, 'timeoutMs'>): Promise<Asked> {
  const reply = await line.ask({ ...call, timeoutMs });
  if (reply.kind === 'unreachable') return { kind: 'silent', reason: reply.reason };
  const { status } = reply;
  const json = readOrNull(() => parseJsonText(reply.body));
  const said = json as { readonly code?: unknown; readonly message?: unknown } | null;
  // A proxy or a portal in between has answered: neither a yes nor a no of the mesh.
  if (status !== 200 && typeof said?.code !== 'string')
    return { kind: 'silent', reason: `${line.url} answered ${status} with something that is no mesh's answer` };
  const code = typeof said?.code === 'string' ? said.code : '';
  const message = typeof said?.message === 'string' ? said.message : `it answered ${status}`;
  return { kind: 'answered', status, json, code, message };
}

function unseen({ status, code, message }: Extract<Asked, { kind: 'answered' }>): Unseen {
  if (status === 404 && code === 'NOT_FOUND')
    return { kind: 'older', reason: 'its version is older, and it is no witness of trees' };
  return { kind: status >= 500 || status === 429 ? 'silent' : 'refused', reason: message };
}

function sightingIn(json: Json, logId: string, { meshKey }: WitnessingMesh): MeshSight {
  let text: string | null;
  try {
    text = documentOf('SeenTree', json).checkpoint;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { kind: 'refused', reason: 'what it answered is no checkpoint' };
  }
  if (text === null) return { kind: 'seen', last: null };
  const last = believedTree(text, logId, meshKey);
  if (last !== null) return { kind: 'seen', last };
  return {
    kind: 'refused',
    reason: `what answers is not signed with the key of this mesh, ${formatPublicKey(meshKey)}`,
  };
}

function believedTree(text: string, logId: string, meshKey: Uint8Array): SeenTreeHead | null {
  const key = meshWitnessKey(meshKey);
  if (key === null) return null;
  try {
    const { note, head } = readTreeNote(text);
    if (head.origin !== originOf(logId)) return null;
    const line = note.signatures.find(
      (each) => noteSignatureHolds({ text: note.text, signatures: [each] }, key) !== null,
    );
    return line === undefined ? null : { head, note, line };
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}
