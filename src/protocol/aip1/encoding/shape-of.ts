/**
 * The shapes of AIP-1 documents: which members an object has, what the reference writes where one is absent, and the text that is
 * signed. A document's shape is fixed, so its members are put in order once, and not for every document.
 */
import { ShapeError } from '../../json/shape.js';
import { lazy } from '../../lazy.js';
import { referenceText } from './canonical.js';
import { isList, type Value, type ValueObject } from './numbers.js';

/** What a member holds: `REQUIRED` has no default, an object of another shape, or a list of such. */
export const REQUIRED = Symbol('required');
type Fallback = Value | typeof REQUIRED;
interface Nested {
  readonly of: Shape;
  readonly list: boolean;
  readonly fallback: Fallback;
}

interface Slot {
  readonly name: string;
  /** The name as it is signed, with its quotes and colon. */
  readonly label: string;
  readonly fallback: Fallback;
  readonly nested: Nested | null;
}

/** The members that a document of one kind has. */
export interface Shape {
  readonly what: string;
  /** By name, which for the ASCII names of these documents is by code point and by UTF-16 unit. */
  readonly slots: () => readonly Slot[];
}

/** A member that is an object of the shape `of`. */
export function nested(of: Shape, fallback: Fallback = REQUIRED): Nested {
  return { of, list: false, fallback };
}

/** A member that is a list of objects of the shape `of`. */
export function listed(of: Shape): Nested {
  return { of, list: true, fallback: [] };
}

/** A shape that messages call `what`. */
export function shape(what: string, members: Readonly<Record<string, Fallback | Nested>>): Shape {
  // Most intents are native ones, which none of these shapes is for.
  const slots = lazy(() =>
    Object.keys(members)
      .sort()
      .map((name): Slot => {
        const member = members[name]!;
        const inner = isNested(member) ? member : null;
        return {
          name,
          label: `${JSON.stringify(name)}:`,
          fallback: inner === null ? (member as Fallback) : inner.fallback,
          nested: inner,
        };
      }),
  );
  return { what, slots };
}

function isNested(member: Fallback | Nested): member is Nested {
  return typeof member === 'object' && member !== null && 'of' in member;
}

/**
 * The object with every member of its shape, at every depth, or the very same object when none was absent. Unknown members are
 * refused: the reference drops them from the signed bytes, so they would be read without being signed.
 * @throws ShapeError
 */
export function filled(value: Value | undefined, { what, slots }: Shape): ValueObject {
  if (typeof value !== 'object' || value === null || isList(value)) throw new ShapeError(`${what} is not an object`);
  let present = 0;
  let changed: Record<string, Value> | null = null;
  for (const { name, fallback, nested: inner } of slots()) {
    let member = value[name];
    if (member !== undefined) present++;
    else if (typeof fallback === 'symbol') throw new ShapeError(`${what} lacks "${name}"`);
    else member = fallback;
    if (inner !== null) member = inner.list ? filledList(member, name, inner.of) : filled(member, inner.of);
    if (member !== value[name]) (changed ??= { ...value })[name] = member!;
  }
  if (Object.keys(value).length !== present)
    throw new ShapeError(`${what} has an unknown member ${strangerIn(value, slots())}`);
  return changed ?? value;
}

function filledList(value: Value, name: string, of: Shape): Value {
  if (!isList(value)) throw new ShapeError(`"${name}" is not a list`);
  let changed: Value[] | null = null;
  for (let i = 0; i < value.length; i++) {
    const entry = filled(value[i], of);
    if (entry !== value[i]) (changed ??= [...value])[i] = entry;
  }
  return changed ?? value;
}

function strangerIn(value: ValueObject, slots: readonly Slot[]): string {
  const stranger = Object.keys(value).find((name) => !slots.some((slot) => slot.name === name)) ?? '';
  return JSON.stringify(stranger.slice(0, 64));
}

/** What the reference signs of a filled document: its text without the proof, in ASCII. */
export function shapedBytes(object: ValueObject, shape: Shape): Uint8Array {
  return Buffer.from(shapedText(object, shape, 'proof'), 'latin1');
}

function shapedText(object: ValueObject, { slots }: Shape, without: string | null): string {
  let text = '{';
  for (const { name, label, nested: inner } of slots()) {
    if (name === without) continue;
    if (text !== '{') text += ',';
    text += label;
    const member = object[name]!;
    if (inner === null) text += referenceText(member, 'escaped');
    else if (!inner.list) text += shapedText(member as ValueObject, inner.of, null);
    else text += `[${(member as readonly ValueObject[]).map((entry) => shapedText(entry, inner.of, null)).join(',')}]`;
  }
  return `${text}}`;
}
