/** A did.json belongs to a domain, not to one program: what others wrote in it stays. */
import { ShapeError } from '../json/shape.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';

/** A DID document with an agent's keys put in and what others wrote kept. */
export interface MergedDocument {
  readonly document: JsonObject;
  /** Ids of the keys and services of others that stay. */
  readonly kept: readonly string[];
  /** Ids of own keys that are taken out: the passport does not name them any more. */
  readonly removed: readonly string[];
}

/**
 * The document of `did` as it stands, with our keys in it.
 * @param standing what is served today.
 * @param fresh what we would write in its place.
 * @param isOwn true for the id of a key that only we hand out: of these, what `fresh` does not name is taken out.
 * @throws ShapeError when `standing` is another's document, or gives one of our ids to another key.
 */
export function mergeDidDocument(standing: Json, fresh: JsonObject, isOwn: (keyId: string) => boolean): MergedDocument {
  if (!isObject(standing)) throw new ShapeError('it is not a JSON object');
  if (standing.id !== fresh.id) throw new ShapeError(`it is not the document of ${String(fresh.id)}`);
  const did = String(fresh.id);
  const ours = new Map(listOf(fresh, 'verificationMethod').map((entry) => [idOf(entry, did), entry]));
  const methods: Json[] = [];
  const removed: string[] = [];
  const kept: string[] = [];
  for (const entry of listOf(standing, 'verificationMethod')) {
    const id = idOf(entry, did);
    const own = id === null ? undefined : ours.get(id);
    if (own !== undefined) {
      if (!sameKey(entry, own)) throw new ShapeError(`its ${id!} is another key than the one to be published`);
      // Our own entry, with its end where it has one now; other members stay.
      methods.push({ ...(entry as JsonObject), ...(own as JsonObject) });
      ours.delete(id);
    } else if (id !== null && isOwn(id)) removed.push(id);
    else {
      methods.push(entry);
      kept.push(id ?? 'a verification method without an id');
    }
  }
  methods.push(...ours.values());
  kept.push(...listOf(standing, 'service').map((entry) => idOf(entry, did) ?? 'a service without an id'));
  const purposes = ['authentication', 'assertionMethod'].map((name): [string, Json[]] => {
    const stay = listOf(standing, name).filter((ref) => !removed.includes(idOf(ref, did) ?? ''));
    const there = new Set(stay.map((ref) => idOf(ref, did)));
    return [name, [...stay, ...listOf(fresh, name).filter((ref) => !there.has(idOf(ref, did)))]];
  });
  const contexts = [standing['@context'] ?? []].flat();
  const missing = listOf(fresh, '@context').filter((context) => !contexts.includes(context));
  return {
    document: {
      ...fresh,
      ...standing,
      '@context': [...contexts, ...missing],
      verificationMethod: methods,
      ...Object.fromEntries(purposes),
    },
    kept,
    removed,
  };
}

/** What a document holds beside `fresh`, by its ids: what is lost where it is replaced. */
export function heldByOthers(standing: Json, fresh: JsonObject): string[] {
  if (!isObject(standing)) return [];
  const did = String(fresh.id);
  const ours = new Set(listOf(fresh, 'verificationMethod').map((entry) => idOf(entry, did)));
  const found = ['verificationMethod', 'service'].flatMap((name) => {
    const value = standing[name];
    return Array.isArray(value)
      ? (value as Json[]).map((entry) => idOf(entry, did) ?? `an entry of ${name} without an id`)
      : [];
  });
  const members = Object.keys(standing).filter((name) => name !== 'service' && fresh[name] === undefined);
  return [...found.filter((id) => !ours.has(id)), ...members.map((name) => `"${name}"`)];
}

function listOf(document: JsonObject, name: string): readonly Json[] {
  const value = document[name] ?? [];
  if (!Array.isArray(value)) throw new ShapeError(`its "${name}" is not a list`);
  return value as readonly Json[];
}

/** The absolute id of an entry, or of a reference to one. */
function idOf(entry: Json, did: string): string | null {
  const id = isObject(entry) ? entry.id : entry;
  if (typeof id !== 'string') return null;
  return id.startsWith('#') ? did + id : id;
}

function sameKey(entry: Json, own: Json): boolean {
  return isObject(entry) && isObject(own) && entry.publicKeyMultibase === own.publicKeyMultibase;
}
