/** What stands at a place of a document, in words, for messages about it. */
import { isObject, type Json } from './values.js';

const LONGEST = 40;

/** What is at a path such as `time_window.from` or `allowed_domains[0]`; null for what is not there, and for what is too long to be quoted. */
export function foundAt(document: Json, path: string): string | null {
  let value: Json | undefined = document;
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (index !== undefined) value = Array.isArray(value) ? (value as readonly Json[])[Number(index)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, name!) ? value[name!] : undefined;
  }
  if (typeof value === 'string') return value.length <= LONGEST ? JSON.stringify(value) : null;
  if (value === undefined || isObject(value)) return null;
  return Array.isArray(value) ? 'a list' : String(value);
}
