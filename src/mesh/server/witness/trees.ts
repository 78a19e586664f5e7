/**
 * The mesh as a witness (C2SP tlog-witness): it cosigns the checkpoint of a verifier's tree once the proof holds that the tree it saw last is
 * the beginning of this one. It never signs two histories of one verifier's log; a log id that somebody else claimed goes to who ships the log.
 */
import { verifyKeyOf } from '../../../protocol/ed25519/verify.js';
import { parsePublicKey } from '../../../protocol/identity/keys.js';
import { objectOf, ShapeError } from '../../../protocol/json/shape.js';
import type { Json } from '../../../protocol/json/values.js';
import { noteSignatureHolds, writeNote } from '../../../protocol/transparency/note.js';
import { isConsistent } from '../../../protocol/transparency/tree.js';
import { MAX_CHECKPOINT, MAX_PROOF_HASHES } from '../../limits.js';
import { isLogId } from '../../log/head.js';
import { cosignTree, readTreeNote, type TreeCheckpoint } from '../../log/tree-witness.js';
import type { LogEnd } from '../../log/store.js';
import { Refused } from '../../refusal.js';
import type { Member } from '../../roster/member.js';
import { schemaMembers } from '../../schemas.js';
import { jsonBody } from '../http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from '../http/exchange.js';
import { requireOwner } from '../logs.js';
import type { MeshServer } from '../mesh-server.js';
import type { KeptTree } from './known-trees.js';

/** What a question to the witness takes of the byte rate of its API key: a signature and a durable commit. */
const COST_BYTES = 16 * 1024;

/** `POST /v1/logs/tree`: kept first and durably, then cosigned. */
export async function witnessTree(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const asked = readAsked(jsonBody(request));
  const { checkpoint, publicKey } = asked;
  requireRate(server, caller);
  const member = await signerOnRoster(server, asked, caller);
  const end = await server.store.logs.end(checkpoint.logId);
  if (end !== null) await requireOwner(server, end.keyId, caller);
  const known = await server.trees.find(checkpoint.logId);
  const isLetGo = known !== null && (await isLetGoTo(caller, server, { known, end, publicKey }));
  // Who knows of nothing that was seen begins anew.
  requireSameHistory(server, isLetGo && asked.old === 0 ? null : known, asked);
  const { keyId } = caller.key;
  const tree = { keyId, publicKey, checkpoint, text: asked.text };
  const sight = { at: server.clock.wall(), ephemeral: member.ephemeral };
  if (!(await server.trees.keep(tree, known, sight)))
    throw new Refused('VERSION_CONFLICT', 'The mesh has seen another checkpoint of this log meanwhile: ask again.');
  return seen(server, checkpoint, caller);
}

/** `GET /v1/logs/tree`: what the mesh has seen last of a log, cosigned anew. */
export async function readTree(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const logId = request.query.get('log');
  if (logId === null || !isLogId(logId)) throw new ShapeError('"log" is not a log id');
  requireRate(server, caller);
  const known = await server.trees.find(logId);
  return known === null ? jsonReply(200, { checkpoint: null }) : seen(server, known.checkpoint, caller);
}

async function seen(server: MeshServer, checkpoint: TreeCheckpoint, caller: Caller): Promise<Reply> {
  const { publicKey } = server.options;
  const time = Math.floor(server.clock.wall() / 1000);
  const line = await cosignTree(checkpoint, publicKey, time, server.sign, { keyId: caller.key.keyId });
  const { text, signatures } = checkpoint.note;
  return jsonReply(200, { checkpoint: writeNote({ text, signatures: [...signatures, line] }) });
}

function requireRate(server: MeshServer, caller: Caller): void {
  if (server.shipping.takes(caller.key.keyId, COST_BYTES, server.clock.up())) return;
  throw new Refused('BUSY', 'This key asks for more cosignatures than the mesh gives; ask again in a moment.');
}

/** A question to the witness, as read. */
interface Asked {
  readonly publicKey: string;
  /** How many entries the mesh is taken to have seen. */
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: TreeCheckpoint;
  readonly text: string;
}

function readAsked(value: Json): Asked {
  const object = objectOf(value, 'the request', ...schemaMembers('WitnessedTree'));
  const { public_key: publicKey, old, proof, checkpoint: text } = object;
  if (typeof publicKey !== 'string' || !/^ed25519:[0-9a-f]{64}$/.test(publicKey))
    throw new ShapeError('"public_key" is not an Ed25519 public key');
  if (typeof old !== 'number' || !Number.isSafeInteger(old) || old < 0) throw new ShapeError('"old" is not a size');
  if (!Array.isArray(proof) || proof.length > MAX_PROOF_HASHES)
    throw new ShapeError(`"proof" is not a list of up to ${MAX_PROOF_HASHES} hashes`);
  if (typeof text !== 'string' || text.length > MAX_CHECKPOINT)
    throw new ShapeError(`"checkpoint" is not a signed note of up to ${MAX_CHECKPOINT} characters`);
  const checkpoint = readTreeNote(text);
  if (checkpoint.note.signatures.length !== 1)
    throw new ShapeError('the checkpoint has another signature beside its verifier\u2019s');
  if (checkpoint.head.size === 0) throw new ShapeError('the tree has no entries');
  if (old > checkpoint.head.size) throw new ShapeError('"old" is larger than the tree');
  return { publicKey, old, proof: (proof as readonly Json[]).map(readHash), checkpoint, text };
}

function readHash(value: Json): Uint8Array {
  const bytes = typeof value === 'string' && value.length === 44 ? Buffer.from(value, 'base64') : null;
  if (bytes?.length !== 32 || bytes.toString('base64') !== value)
    throw new ShapeError('"proof" holds something that is no hash of 32 bytes in base64');
  return bytes;
}

async function signerOnRoster(server: MeshServer, { publicKey, checkpoint }: Asked, caller: Caller): Promise<Member> {
  // Another server on the store may have let it in a moment ago.
  await server.roster.readOthers();
  const member = server.roster.member(publicKey);
  if (member === null || member.keyId !== caller.key.keyId) {
    const message =
      'This verifier is not on the roster under this API key: it is once it has listened (aip mesh follow).';
    throw new Refused('FORBIDDEN', message, { verifier: publicKey });
  }
  if (server.roster.isDenied(publicKey))
    throw new Refused('KEY_DENIED', 'The key of this verifier is stopped: nothing that it signs is cosigned.', {
      subject: publicKey,
    });
  const raw = parsePublicKey(publicKey);
  const key = raw === null ? null : verifyKeyOf(raw);
  const { note, head } = checkpoint;
  if (key === null || noteSignatureHolds(note, { name: head.origin, algorithm: 'ed25519', key }) === null)
    throw new Refused('SIGNATURE_INVALID', 'The checkpoint is not signed with the key of this verifier.');
  return member;
}

/** Whose tree is known, who ships the log, and who asks now. */
interface Claim {
  readonly known: KeptTree;
  readonly end: LogEnd | null;
  readonly publicKey: string;
}

/**
 * A log stays its verifier's until that one is taken off the roster or stopped, or its API key is revoked. True where its history is
 * let go as well: it was stopped, or it never shipped the log, and another does or its API key is revoked.
 * @throws Refused FORBIDDEN where the log is still another verifier's
 */
async function isLetGoTo(caller: Caller, server: MeshServer, { known, end, publicKey }: Claim): Promise<boolean> {
  if (known.publicKey === publicKey) return false;
  const isSameKey = known.keyId === caller.key.keyId;
  const owner = isSameKey ? caller.key : await server.store.keys.find(known.keyId);
  const isRevoked = owner === null || owner.revokedAt !== null;
  const isShippedHere = end !== null && !isSameKey && end.keyId === caller.key.keyId;
  if (server.roster.isDenied(known.publicKey)) return true;
  if (isRevoked || isShippedHere) return end?.keyId !== known.keyId;
  if (isSameKey && server.roster.member(known.publicKey) === null) return false;
  const remedy = isSameKey
    ? `have that key stopped (aip revoke ${known.publicKey})`
    : `ship the log (aip mesh follow), or have the API key of that verifier revoked (aip mesh key revoke ${known.keyId})`;
  throw new Refused(
    'FORBIDDEN',
    `The verifier ${known.publicKey} has shown the mesh a tree under the id of this log: ${remedy}.`,
    { verifier: known.publicKey, key_id: known.keyId },
  );
}

function requireSameHistory(server: MeshServer, known: KeptTree | null, { old, proof, checkpoint }: Asked): void {
  const { head } = checkpoint;
  const last = known?.checkpoint.head ?? null;
  const size = last?.size ?? 0;
  if (head.size < size) {
    server.shipping.older++;
    const message = `The mesh has seen ${size} entries of this log, and this checkpoint is of ${head.size}: its end was cut off, or an older copy is in its place.`;
    throw new Refused('LOG_FORK', message, { kind: 'older', size });
  }
  if (old !== size)
    throw new Refused('VERSION_CONFLICT', `The mesh has seen ${size} entries of this log: the proof begins there.`, {
      size,
    });
  if (last === null ? proof.length === 0 : isConsistent(last, head, proof)) return;
  if (last === null) throw new ShapeError('"proof" holds hashes where nothing is to be proved');
  server.shipping.forked++;
  throw new Refused('LOG_FORK', `The mesh has seen another history of this log, of ${size} entries.`, {
    kind: 'fork',
    size,
  });
}
