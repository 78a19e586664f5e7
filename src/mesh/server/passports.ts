/** The mesh as a registry of passports: it checks what a principal signed, orders it, and serves documents by their hash. */
import { canonicalize } from '../../protocol/json/canonical.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parsePrincipalId } from '../../protocol/identity/did.js';
import { acceptableKey } from '../../protocol/ed25519/acceptance.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import { sha256Hex } from '../../protocol/hash.js';
import { formatTime } from '../../protocol/time.js';
import { mayAct } from '../access/roles.js';
import { MAX_CONFIRM_WAIT_MS } from '../limits.js';
import { signerAmong, type PassportCommand } from '../passports.js';
import { refusal, Refused, type MeshRefusal } from '../refusal.js';
import type { Objections } from './committer.js';
import { statusAt } from '../standing.js';
import { canonicalSubject } from '../subject.js';
import { submitAndWait, propagationForm } from './commanding.js';
import { jsonBody, requestedReplication, waitOf } from './http/body.js';
import { pathParam } from './http/parameters.js';
import { jsonReply, textReply, type Caller, type Reply, type Request } from './http/exchange.js';
import { spendSignature } from './keys.js';
import type { MeshServer } from './mesh-server.js';
import { schemaMembers } from '../schemas.js';

const CMD_ID = /^[A-Za-z0-9_-]{8,64}$/;
/** Most principals' keys in one answer. */
const MAX_KEYS = 200;

/** Takes a passport that a registered principal signed. */
export async function publish(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const {
    cmd_id,
    passport: document,
    force,
  } = objectOf(jsonBody(request), 'the request', ...schemaMembers('Publication'));
  const cmdId = cmdIdOf(cmd_id);
  if (force !== undefined && typeof force !== 'boolean') throw new ShapeError('"force" is not true or false');
  if (document === undefined) throw new ShapeError('the request lacks "passport"');
  const passport = passportOf(document);
  if (passport.serial === 0) throw new ShapeError('the passport has no serial: renew it first');
  const refusedByStore = () => objectionTo(server, passport);
  const objection = await refusedByStore();
  if (objection !== null) throw new Refused(objection.code, objection.message, objection.details);
  requireYoung(server, force === true);
  const text = canonicalize(document);
  const command = {
    cmdId,
    action: 'publish',
    subject: passport.agent.id,
    serial: passport.serial,
    hash: passport.hash(),
    document: text,
    by: passport.document.principal,
    force: force === true && mayAct(caller.key.role, 'admin'),
  } as const;
  return carryOut(server, request, caller, command, { refusedByStore });
}

/** Why a passport is not taken from its principal now. */
async function objectionTo({ store, clock }: MeshServer, passport: Passport): Promise<MeshRefusal | null> {
  const { principal } = passport.document;
  const keys = await store.principals.list(principal);
  if (keys.length === 0)
    return refusal(
      'PRINCIPAL_UNKNOWN',
      `${principal} is not registered here: an admin does so with aip mesh principal add.`,
    );
  const signer = signerAmong(passport, keys);
  if (signer === null)
    return refusal('PASSPORT_INVALID', `The passport is not signed by a key of ${principal} that is registered here.`);
  // A key that was denied makes nothing any more, nor does a principal.
  for (const subject of [signer.publicKey, principal])
    if (statusAt(await store.standing(subject), clock.wall()) !== 'active')
      return refusal('PASSPORT_INVALID', `${subject}, which signed the passport, is stopped.`);
  return null;
}

/** Takes back what the log demands of an agent's passport. */
export async function withdraw(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { cmd_id, agent_id } = objectOf(jsonBody(request), 'the request', ...schemaMembers('Withdrawal'));
  const subject = typeof agent_id === 'string' ? canonicalSubject(agent_id) : null;
  if (subject === null) throw new ShapeError('"agent_id" is not an agent');
  const command = { cmdId: cmdIdOf(cmd_id), action: 'withdraw', subject, serial: null, hash: null } as const;
  return carryOut(server, request, caller, { ...command, document: null, by: caller.key.label, force: false });
}

/** The document with this hash. */
export async function document(
  server: MeshServer,
  _request: Request,
  _caller: Caller,
  [hash]: readonly string[],
): Promise<Reply> {
  const text = await server.store.passports.document(pathParam(hash));
  if (text === null) throw new Refused('NOT_FOUND', 'No passport with this hash was published here.');
  return textReply(200, 'application/json', text);
}

/** What is in force for an agent. */
export async function inForce(server: MeshServer, { query }: Request): Promise<Reply> {
  const subject = canonicalSubject(query.get('agent') ?? '');
  if (subject === null) throw new ShapeError('"agent" is not an agent');
  const mark = await server.store.passports.mark(subject);
  return jsonReply(200, { agent_id: subject, serial: mark?.serial ?? null, passport_hash: mark?.hash ?? null });
}

/** `POST /v1/mesh/principals`: from then on the passports that the key signs are taken. */
export async function addPrincipal(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { did, public_key } = objectOf(jsonBody(request), 'the request', ...schemaMembers('PrincipalKey'));
  const raw = typeof public_key === 'string' ? parsePublicKey(public_key) : null;
  if (typeof did !== 'string' || parsePrincipalId(did) === null) throw new ShapeError('"did" is not did:web:<domain>');
  if (raw === null || !acceptableKey(raw)) throw new ShapeError('"public_key" is not an acceptable Ed25519 public key');
  await spendSignature(server, request, caller);
  const publicKey = formatPublicKey(raw);
  const { label, keyId } = caller.key;
  const added = { did, publicKey, addedAt: server.clock.wall(), addedBy: label ?? `key:${keyId}` };
  const changed = await server.store.principals.add(added);
  return jsonReply(201, { did, public_key: publicKey, changed });
}

/** `DELETE /v1/mesh/principals/{did}`: what is in force stays in force. */
export async function removePrincipal(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [encoded]: readonly string[],
): Promise<Reply> {
  const did = pathParam(encoded);
  const key = request.query.get('key');
  const raw = key === null ? null : parsePublicKey(key);
  if (key !== null && raw === null) throw new ShapeError('"key" is not a public key');
  await spendSignature(server, request, caller);
  const removed = await server.store.principals.remove(did, raw === null ? null : formatPublicKey(raw));
  if (removed === 0) throw new Refused('NOT_FOUND', 'No such key of this principal is registered here.');
  return jsonReply(200, { did, removed });
}

/** `GET /v1/mesh/principals`. */
export async function listPrincipals(server: MeshServer): Promise<Reply> {
  const all = await server.store.principals.list(null);
  return jsonReply(200, {
    principals: all.slice(0, MAX_KEYS).map(({ did, publicKey, addedAt, addedBy }) => ({
      did,
      public_key: publicKey,
      added_at: formatTime(addedAt),
      added_by: addedBy,
    })),
    more: Math.max(0, all.length - MAX_KEYS),
  });
}

async function carryOut(
  server: MeshServer,
  request: Request,
  caller: Caller,
  command: PassportCommand,
  objections: Omit<Objections, 'refused'> = {},
): Promise<Reply> {
  const signed = await server.gate.signature(request, caller);
  const { cmdId, action, subject, serial, hash } = command;
  const digest = sha256Hex(canonicalize({ action, subject, serial, hash }));
  const proposal = {
    command,
    digest,
    operator: { key_id: caller.key.keyId, signed: signed?.mark ?? null },
    nonce: signed?.nonce ?? null,
  };
  const { answer, propagation } = await submitAndWait(
    server,
    proposal,
    waitOf(request, 0, MAX_CONFIRM_WAIT_MS),
    requestedReplication(request, server.options.region ?? null),
    objections,
  );
  return jsonReply(200, {
    agent_id: subject,
    serial,
    passport_hash: hash,
    seq: answer.seq,
    cmd_id: cmdId,
    durable: true,
    ...propagationForm(propagation),
    changed: answer.changed,
  });
}

/** A verifier of the first version hears nothing of passports: what is narrowed here stays wide there. */
function requireYoung(server: MeshServer, force: boolean): void {
  if (force) return;
  const older = server.roster.all().filter(({ program }) => program === null);
  if (older.length === 0) return;
  const names = older.slice(0, 5).map(({ label }) => label);
  throw new Refused(
    'OLDER_VERIFIERS',
    `${names.join(', ')}${older.length > 5 ? ` and ${older.length - 5} more` : ''} would not hear of it, being of an older version: upgrade (aip help upgrade), or say --force.`,
    { older: older.length },
  );
}

function cmdIdOf(value: unknown): string {
  if (typeof value !== 'string' || !CMD_ID.test(value))
    throw new ShapeError('"cmd_id" is not 8 to 64 letters, digits, "-" or "_"');
  return value;
}
