/** The schema of an MCP tool as a passport can hold it. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** A schema, and how often it lost a format. */
interface Drafted {
  readonly schema: JsonObject;
  readonly formats: number;
}

/** Their members are schemas under names that somebody chose. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);
/** Their values are values. */
const VALUES = new Set(['const', 'enum', 'default', 'examples']);

/**
 * Without `$schema`, as most servers name an older draft, whose common part means the same in the one that passports are written in; and
 * without `format`, which nobody checks.
 */
export function draftedSchema({ $schema: _, ...given }: JsonObject): Drafted {
  let formats = 0;
  const schemaOf = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(schemaOf);
    if (!isObject(value)) return value;
    const kept = Object.entries(value).flatMap(([keyword, under]): [string, Json][] => {
      if (keyword === 'format' && typeof under === 'string') {
        formats++;
        return [];
      }
      if (VALUES.has(keyword)) return [[keyword, under!]];
      return [[keyword, NAMED.has(keyword) && isObject(under) ? mapped(under, schemaOf) : schemaOf(under)]];
    });
    return Object.fromEntries(kept);
  };
  return { schema: schemaOf(given) as JsonObject, formats };
}

function mapped(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
