import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';

const declared = new WeakMap<JsonObject, readonly string[]>();

/** The names of all properties that a schema declares, at any depth. */
export function declaredIn(schema: JsonObject): readonly string[] {
  let names = declared.get(schema);
  if (names === undefined) declared.set(schema, (names = [...new Set(namesIn(schema))]));
  return names;
}

function namesIn(schema: Json): string[] {
  if (Array.isArray(schema)) return (schema as readonly Json[]).flatMap(namesIn);
  if (!isObject(schema)) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword === 'properties' && isObject(value))
      return [...Object.keys(value), ...Object.values(value).flatMap(namesIn)];
    if (keyword === 'required' && Array.isArray(value))
      return value.filter((name): name is string => typeof name === 'string');
    return keyword === 'const' || keyword === 'enum' || keyword === 'default' || keyword === 'examples'
      ? []
      : namesIn(value);
  });
}
