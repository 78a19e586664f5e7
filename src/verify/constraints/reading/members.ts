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
  /** The nearest object or list that holds it; null at the top. */
  readonly parent: NamedValue | null;
}

/** Where a value stands in the params. */
interface Place extends Pick<NamedValue, 'path' | 'parent'> {
  /** Of its path by the keys of names, without places in lists. */
  readonly number: number;
  readonly listed: boolean;
}

/** Every member of the params, outer ones first. Depth is bounded by the parser. */
export function membersOf(params: JsonObject): readonly NamedValue[] {
  const walk = new Walk();
  walk.object(params, { path: '', number: 0, listed: false, parent: null });
  return walk.members;
}

class Walk {
  readonly members: NamedValue[] = [];
  /** By the number of the path before and the key: paths can be so long that V8 hashes them by nothing but their length. */
  readonly #numbers = new Map<string, number>();

  object(owner: JsonObject, { path, number, listed, parent }: Place): void {
    for (const text of Object.keys(owner)) {
      const value = owner[text]!;
      const name = nameOf(text);
      const at = path === '' ? text : `${path}.${text}`;
      const nested = typeof value === 'object' && value !== null;
      const own = nested || listed ? this.#numberOf(`${number}.${name.key}`) : 0;
      const member = { name, path: at, value, owner, group: listed ? String(own) : null, parent };
      this.members.push(member);
      if (nested) this.#value(value, { path: at, number: own, listed, parent: member });
    }
  }

  #value(value: Json, place: Place): void {
    if (typeof value !== 'object' || value === null) return;
    if (isObject(value)) return this.object(value, place);
    for (let i = 0; i < value.length; i++)
      this.#value(value[i]!, { ...place, path: `${place.path}[${i}]`, listed: true });
  }

  #numberOf(path: string): number {
    let number = this.#numbers.get(path);
    if (number === undefined) this.#numbers.set(path, (number = this.#numbers.size + 1));
    return number;
  }
}
