/** A passport across two machines: the agent's key is made where the agent lives, its principal signs elsewhere, and no private key travels. */
import { agentId as formatAgentId, keyId as formatKeyId, keyNumber, principalId } from '../../protocol/identity/did.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { toHex } from '../../protocol/hex.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { DEFAULT_MAX_SKEW_S } from '../../protocol/limits.js';
import type { Passport, PassportDocument } from '../../protocol/passport.js';
import {
  REQUEST_TERM_MS,
  passportRequestBytes,
  type PassportRequestDocument,
  type WellFormedRequest,
} from '../../protocol/passport-request.js';
import { formatSeconds } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import { createKey, discardKey, findKey, type HeldKey } from '../keys/keyring.js';
import { looksLikeKeyAddress } from '../../protocol/identity/key-address.js';
import { issuerKey } from '../keys/principals.js';
import type { KeyPlace, KeyRecord, State } from '../ports/state.js';
import { nextSerial } from './floors.js';
import {
  checkDraft,
  PLACEHOLDER_KEY,
  putInForce,
  signPassport,
  wrongDomain,
  wrongName,
  type IssueDeps,
} from './issue.js';

/** What an agent asks for. */
export interface Terms {
  readonly name: string;
  readonly domain: string;
  readonly actions: PassportDocument['actions'];
  readonly constraints: JsonObject;
}

/** What a request needs: the keys that are known here, beside what issuing does. */
export interface RequestDeps extends IssueDeps {
  readonly state: IssueDeps['state'] & Pick<State, 'keys'>;
}

/**
 * Makes the agent's key here, and writes what it asks its principal for. A request that was lost, or is too old to be signed, is made
 * again with the key of the first.
 * @throws Failure USAGE (terms that no passport could hold), EXISTS, KEYSTORE_*
 */
export async function requestPassport(
  deps: RequestDeps,
  { name, domain, actions, constraints }: Terms,
  keyStore: KeyPlace,
  write: (text: string) => Promise<void>,
): Promise<{ readonly request: PassportRequestDocument; readonly key: KeyRecord }> {
  const wrong = wrongName(name) ?? wrongDomain(domain);
  if (wrong !== null) throw new Failure('USAGE', wrong);
  const agent = formatAgentId(domain, name);
  checkDraft(deps, { ...draftOf(agent, domain, name), actions, constraints, issued_at: formatSeconds(deps.clock()) });
  const { key, isNew } = await requestingKey(deps, agent, keyStore);
  try {
    const unsigned = {
      ...({ type: 'passport-request', version: 1 } as const),
      ...{ agent_id: agent, key_id: key.keyId, public_key: formatPublicKey(key.publicKey), actions, constraints },
      ...{ requested_at: formatSeconds(deps.clock()), nonce: toHex(deps.random(16)) },
    };
    const request = { ...unsigned, signature: toHex(await key.sign(passportRequestBytes(unsigned))) };
    await write(`${JSON.stringify(request, null, 2)}\n`);
    return { request, key: key.record };
  } catch (error) {
    if (isNew) await discardKey(deps, key.record);
    throw error;
  }
}

/** A new key, or the one that an earlier request of this home named and no passport carries yet. */
async function requestingKey(
  deps: RequestDeps,
  agent: string,
  place: KeyPlace,
): Promise<{ readonly key: HeldKey & { readonly record: KeyRecord }; readonly isNew: boolean }> {
  const keyId = formatKeyId(agent, 1);
  const made = deps.state.key(keyId);
  // Under whatever number its principal gave it: its place is still that of the request.
  if (deps.state.passport(agent) !== null && deps.state.keys().some((key) => keyNumber(agent, key.keyId) !== null))
    throw new Failure('EXISTS', `${agent} has a passport here, and its key.`, {
      hint: 'its principal changes what it may do: aip passport update <agent>; another key: aip passport rotate <agent>',
    });
  try {
    return { key: await createKey(deps, keyId, place), isNew: true };
  } catch (error) {
    const stands = error instanceof Failure && error.code === 'EXISTS' && made?.store === place;
    if (!stands || looksLikeKeyAddress(place)) throw error;
    // Another file than the one that the key was written to is not looked into.
    if ((await deps.store(place)).refOf(keyId) !== made.ref) throw error;
    return { key: await findKey(deps, keyId, place), isNew: false };
  }
}

/** What signing a requested passport needs. */
export interface SignDeps extends IssueDeps {
  readonly state: IssueDeps['state'] & Pick<State, 'transact'>;
}

/** What `passport sign` is about to sign. */
export interface RequestedDraft {
  readonly after: Omit<PassportDocument, 'issuer_signature'>;
  /** The key that the agent is known with here, where it is another one. */
  readonly replaces: string | null;
}

/**
 * The passport that a request asks for. Nothing is signed.
 * @throws Failure USAGE for a request that is too old, dated ahead, was signed before, or asks for what no passport could hold
 */
export function draftRequested(
  deps: SignDeps,
  { document, agent, requestedAt }: WellFormedRequest,
  expiresInMs: number | null,
): RequestedDraft {
  const now = deps.clock();
  if (now - requestedAt > REQUEST_TERM_MS)
    throw new Failure('USAGE', `The request was made at ${document.requested_at}, more than 7 days ago.`, {
      hint: 'make it again where the agent lives: aip passport request <name>',
    });
  if (requestedAt - now > DEFAULT_MAX_SKEW_S * 1000)
    throw new Failure('USAGE', `The request is dated ahead: ${document.requested_at}.`, {
      hint: 'check the clocks of both machines: aip doctor',
    });
  if (deps.state.transact((ledger) => ledger.nonceRecord(ledgerName(agent.id), document.nonce)) !== null) throw twice();
  const known = deps.state.passport(agent.id);
  const before = known === null ? null : (JSON.parse(known.text) as PassportDocument);
  const knownKey = before?.public_key ?? null;
  const serial = nextSerial(deps.state.floors(agent.id), 0);
  const after = {
    ...draftOf(agent.id, agent.domain, agent.name),
    serial,
    ...{ key_id: keyIdFor(document, agent.id, before, serial), public_key: document.public_key },
    ...{ actions: document.actions, constraints: document.constraints },
    ...{ issued_at: formatSeconds(now), expires_at: expiresInMs === null ? null : formatSeconds(now + expiresInMs) },
  };
  checkDraft(deps, after);
  return { after, replaces: knownKey === document.public_key ? null : knownKey };
}

/**
 * A key id names one key for good, for logs, denials and proofs name keys by it. No agent had more keys than serials, so that the
 * serial is a number that no key of it had, also where the passport is known no longer.
 */
function keyIdFor(
  { key_id, public_key }: PassportRequestDocument,
  agent: string,
  before: PassportDocument | null,
  serial: number,
): string {
  const keys = before === null ? [] : [before, ...before.previous_keys];
  const same = keys.find((key) => key.public_key === public_key);
  if (same !== undefined) return same.key_id;
  if (keys.length === 0 && serial === 1) return key_id;
  return formatKeyId(agent, Math.max(serial, ...keys.map((key) => (keyNumber(agent, key.key_id) ?? 0) + 1)));
}

/** Has the principal sign the draft, once. @throws Failure as `issuerKey`; USAGE where another process was first */
export async function signRequested(
  deps: SignDeps,
  { document, agent, requestedAt }: WellFormedRequest,
  { after }: RequestedDraft,
  path: string | null,
): Promise<Passport> {
  // What could fail is tried before the request is used up.
  if (path !== null && (await deps.files.exists(path)))
    throw new Failure('EXISTS', `${path} exists already.`, {
      hint: 'replace it with --force, or choose another place with --out',
    });
  const issuer = await issuerKey(deps, principalId(agent.domain), null);
  // Signed before it is spent: a key that does not answer now must not use the request up.
  const passport = await signPassport({ ...after, issuer_key_id: issuer.key.keyId }, issuer.key);
  await putInForce(deps, passport, { path, how: 'create' }, (ledger) => {
    if (ledger.nonceRecord(ledgerName(agent.id), document.nonce) !== null) throw twice();
    const keepUntil = requestedAt + REQUEST_TERM_MS + DEFAULT_MAX_SKEW_S * 1000;
    ledger.spendNonce(ledgerName(agent.id), document.nonce, deps.clock(), 'accepted', keepUntil);
  });
  return passport;
}

/** Nonces of requests are apart from those of the agent's intents. */
const ledgerName = (agentId: string): string => `passport-request ${agentId}`;

function twice(): Failure {
  return new Failure('USAGE', 'The request was signed before: a request is signed once.', {
    hint: 'aip passport show <agent>; to change what it may do: aip passport update <agent>',
  });
}

function draftOf(agent: string, domain: string, name: string) {
  const principal = principalId(domain);
  return {
    ...({ version: 1, agent_id: agent, agent_name: name, domain, principal } as const),
    ...{ key_id: formatKeyId(agent, 1), public_key: formatPublicKey(PLACEHOLDER_KEY) },
    ...{ denied_actions: [], metadata: {}, expires_at: null, previous_keys: [] },
    issuer_key_id: formatKeyId(principal, 1),
  };
}
