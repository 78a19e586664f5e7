/**
 * Signed notes (C2SP `signed-note`): a text, an empty line, and a line `— <name> <base64 of key hash and signature>` a signer. They carry
 * checkpoints of the log (C2SP `tlog-checkpoint`) and what witnesses add to them (C2SP `tlog-cosignature`, version 1).
 */
import { sha256 } from '../hash.js';
import { ShapeError } from '../json/shape.js';
import { verifyKeyOf, verifySignature, type VerifyKey } from '../ed25519/verify.js';
import { MAX_TREE_SIZE } from './tree.js';

const MAX_NOTE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 64;
const SIGNATURE_LINE = /^\u2014 (\S{1,255}) ([A-Za-z0-9+/]+={0,2})$/u;
const NAME = /^[^\s+\p{Cc}]{1,255}$/u;

/** How a key signs: as the log itself, or as a witness, whose signature covers the time at which it saw the checkpoint. */
export type NoteAlgorithm = 'ed25519' | 'cosignature-v1';

const TYPE_BYTE: Readonly<Record<NoteAlgorithm, number>> = { ed25519: 0x01, 'cosignature-v1': 0x04 };

/** A key that signs notes under a name. */
export interface NoteKey {
  /** Without white space and `+`: a log's origin or a witness's name. */
  readonly name: string;
  readonly algorithm: NoteAlgorithm;
  readonly key: VerifyKey;
}

/** One signature line. Nothing of it is believed before `noteSignatureHolds`. */
export interface NoteSignature {
  readonly name: string;
  /** The first four bytes of the key's hash. */
  readonly keyHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note as read: the signed text, with its last line feed, and the signature lines. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** What a checkpoint says of a log: how many entries, and the root over them. */
export interface TreeHead {
  /** `aip.log/<log id>`. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Reads a note strictly. @throws ShapeError */
export function readNote(bytes: string): Note {
  if (Buffer.byteLength(bytes) > MAX_NOTE_BYTES) throw new ShapeError(`a note has at most ${MAX_NOTE_BYTES} bytes`);
  const at = bytes.lastIndexOf('\n\n');
  if (at < 0 || !bytes.endsWith('\n')) throw new ShapeError('a note is a text, an empty line and signature lines');
  const text = bytes.slice(0, at + 1);
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new ShapeError('the text of a note holds a control character');
  const lines = bytes.slice(at + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new ShapeError(`a note has at most ${MAX_SIGNATURES} signatures`);
  return { text, signatures: lines.map(readSignatureLine) };
}

function readSignatureLine(line: string): NoteSignature {
  const match = SIGNATURE_LINE.exec(line);
  const bytes = match === null ? null : fromBase64(match[2]!);
  if (bytes === null || bytes.length < 5) throw new ShapeError('a signature line is "\u2014 <name> <base64>"');
  return { name: match![1]!, keyHash: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** The note as text. */
export function writeNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(signatureLine).join('')}`;
}

/** One signature line, with its line feed. */
export function signatureLine({ name, keyHash, signature }: NoteSignature): string {
  return `\u2014 ${name} ${Buffer.concat([keyHash, signature]).toString('base64')}\n`;
}

/** The first four bytes of SHA-256(name || "\n" || algorithm || public key), by which a signature line names its key. */
function noteKeyHash(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): Uint8Array {
  const typed = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(TYPE_BYTE[algorithm]), publicKey]);
  return sha256(typed).subarray(0, 4);
}

/** The key in the form that people exchange: `<name>+<8 hex digits>+<base64>`. */
export function noteKeyText(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): string {
  const typed = Buffer.concat([Uint8Array.of(TYPE_BYTE[algorithm]), publicKey]);
  return `${name}+${Buffer.from(noteKeyHash(name, algorithm, publicKey)).toString('hex')}+${typed.toString('base64')}`;
}

/** Reads `<name>+<key hash>+<base64>`. @throws ShapeError for another form, another algorithm, or a hash of another key. */
export function readNoteKey(text: string): NoteKey {
  const match = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text.trim());
  const typed = match === null ? null : fromBase64(match[3]!);
  if (match === null || typed === null || typed.length !== 33 || !NAME.test(match[1]!))
    throw new ShapeError('a note key is <name>+<8 hex digits>+<base64 of an Ed25519 key>');
  const algorithm = (Object.keys(TYPE_BYTE) as NoteAlgorithm[]).find((each) => TYPE_BYTE[each] === typed[0]);
  if (algorithm === undefined) throw new ShapeError(`a note key of type ${typed[0]} is not one that is read here`);
  const name = match[1]!;
  const publicKey = typed.subarray(1);
  const key = verifyKeyOf(publicKey);
  if (key === null) throw new ShapeError(`the key of ${name} is not an acceptable Ed25519 public key`);
  if (Buffer.from(noteKeyHash(name, algorithm, publicKey)).toString('hex') !== match[2])
    throw new ShapeError(`the key hash ${match[2]} is of another key or name`);
  return { name, algorithm, key };
}

/** The same of a witness: a log that signs as such has not been seen by somebody else. @throws ShapeError */
export function readWitnessKey(text: string): NoteKey {
  const key = readNoteKey(text);
  if (key.algorithm !== 'cosignature-v1')
    throw new ShapeError(`the key of ${key.name} is one that a log signs with, and witnesses sign with one of type 4`);
  return key;
}

/** The bytes that a log's own key signs. */
export function noteMessage(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The bytes that a witness signs: when it saw the checkpoint (Unix seconds), and the text. */
export function cosignedMessage(text: string, time: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}

/** The signature line of a log's own key. */
export function noteSignature(name: string, publicKey: Uint8Array, signature: Uint8Array): NoteSignature {
  return { name, keyHash: noteKeyHash(name, 'ed25519', publicKey), signature };
}

/** The signature line of a witness: eight bytes of time before the signature. `time` in Unix seconds. */
export function cosignature(name: string, publicKey: Uint8Array, time: number, signature: Uint8Array): NoteSignature {
  const stamped = Buffer.alloc(8 + signature.length);
  stamped.writeBigUInt64BE(BigInt(time));
  stamped.set(signature, 8);
  return { name, keyHash: noteKeyHash(name, 'cosignature-v1', publicKey), signature: stamped };
}

/** What a signature that holds says: `time` in Unix seconds for a witness, null for a log's own key. */
export interface NoteWord {
  readonly time: number | null;
}

/** What `key` says of the note; null where no line of it holds. A line under the same name by another key is passed over. */
export function noteSignatureHolds({ text, signatures }: Note, { name, algorithm, key }: NoteKey): NoteWord | null {
  const hash = noteKeyHash(name, algorithm, key.publicKey);
  for (const each of signatures) {
    if (each.name !== name || !Buffer.from(each.keyHash).equals(hash)) continue;
    if (algorithm === 'ed25519') {
      if (each.signature.length === 64 && verifySignature(key, noteMessage(text), each.signature))
        return { time: null };
      continue;
    }
    if (each.signature.length !== 72) continue;
    const stamp = Buffer.from(each.signature.buffer, each.signature.byteOffset, 8).readBigUInt64BE();
    if (stamp > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    const time = Number(stamp);
    if (verifySignature(key, cosignedMessage(text, time), each.signature.subarray(8))) return { time };
  }
  return null;
}

/** The name under which a log signs. */
export function originOf(logId: string): string {
  return `aip.log/${logId}`;
}

/** The text of a checkpoint: origin, size and root, a line each. */
export function checkpointText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** What the text of a note says as a checkpoint; lines behind the third are extensions, and passed over. @throws ShapeError */
export function readCheckpointText(text: string): TreeHead {
  const [origin, size, root] = text.split('\n');
  const bytes = root === undefined ? null : fromBase64(root);
  if (origin === undefined || origin === '' || bytes?.length !== 32 || !/^(0|[1-9][0-9]{0,14})$/.test(size!))
    throw new ShapeError('a checkpoint is an origin, a size and a root of 32 bytes in base64, a line each');
  if (Number(size) > MAX_TREE_SIZE) throw new ShapeError('a checkpoint of that size is not one of a log here');
  return { origin, size: Number(size), root: bytes };
}

/** Strict: one spelling for the same bytes. */
function fromBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
