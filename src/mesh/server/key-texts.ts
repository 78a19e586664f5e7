/**
 * Keys that are named by their ids. An id can be given to another key, so what stops a key is its text: the id is resolved by the
 * passports and the principals' keys that the mesh knows (protocol, section 1).
 */
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { readPassport, type Passport, type PassportKey } from '../../protocol/passport.js';
import { signerAmong, type PassportMark } from '../passports.js';
import type { Command } from '../command.js';
import type { MeshStore } from '../log/store.js';
import { statusAt, type Status } from '../standing.js';
import { isNamedKey, principalOf, scopeOf } from '../subject.js';

/** Most passports of a principal that are read to learn which of its keys has an id. */
const MAX_READ = 200;

/** Most passports that are searched for the text of a key. */
const MAX_SEARCHED = 5_000;

type MeshRecords = Pick<MeshStore, 'passports' | 'principals' | 'notes'>;

/** The text of the key that `keyId` names, `ed25519:` and hex; null where the mesh does not know it. */
export async function keyTextOf(store: MeshRecords, keyId: string): Promise<string | null> {
  const holder = keyId.slice(0, keyId.indexOf('#'));
  const known =
    scopeOf(holder) === 'principal' ? await issuerText(store, holder, keyId) : await agentText(store, holder, keyId);
  return known ?? (await store.notes.get(noteOf(keyId)));
}

/** True where the mesh knows a subject: by its standing, a passport that was published, or a principal that is registered. */
export async function isKnown(store: MeshRecords & Pick<MeshStore, 'standing'>, subject: string): Promise<boolean> {
  if ((await store.standing(subject)) !== null) return true;
  const scope = scopeOf(subject);
  if (scope === 'mesh') return true;
  if (scope === 'agent') return (await store.passports.mark(subject)) !== null;
  if (scope === 'key' && isNamedKey(subject)) return (await keyTextOf(store, subject)) !== null;
  const keys = await store.principals.list(scope === 'principal' ? subject : null);
  if (keys.some(({ did, publicKey }) => did === subject || publicKey === subject)) return true;
  const marks = await store.passports.marks();
  if (scope === 'principal') return marks.some(({ agent }) => principalOf(agent) === subject);
  for (const { hash } of marks.slice(0, MAX_SEARCHED)) {
    const text = hash === null ? null : await store.passports.document(hash);
    if (text?.includes(`"${subject}"`) === true) return true;
  }
  return false;
}

/** The order as it is carried out: a key that is to be stopped is named by its text where that is known here, or to the one who asks. */
export async function withKeyText(store: MeshRecords, command: Command): Promise<Command> {
  const { subject, action, keyText = null } = command;
  // A reinstatement names the very subject whose version it undoes.
  if (action === 'reinstate' || !isNamedKey(subject)) return command;
  const text = (await keyTextOf(store, subject)) ?? keyText;
  return text === null ? command : { ...command, subject: text, keyId: subject };
}

/** Keeps what an order was resolved by: the passport that told it may be replaced, and the id is still asked about. */
export async function rememberKeyText(
  store: Pick<MeshStore, 'notes'>,
  { keyId, subject }: Pick<Command, 'keyId' | 'subject'>,
): Promise<void> {
  if (keyId === undefined) return;
  await store.notes.put(noteOf(keyId), subject);
  await store.notes.put(noteOf(subject), keyId);
}

/** The keys of the published passports, by their texts: each passport is read once, however often it is asked whose a key is. */
export class PassportKeys {
  readonly #read = new Set<string>();
  readonly #holders = new Map<string, string>();

  /** An id of the key; null where no passport has it. `learn` comes before. */
  holder(text: string): string | null {
    return this.#holders.get(text) ?? null;
  }

  async learn({ passports }: Pick<MeshRecords, 'passports'>): Promise<void> {
    for (const mark of (await passports.marks()).slice(0, MAX_SEARCHED)) {
      if (mark.hash === null || this.#read.has(mark.hash)) continue;
      for (const { keyId, text } of keysOf(await inForce({ passports }, mark)))
        if (!this.#holders.has(text)) this.#holders.set(text, keyId);
      this.#read.add(mark.hash);
    }
  }
}

/** Whose each of these keys is, by its text: an id of the key, or the principal that it is registered for. Without those that the mesh does not know. */
export async function keyHolders(
  store: MeshRecords,
  texts: readonly string[],
  published: PassportKeys,
): Promise<ReadonlyMap<string, string>> {
  const holders = new Map<string, string>();
  if (texts.length === 0) return holders;
  for (const { did, publicKey } of await store.principals.list(null)) holders.set(publicKey, did);
  for (const text of texts) {
    const keyId = await store.notes.get(noteOf(text));
    if (keyId !== null) holders.set(text, keyId);
  }
  const rest = texts.filter((text) => !holders.has(text));
  if (rest.length > 0) await published.learn(store);
  for (const text of rest) {
    const keyId = published.holder(text);
    if (keyId !== null) holders.set(text, keyId);
  }
  return holders;
}

/** Keys of an agent's published passport that are stopped: what they sign is refused, however the agent itself stands. */
export async function stoppedKeysOf(
  store: MeshRecords & Pick<MeshStore, 'standing'>,
  agent: string,
  now: number,
): Promise<readonly { readonly keyId: string; readonly status: Status }[]> {
  const keys = [];
  for (const { keyId, text, validUntil } of await agentKeys(store, agent)) {
    if (validUntil !== null && validUntil <= now) continue;
    const status = statusAt(await store.standing(text), now);
    if (status !== 'active') keys.push({ keyId, status });
  }
  return keys;
}

async function agentText(store: MeshRecords, agent: string, keyId: string): Promise<string | null> {
  return (await agentKeys(store, agent)).find((key) => key.keyId === keyId)?.text ?? null;
}

interface AgentKey extends Pick<PassportKey, 'keyId' | 'validUntil'> {
  readonly text: string;
}

async function agentKeys(store: MeshRecords, agent: string): Promise<readonly AgentKey[]> {
  return keysOf(await inForce(store, await store.passports.mark(agent)));
}

function keysOf(passport: Passport | null): readonly AgentKey[] {
  const keys = passport === null ? [] : [passport.currentKey, ...passport.previousKeys];
  return keys.map(({ keyId, key, validUntil }) => ({ keyId, validUntil, text: formatPublicKey(key.publicKey) }));
}

/** A registered key has no id of its own: a passport says under which one it signed. */
async function issuerText(store: MeshRecords, principal: string, keyId: string): Promise<string | null> {
  const keys = await store.principals.list(principal);
  if (keys.length === 0) return null;
  const marks = (await store.passports.marks()).filter(({ agent }) => principalOf(agent) === principal);
  for (const mark of marks.slice(0, MAX_READ)) {
    const passport = await inForce(store, mark);
    if (passport?.document.issuer_key_id !== keyId) continue;
    const signer = signerAmong(passport, keys);
    if (signer !== null) return signer.publicKey;
  }
  return null;
}

async function inForce(store: Pick<MeshRecords, 'passports'>, mark: PassportMark | null): Promise<Passport | null> {
  const text = mark === null || mark.hash === null ? null : await store.passports.document(mark.hash);
  return text === null ? null : readPassport(Buffer.from(text));
}

/** By an id the text is kept, by the text the id. */
function noteOf(key: string): string {
  return `key:${key}`;
}
