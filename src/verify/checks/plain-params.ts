/**
 * Params under a schema as `--param` writes it: names with types, and no others. The general check takes longer to load than the rest
 * of a verification; it is asked about every other schema, and says what is wrong with params that do not fit.
 */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

const TYPES: Readonly<Record<string, (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
};

/** What a text has to look like, as JSON Schema's patterns: each reads a text once, however long it is. */
export const TEXT_PATTERNS = {
  email: '^[^@\\s]+@[^@\\s]+$',
  url: '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s]+$',
} as const;

const PATTERNED = new Map<Json, RegExp>(Object.values(TEXT_PATTERNS).map((each) => [each, new RegExp(each, 'u')]));

/** True where `schema` holds nothing but names with types, closed to others, and `params` fit it. False says nothing. */
export function fitsPlainly(schema: JsonObject, params: JsonObject): boolean {
  const { type, properties, required, additionalProperties, ...others } = schema;
  if (type !== 'object' || additionalProperties !== false || Object.keys(others).length > 0) return false;
  if (!isObject(properties) || !Array.isArray(required) || new Set(required).size < required.length) return false;
  const checks = new Map(Object.entries(properties).map(([name, property]) => [name, checkOf(property)]));
  // ajv takes no member of this name for declared.
  if (checks.has('__proto__') || [...checks.values()].includes(null)) return false;
  return (
    required.every((name) => typeof name === 'string' && Object.hasOwn(params, name)) &&
    Object.entries(params).every(([name, value]) => checks.get(name)?.(value) === true)
  );
}

/** The check of a property that is a simple type, or a text of a known pattern, and nothing else. */
function checkOf(property: Json): ((value: Json) => boolean) | null {
  if (!isObject(property)) return null;
  const { type, pattern, ...others } = property;
  if (typeof type !== 'string' || !Object.hasOwn(TYPES, type) || Object.keys(others).length > 0) return null;
  if (pattern === undefined) return TYPES[type]!;
  const expression = PATTERNED.get(pattern);
  return type !== 'string' || expression === undefined
    ? null
    : (value) => typeof value === 'string' && expression.test(value);
}
