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

/** Every member of the params, outer ones first. Depth is bounded by the parser. */
export function membersOf(params: JsonObject): readonly NamedValue[] {
  const members: NamedValue[] = [];
  walk(params, '', null, '', null, null, members);
  return members;
}

function walk(
  owner: JsonObject,
  path: string,
  listed: string | null,
  folded: string,
  holder: Name | null,
  beside: JsonObject | null,
  into: NamedValue[],
): void {
  for (const text of Object.keys(owner)) {
    const value = owner[text]!;
    const name = nameOf(text);
    const at = path === '' ? text : `${path}.${text}`;
    const group = listed === null ? null : `${listed}.${name.key}`;
    into.push({ name, path: at, value, owner, group, holder, beside });
    if (typeof value === 'object' && value !== null) {
      descend(value, at, group, folded === '' ? name.key : `${folded}.${name.key}`, name, owner, into);
    }
  }
}

function descend(
  value: Json,
  path: string,
  listed: string | null,
  folded: string,
  name: Name,
  beside: JsonObject,
  into: NamedValue[],
): void {
  if (typeof value !== 'object' || value === null) return;
  if (isObject(value)) return walk(value, path, listed, folded, name, beside, into);
  for (let i = 0; i < value.length; i++) {
    descend(value[i]!, `${path}[${i}]`, listed ?? folded, folded, name, beside, into);
  }
}
