import { nameOf, type Name } from '../../../protocol/naming/names.js';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';

/** A named value in the params, at any depth. */
export interface NamedValue {
  readonly name: Name;
  /** As decisions name it: `items[0].amount`. */
  readonly path: string;
  readonly value: Json;
  /** The object that it is a member of. */
  readonly owner: JsonObject;
  /** One text for members of one name in the objects of a list; null outside of lists. */
  readonly group: string | null;
  /** The name of the nearest object or list that holds it; null at the top. */
  readonly holder: Name | null;
  /** The object that the holder is a member of; null at the top. */
  readonly beside: JsonObject | null;
}

/** Where a value stands in the params. */
interface Place extends Pick<NamedValue, 'path' | 'holder' | 'beside'> {
  /** As the `group` of its members begins; null outside of lists. */
  readonly listed: string | null;
  /** Its path by the keys of names, without places in lists. */
  readonly folded: string;
}

/** Every member of the params, outer ones first. Depth is bounded by the parser. */
export function membersOf(params: JsonObject): readonly NamedValue[] {
  const members: NamedValue[] = [];
  walk(params, { path: '', listed: null, folded: '', holder: null, beside: null }, members);
  return members;
}

function walk(owner: JsonObject, { path, listed, folded, holder, beside }: Place, into: NamedValue[]): void {
  for (const text of Object.keys(owner)) {
    const value = owner[text]!;
    const name = nameOf(text);
    const at = path === '' ? text : `${path}.${text}`;
    const group = listed === null ? null : `${listed}.${name.key}`;
    into.push({ name, path: at, value, owner, group, holder, beside });
    if (typeof value === 'object' && value !== null) {
      const within = folded === '' ? name.key : `${folded}.${name.key}`;
      descend(value, { path: at, listed: group, folded: within, holder: name, beside: owner }, into);
    }
  }
}

function descend(value: Json, place: Place, into: NamedValue[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (isObject(value)) return walk(value, place, into);
  const listed = place.listed ?? place.folded;
  for (let i = 0; i < value.length; i++) descend(value[i]!, { ...place, path: `${place.path}[${i}]`, listed }, into);
}
