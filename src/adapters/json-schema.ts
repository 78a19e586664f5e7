/** JSON Schema 2020-12 through ajv. Only schemas of passports whose signature held get here. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject } from '../protocol/values.js';

// `$ref` reaches nothing outside its own schema: without a loader ajv resolves local references only.
// Strict mode refuses unknown keywords: a misspelt `maximun` must not read as "no maximum".
const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  ownProperties: true,
  logger: false,
});

const compiled = new WeakMap<JsonObject, ValidateFunction>();

/** What is wrong with a schema, in a few words, or null when it can be used. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    compile(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : 'it does not compile';
  }
}

/** What is wrong with params under a schema; empty when nothing is. A schema that cannot be used accepts nothing. */
export function schemaProblems(schema: JsonObject, params: JsonObject): { path: string; reason: string }[] {
  let validate: ValidateFunction;
  try {
    validate = compile(schema);
  } catch {
    return [{ path: '', reason: 'cannot be judged: the schema is not usable' }];
  }
  if (validate(params)) return [];
  return (validate.errors ?? []).slice(0, 16).map((error) => ({
    path: error.instancePath.slice(1).replaceAll('/', '.'),
    reason: error.message ?? `fails "${error.keyword}"`,
  }));
}

function compile(schema: JsonObject): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
    // The same `$id` in two passports would otherwise be a conflict.
    ajv.removeSchema(schema);
  }
  return validate;
}
