/** Who has to approve, as the red team reads it in a passport, and the throwaway keys that stand in for theirs. */
import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import { SELF, type PersonsWord } from '../scene.js';
import { jcs, pairOf, type Pair } from '../signing.js';

/** An approver whom a passport names. */
export interface NamedPerson {
  readonly id: string;
  readonly key: string;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Those whom the value of a `require_approval` names; null where the principal approves. */
export function peopleIn(value: Json): readonly NamedPerson[] | null {
  const named = isObject(value) ? value['approvers'] : undefined;
  if (!Array.isArray(named)) return null;
  return (named as readonly Json[])
    .filter(isObject)
    .map(({ id, public_key }) => ({ id: String(id), key: String(public_key) }));
}

/** How many of them it demands. */
export function countIn(value: Json): number {
  const count = isObject(value) ? value['count'] : undefined;
  return typeof count === 'number' ? count : 1;
}

/** Longest time that it lets an approval count, in ms. */
export function ttlIn(value: Json): number {
  const ttl = isObject(value) ? value['ttl'] : undefined;
  const [, number, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(typeof ttl === 'string' ? ttl : '1h') ?? [];
  return number === undefined ? 0 : Number(number) * UNITS_MS[unit!]!;
}

const NEEDLESS_ESCAPE = /%(2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/g;

/** An id as people are told apart by it. */
export function personOf(id: string): string {
  return id
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .toLowerCase()
    .replace(NEEDLESS_ESCAPE, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)).toLowerCase())
    .replace(/^(did:web:[^:%]*?)\.+(?=[:%]|$)/, '$1');
}

/** A word for each person, by the first of that person's keys. */
export function personsWords(people: readonly NamedPerson[] | null): readonly PersonsWord[] {
  if (people === null) return [{ approver: SELF.principal, key: SELF.principal }];
  const first = new Map<string, PersonsWord>();
  for (const { id, key } of people) if (!first.has(personOf(id))) first.set(personOf(id), { approver: id, key });
  return [...first.values()];
}

/** The word of as many as the value demands. */
export function enoughFor(value: Json): readonly PersonsWord[] {
  return personsWords(peopleIn(value)).slice(0, countIn(value));
}

const standIns = new Map<string, Pair>();

/** The pair that stands in for an approver's key; that of a key that stands in is itself. */
export function approverPair(publicKey: string): Pair {
  let pair = standIns.get(publicKey);
  if (pair === undefined) {
    pair = pairOf(`approver ${publicKey}`);
    standIns.set(publicKey, pair).set(pair.text, pair);
  }
  return pair;
}

/** The passport with keys that stand in for those of approvers; the agent's own key is `own` there as well. */
export function withApproversStandingIn(passport: JsonObject, own: string): JsonObject {
  const { constraints, public_key: agentKey } = passport;
  const rule = isObject(constraints ?? null) ? (constraints as JsonObject)['require_approval'] : undefined;
  if (rule === undefined || !isObject(rule)) return passport;
  const standIn = (each: Json): Json => {
    const key = isObject(each) ? each['public_key'] : undefined;
    if (typeof key !== 'string') return each;
    return { ...(each as JsonObject), public_key: key === agentKey ? own : approverPair(key).text };
  };
  const named = (value: JsonObject): JsonObject =>
    Array.isArray(value['approvers'])
      ? { ...value, approvers: (value['approvers'] as readonly Json[]).map(standIn) }
      : value;
  const inner = rule['value'];
  const require_approval = inner !== undefined && isObject(inner) ? { ...rule, value: named(inner) } : named(rule);
  return { ...passport, constraints: { ...(constraints as JsonObject), require_approval } };
}

/** `sha256:` and the hash of a document's RFC 8785 bytes. */
export function jcsHash(document: JsonObject): string {
  return `sha256:${createHash('sha256').update(jcs(document)).digest('hex')}`;
}

/** What an approval of an intent is of, under a passport. */
export function approvedHash(intent: JsonObject, passport: JsonObject): string {
  const { agent_id, action, params, target = null } = intent;
  return jcsHash({ agent_id: agent_id!, action: action!, params: params!, target, passport_hash: jcsHash(passport) });
}
