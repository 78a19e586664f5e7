/** The part of JSON Schema that the red team's attacks turn on. What it does not know it finds no fault with. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { isClosed, propertiesOf, requiredOf } from './limits.js';

/** True where the value breaks the schema for certain. */
export function schemaFaults(schema: JsonObject, value: Json): boolean {
  const { type, minimum, maximum, maxLength, minLength } = schema;
  const types = typeof type === 'string' ? [type] : Array.isArray(type) ? (type as readonly Json[]) : null;
  if (types !== null && !types.some((each) => isOf(value, each))) return true;
  const choices = schema['enum'];
  if (
    Array.isArray(choices) &&
    !(choices as readonly Json[]).some((each) => JSON.stringify(each) === JSON.stringify(value))
  )
    return true;
  if (typeof value === 'number') {
    if (typeof minimum === 'number' && value < minimum) return true;
    if (typeof maximum === 'number' && value > maximum) return true;
  }
  if (typeof value === 'string') {
    if (typeof maxLength === 'number' && [...value].length > maxLength) return true;
    if (typeof minLength === 'number' && [...value].length < minLength) return true;
  }
  const { items } = schema;
  if (Array.isArray(value))
    return (
      isObject(items ?? null) && (value as readonly Json[]).some((each) => schemaFaults(items as JsonObject, each))
    );
  if (!isObject(value)) return false;
  const properties = propertiesOf(schema);
  if (requiredOf(schema).some((name) => !Object.hasOwn(value, name))) return true;
  return Object.entries(value).some(([name, each]) =>
    Object.hasOwn(properties, name) ? schemaFaults(properties[name]!, each) : isClosed(schema) && !hasPatterns(schema),
  );
}

function hasPatterns(schema: JsonObject): boolean {
  return schema['patternProperties'] !== undefined;
}

function isOf(value: Json, type: Json): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
