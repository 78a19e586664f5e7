/**
 * The mesh as a witness of verifiers' trees (C2SP tlog-witness): what it keeps of each tree, and how it signs what it saw (tlog-cosignature,
 * version 1).
 */
import { fromHex, toHex } from '../../protocol/hex.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import {
  checkpointText,
  cosignature,
  cosignedMessage,
  originOf,
  readCheckpointText,
  readNote,
  type Note,
  type NoteKey,
  type NoteSignature,
  type TreeHead,
} from '../../protocol/transparency/note.js';
import { isLogId } from './head.js';
import type { MeshSigner, SignatureUse } from './signing.js';

/** A checkpoint of a verifier's tree, as read. */
export interface TreeCheckpoint {
  readonly note: Note;
  readonly head: TreeHead;
  readonly logId: string;
}

/** Reads the checkpoint of a log of this program; what else a note may say is not signed by the mesh. @throws ShapeError */
export function readTreeNote(text: string): TreeCheckpoint {
  const note = readNote(text);
  const head = readCheckpointText(note.text);
  const logId = head.origin.slice(originOf('').length);
  if (head.origin !== originOf(logId) || !isLogId(logId) || note.text !== checkpointText(head))
    throw new ShapeError('the checkpoint is not one of a verification log');
  return { note, head, logId };
}

/** The mesh's key as that of a witness; its name follows from the key, so that who pins the key need know no name. */
export function meshWitnessKey(publicKey: Uint8Array): NoteKey | null {
  const key = verifyKeyOf(publicKey);
  return key === null ? null : { name: witnessName(publicKey), algorithm: 'cosignature-v1', key };
}

function witnessName(publicKey: Uint8Array): string {
  return `aip.mesh/${toHex(publicKey).slice(0, 16)}`;
}

/** The mesh's line under a checkpoint: that it saw it at `time` (Unix seconds), and nothing that contradicts it. */
export async function cosignTree(
  { note }: TreeCheckpoint,
  meshKey: string,
  time: number,
  sign: MeshSigner,
  use: SignatureUse,
): Promise<NoteSignature> {
  const publicKey = parsePublicKey(meshKey);
  const signature = fromHex(await sign(Buffer.from(cosignedMessage(note.text, time)).toString('utf8'), use));
  if (publicKey === null || signature === null) throw new TypeError('a signer that gives no signature');
  return cosignature(witnessName(publicKey), publicKey, time, signature);
}
