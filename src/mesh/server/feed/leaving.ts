/** How a verifier comes off the roster: it leaves, or an admin takes it off. */
import { Refused } from '../../refusal.js';
import { readLeaving } from '../../roster/member.js';
import { spendSignature } from '../keys.js';
import { jsonBody } from '../http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from '../http/exchange.js';
import { pathParam } from '../http/parameters.js';
import type { MeshServer } from '../mesh-server.js';

/** A verifier stops listening, and has written down that its machine follows no more: it is taken off the roster. */
export async function leave(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const leaving = readLeaving(jsonBody(request), server.options.verify);
  if (leaving.key_id !== caller.key.keyId || !server.roster.leave(leaving.public_key, caller.key.keyId))
    throw new Refused('NOT_FOUND', 'This verifier is not on the roster under this key.');
  server.pollers.delete(leaving.public_key);
  server.hub.closeVerifier(leaving.public_key);
  return jsonReply(200, { left: true });
}

/** At a server that follows another one: home has heard that the verifier leaves. */
export function forgetLeaver(server: MeshServer, request: Request): void {
  const { public_key } = readLeaving(jsonBody(request), server.options.verify);
  server.hub.closeVerifier(public_key);
  server.pollers.delete(public_key);
  // Home would be told for ever that it is here, and put it back on the roster.
  server.options.upstream?.heard(public_key, null);
}

/** An admin takes a verifier off that will not come back. */
export async function forget(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [name]: readonly string[],
): Promise<Reply> {
  await spendSignature(server, request, caller);
  const found = await server.roster.forget(pathParam(name));
  if (found === null) throw new Refused('NOT_FOUND', 'There is no such verifier on the roster.');
  server.pollers.delete(found.verifier);
  server.hub.closeVerifier(found.verifier);
  return jsonReply(200, { verifier: found.verifier, label: found.label, forgotten: true });
}
