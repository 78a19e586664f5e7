/**
 * An entry as a leaf of the tree. What can be erased stands in it only as a commitment, SHA-256(salt || RFC 8785 bytes of the value), so that
 * value and salt can be taken away later and every proof still holds.
 */
import { sha256Hex } from '../hash.js';
import { canonicalize, sortNames } from '../json/canonical.js';
import { emptyObject, isObject, type Json, type JsonObject } from '../json/values.js';
import type { Entry, LogRecord } from './entry.js';

/** Bytes of the salt that a commitment is made with. */
export const SALT_BYTES = 32;

/** The members that can be erased, in order; those of `params` one by one. They confirm a guess of each other, so they go together. */
const ERASABLE = {
  verification: ['details', 'error_message', 'intent_hash', 'nonce', 'params', 'signature', 'target'],
  outcome: ['detail', 'result_hash'],
  interrupted: ['intent_hash'],
  erasure: [],
} as const;

/** A record as it is hashed: `hash` may still be missing. */
export type Unhashed = { readonly [Name in keyof Entry]?: unknown } & { readonly type?: unknown };

/** The names of the slots that can be erased of this entry and hold something or did, in the order of their salts: `nonce`, `params.amount`. */
export function slotsOf(record: Unhashed): string[] {
  const erased = isRecord(record.erased) ? Object.keys(record.erased) : [];
  const slots: string[] = [];
  for (const member of erasableOf(record)) {
    if (member === 'params') {
      const gone = erased.filter((slot) => slot.startsWith('params.'));
      const names = isRecord(record.params) ? Object.keys(record.params).map((name) => `params.${name}`) : [];
      slots.push(...sortNames(gone.length === 0 ? names : [...new Set([...names, ...gone])]));
    } else if ((record as Record<string, unknown>)[member] != null || erased.includes(member)) slots.push(member);
  }
  return slots;
}

function erasableOf(record: Unhashed): readonly string[] {
  const { type } = record;
  return type === 'outcome' || type === 'interrupted' || type === 'erasure' ? ERASABLE[type] : ERASABLE.verification;
}

/** The value in a slot; undefined where there is none. */
function valueIn(record: Unhashed, slot: string): Json | undefined {
  if (!slot.startsWith('params.')) return (record as Record<string, Json | undefined>)[slot] ?? undefined;
  const name = slot.slice('params.'.length);
  const params = record.params as JsonObject | null;
  return isRecord(params) && Object.hasOwn(params, name) ? params[name] : undefined;
}

/** Where salt and value are put beside each other; longer ones get a buffer of their own. */
const PLACE = Buffer.allocUnsafeSlow(4096);
/** Bytes of UTF-8 that a UTF-16 code unit takes at most. */
const WIDEST = 3;

/** What the log commits to of a value. */
export function commitment(salt: Uint8Array, value: Json): string {
  const text = canonicalize(value);
  const most = salt.length + text.length * WIDEST;
  const place = most > PLACE.length ? Buffer.allocUnsafe(most) : PLACE;
  place.set(salt);
  return sha256Hex(place.subarray(0, salt.length + place.write(text, salt.length)));
}

/** The names of params as they were sent whose values are withheld from the log, in the order of their salts. */
export function withheldOf(record: Unhashed): string[] {
  return isRecord(record.withheld) ? sortNames(Object.keys(record.withheld)) : [];
}

/**
 * The salts of an entry by slot, those of withheld values under `sent.<name>`; null when they are not as many as the entry needs. An erased
 * slot has none.
 */
export function saltsOf(record: Unhashed): Map<string, Uint8Array> | null {
  if (typeof record.salts !== 'string') return null;
  const bytes = Buffer.from(record.salts, 'base64');
  if (bytes.toString('base64') !== record.salts) return null;
  const erased = isRecord(record.erased) ? record.erased : {};
  const names = [...slotsOf(record), ...withheldOf(record).map((name) => `sent.${name}`)].filter(
    (name) => !Object.hasOwn(erased, name),
  );
  if (bytes.length !== names.length * SALT_BYTES) return null;
  return new Map(names.map((name, i) => [name, bytes.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES)]));
}

/**
 * What the leaf commits to: by member, and by name for params. Null when the entry cannot be read so: salts that are missing, a slot that is
 * erased and still holds a value, or what no leaf would hold: a member of that name, or something erased that no such entry has.
 */
function commitmentsOf(record: Unhashed): JsonObject | null {
  const salts = saltsOf(record);
  if (salts === null || Object.hasOwn(record, 'commitments')) return null;
  // Nothing of another kind would be hashed.
  if ([record.params, record.erased].some((held) => held != null && !isRecord(held))) return null;
  const erased = isRecord(record.erased) ? record.erased : {};
  const slots = slotsOf(record);
  if (!Object.keys(erased).every((slot) => slots.includes(slot) || isBesideSlots(record, slot, erased[slot])))
    return null;
  return committed(record, slots, (slot) => {
    const gone = Object.hasOwn(erased, slot) ? erased[slot] : undefined;
    const value = valueIn(record, slot);
    if (gone === undefined) return commitment(salts.get(slot)!, value!);
    return typeof gone !== 'string' || value !== undefined ? null : gone;
  });
}

/** True for what is listed as erased and is in no slot: the commitment to a withheld value, as it stands in the leaf, and what details said. */
function isBesideSlots({ withheld }: Unhashed, slot: string, gone: unknown): boolean {
  if (slot.startsWith('details.')) return true;
  return slot.startsWith('sent.') && isRecord(withheld) && gone === withheld[slot.slice('sent.'.length)];
}

/** The commitments of `slots` as the leaf holds them; null when one of them is. */
function committed(
  record: Unhashed,
  slots: readonly string[],
  hashOf: (slot: string, nth: number) => string | null,
): JsonObject | null {
  const made: Record<string, Json> = {};
  let params: Record<string, Json> | null = isRecord(record.params) ? blank() : null;
  for (const [nth, slot] of slots.entries()) {
    const hash = hashOf(slot, nth);
    if (hash === null) return null;
    if (slot.startsWith('params.')) (params ??= blank())[slot.slice('params.'.length)] = hash;
    else made[slot] = hash;
  }
  if (params !== null) made['params'] = params;
  return made;
}

/** The entry without the values and salts of `slots`, whose commitments stay: its hash and its leaf are as they were. */
export function erase<E extends LogRecord>(record: E, slots: readonly string[]): E {
  const salts = saltsOf(record);
  const commitments = commitmentsOf(record);
  if (salts === null || commitments === null) throw new TypeError('an entry without the salts that it needs');
  const changed = { ...record } as unknown as Record<string, unknown>;
  const erased: Record<string, string> = { ...record.erased };
  let params: Record<string, Json> | null = null;
  for (const slot of slots) {
    if (slot.startsWith('sent.')) {
      if (!salts.has(slot)) continue;
      erased[slot] = record.withheld![slot.slice('sent.'.length)]!;
    } else if (slot.startsWith('params.')) {
      const name = slot.slice('params.'.length);
      if (valueIn(record, slot) === undefined) continue;
      params ??= Object.assign(emptyObject(), (record as Entry).params);
      delete params[name];
      erased[slot] = (commitments['params'] as Record<string, string>)[name]!;
    } else {
      if (valueIn(record, slot) === undefined) continue;
      changed[slot] = null;
      erased[slot] = commitments[slot] as string;
    }
    salts.delete(slot);
  }
  if (params !== null) changed['params'] = params;
  changed['erased'] = Object.keys(erased).length === 0 ? null : erased;
  // In the order in which they are read.
  const left = [...slotsOf(changed), ...withheldOf(changed).map((name) => `sent.${name}`)].filter((slot) =>
    salts.has(slot),
  );
  changed['salts'] = Buffer.concat(left.map((slot) => salts.get(slot)!)).toString('base64');
  return changed as E;
}

/** What no leaf holds as it stands in the entry. */
const APART = ['hash', 'salts', 'erased', 'commitments'];

/** A leaf as the two halves of its canonical text, so that `hash` can be set between them. */
interface Halves {
  readonly before: string;
  readonly after: string;
}

/** The text whose SHA-256 is the entry's `hash`: the leaf without that member. Null where it has none. */
export function hashedText(record: Unhashed): string | null {
  const commitments = commitmentsOf(record);
  const halves = commitments === null ? null : halvesOf(record, commitments);
  return halves === null ? null : `{${halves.before},${halves.after}}`;
}

/** The canonical bytes of the entry with its `hash` member, as the tree holds them; null where it is no leaf. */
export function leafText(record: Unhashed & { readonly hash: string }): string | null {
  const commitments = commitmentsOf(record);
  const halves = commitments === null ? null : halvesOf(record, commitments);
  return halves === null ? null : withHash(halves, record.hash);
}

/** The same of an entry whose `hash` is that of what it holds; null where it is not, or the entry is no leaf. */
export function soundLeaf(record: Unhashed & { readonly hash: string }): string | null {
  const commitments = commitmentsOf(record);
  const halves = commitments === null ? null : halvesOf(record, commitments);
  return halves === null || hashOf(halves) !== record.hash ? null : withHash(halves, record.hash);
}

/**
 * The hash of a new entry, and its leaf; `salts` are those of its `slots`, one after another. Throws TypeError on what has no canonical form.
 */
export function sealedLeaf(
  record: Unhashed,
  slots: readonly string[],
  salts: Uint8Array,
): { readonly hash: string; readonly leaf: string } {
  const saltOf = (nth: number): Uint8Array => salts.subarray(nth * SALT_BYTES, (nth + 1) * SALT_BYTES);
  const commitments = committed(record, slots, (slot, nth) => commitment(saltOf(nth), valueIn(record, slot)!))!;
  const halves = halvesOf(record, commitments)!;
  const hash = hashOf(halves);
  return { hash, leaf: withHash(halves, hash) };
}

function hashOf({ before, after }: Halves): string {
  return sha256Hex(`{${before},${after}}`);
}

function withHash({ before, after }: Halves, hash: string): string {
  return `{${before},"hash":${canonicalize(hash)},${after}}`;
}

function halvesOf(record: Unhashed, commitments: JsonObject): Halves | null {
  let [before, after] = ['', ''];
  for (const { name, label, isBefore } of membersOfLeaf(record)) {
    const value = name === 'commitments' ? commitments : (record as Record<string, Json>)[name]!;
    const text = label + canonicalize(value);
    if (isBefore) before += before === '' ? text : `,${text}`;
    else after += after === '' ? text : `,${text}`;
  }
  return after === '' ? null : { before, after };
}

interface LeafMember {
  readonly name: string;
  /** The name as the leaf's text has it, and a colon. */
  readonly label: string;
  /** Stands before `hash`. */
  readonly isBefore: boolean;
}

/** By the names of a record: all of one kind have the same. */
const LEAF_MEMBERS = new Map<string, readonly LeafMember[]>();
/** Records of others may have any names. */
const MOST_KINDS = 16;

/** The members of a leaf in their order. */
function membersOfLeaf(record: Unhashed): readonly LeafMember[] {
  const all = Object.keys(record);
  const kind = `${String(record.type)} ${JSON.stringify(all)}`;
  let members = LEAF_MEMBERS.get(kind);
  if (members === undefined) {
    const left = [...APART, ...erasableOf(record)];
    const names = sortNames([...all.filter((name) => !left.includes(name)), 'commitments']);
    members = names.map((name) => ({ name, label: `${canonicalize(name)}:`, isBefore: name < 'hash' }));
    if (LEAF_MEMBERS.size < MOST_KINDS) LEAF_MEMBERS.set(kind, members);
  }
  return members;
}

function blank(): Record<string, Json> {
  // A param may be named `__proto__`.
  return Object.create(null) as Record<string, Json>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && isObject(value as Json);
}
