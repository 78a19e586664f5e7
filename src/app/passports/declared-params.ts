/** `--param <action>:<name>:<type>[!]`: schemas for params without a JSON file. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { PassportDocument } from '../../protocol/passport.js';
import { TEXT_PATTERNS } from '../../verify/checks/plain-params.js';
import { shellWord, usage } from '../failure.js';

type Actions = PassportDocument['actions'];

// Without "format", which nobody would check (`aip help constraints`).
const TYPES: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  email: { type: 'string', pattern: TEXT_PATTERNS.email },
  url: { type: 'string', pattern: TEXT_PATTERNS.url },
};

/** The types that a param can have, as the flag spells them. */
const PARAM_TYPES: readonly string[] = Object.keys(TYPES);

// An action's name may hold colons, as `resource:file:///docs/*` does; the name of a param and its type do not.
const SPEC = /^(.+):([^:\p{C}\p{Z}]{1,128}):([a-z]+)(!?)$/u;

/**
 * The actions with the params that `specs` give them: an action so named takes these params and no others,
 * beside those of a schema that it has, which they replace by name. A param is required unless
 * its type ends in `!`.
 * @throws Failure USAGE for what is no such text, for an action that is not among them, and for a param given twice
 */
export function withParams(actions: Actions, specs: readonly string[]): Actions {
  if (specs.length === 0) return actions;
  const given = new Map<string, JsonObject[]>();
  for (const spec of specs) {
    const { action, ...param } = paramIn(spec);
    if (!actions.some((each) => nameOf(each) === action))
      throw usage(
        `--param "${spec.slice(0, 80)}" is for "${action}", which is not an action of this passport.`,
        `--action ${shellWord(action)}`,
      );
    const others = given.get(action) ?? [];
    if (others.some(({ name }) => name === param.name)) throw usage(`The param "${param.name}" is given twice.`);
    given.set(action, [...others, param]);
  }
  return actions.map((each) => {
    const params = given.get(nameOf(each));
    return params === undefined ? each : { name: nameOf(each), params: params.reduce(withParam, schemaOf(each)) };
  });
}

function paramIn(spec: string): { action: string; name: string; schema: JsonObject; required: boolean } {
  const [, action, name, type, optional] = SPEC.exec(spec) ?? [];
  const schema = type !== undefined && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (action === undefined || name === undefined || schema === undefined) {
    throw usage(
      `"${spec.slice(0, 80)}" is not <action>:<name>:<type>, with a type of ${PARAM_TYPES.join(', ')}.`,
      '--param issue_refund:amount:number (with ! behind the type it may be left out)',
    );
  }
  // A schema passes over this one name, so that nothing would be checked and the action, closed to others, never pass.
  if (name === '__proto__') throw usage(`A param cannot be named "${name}".`, 'choose another name');
  return { action, name, schema, required: optional !== '!' };
}

function schemaOf(action: Actions[number]): JsonObject {
  const params = typeof action === 'string' ? undefined : action.params;
  return params ?? { type: 'object', properties: {}, required: [], additionalProperties: false };
}

function withParam(schema: JsonObject, { name, schema: own, required }: JsonObject): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const text = name as string;
  const others = Array.isArray(schema.required)
    ? (schema.required as readonly Json[]).filter((each) => each !== text)
    : [];
  return {
    ...schema,
    properties: Object.fromEntries([...Object.entries(properties), [text, own!]]),
    required: required === true ? [...others, text] : [...others],
  };
}

function nameOf(action: Actions[number]): string {
  return typeof action === 'string' ? action : action.name;
}
