/** JSON Schema 2020-12 through ajv. Only schemas of passports whose signature held get here; the params may be an attacker's. */
import { performance } from 'node:perf_hooks';
import { Ajv2020, str, type CodeKeywordDefinition, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import validSchema from 'built:meta-schema';
import { canonicalize } from '../protocol/json/canonical.js';
import { coefficientAt, decimalOf } from '../protocol/constraints/money.js';
import { UNJUDGED } from '../protocol/log/attribution.js';
import type { Json, JsonObject } from '../protocol/json/values.js';
import { TookTooLong, withinTime } from './process/time-limit.js';

/** Params are judged inside a transaction that others wait for, in ms. */
const MAX_JUDGING_MS = 250;
/** Passports come and go, and ajv keeps a little of every schema that it has compiled. */
const MAX_COMPILED = 512;
/** The one draft that is known, as a schema names it. */
const DRAFT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;
/** No pattern without a repeated group takes noticeable time on a text this short. */
const SHORT = 128;
// `)*`, `)+`, `){2,}`, a back reference, or a third unbounded repetition: such patterns can take exponential time.
const REPEATED_GROUP = /\)(?:[*+]|\{\d+,)|\\(?:[1-9]|k<)/;
const UNBOUNDED = /[*+]|\{\d+,\}/g;

/** What ajv says of a format. */
const UNCHECKED_FORMAT = /^unknown format "([^]*)" ignored in schema at path "#([^"]*)"$/;

interface Compiled {
  readonly validate: ValidateFunction;
  /** It can visit a value more often than it is deep. */
  readonly recursive: boolean;
}

const compiled = new WeakMap<JsonObject, Compiled>();
let shared: { readonly ajv: Ajv2020; uses: number } | null = null;
/** When the judging that goes on has to end, in ms of `performance.now`; null while its patterns need no limit of their own. */
let deadline: number | null = null;

/** What is wrong with a schema, as words that follow its name, or null when it can be used. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    compile(schema);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it does not compile';
    const [, format, path = ''] = UNCHECKED_FORMAT.exec(message) ?? [];
    if (format === undefined) return `is not usable: ${message.slice(0, 200)}`;
    const where = path === '' ? '' : ` at ${path.slice(1, 120).replaceAll('/', '.')}`;
    return `has the format "${format.slice(0, 60)}"${where}, which nobody checks`;
  }
}

/** What is wrong with params under a schema; empty when nothing is. A schema that cannot be used accepts nothing. */
export function schemaProblems(schema: JsonObject, params: JsonObject): { path: string; reason: string }[] {
  try {
    const { validate, recursive } = compile(schema);
    deadline = recursive ? null : performance.now() + MAX_JUDGING_MS;
    const fits = recursive ? withinTime(MAX_JUDGING_MS, () => validate(params)) : validate(params);
    if (fits === true) return [];
    return (validate.errors ?? []).slice(0, 16).map(problemOf);
  } catch (error) {
    const slow = error instanceof TookTooLong;
    return [{ path: '', reason: `${UNJUDGED}: ${slow ? 'it takes too long' : 'the schema is not usable'}` }];
  } finally {
    deadline = null;
  }
}

/** A member that the schema does not name is where the problem lies; ajv says in what. */
function problemOf({ instancePath, keyword, message, params }: ErrorObject): { path: string; reason: string } {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const name: unknown = params['additionalProperty'] ?? params['unevaluatedProperty'];
  if (typeof name !== 'string') return { path, reason: message ?? `fails "${keyword}"` };
  return { path: path === '' ? name : `${path}.${name}`, reason: 'is not among the params that it names' };
}

function compile(schema: JsonObject): Compiled {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const { $schema } = schema;
  if ($schema !== undefined && !(typeof $schema === 'string' && DRAFT.test($schema)))
    throw new Error('"$schema" is not that of JSON Schema 2020-12');
  const text = JSON.stringify(schema);
  // ajv remembers ids below the root for all schemas, so that one passport's could stand in for another's. The schemas of the draft are
  // loaded where one is referred to.
  const named = text.split('json-schema.org').length - ($schema === undefined ? 1 : 2);
  const ajv = text.includes('"$id"') || named > 0 ? makeAjv(named > 0) : sharedAjv();
  if (!validSchema(schema)) throw new Error(`schema is invalid: ${ajv.errorsText(validSchema.errors)}`);
  const validate = ajv.compile(schema);
  // A validation that answers later answers with a promise, and every promise is truthy.
  if ('$async' in validate) throw new Error('"$async" is not part of JSON Schema');
  const made = { validate, recursive: /"\$(?:dynamicR|r)ef"/.test(text) };
  compiled.set(schema, made);
  ajv.removeSchema(schema);
  return made;
}

function sharedAjv(): Ajv2020 {
  if (shared === null || shared.uses === MAX_COMPILED) shared = { ajv: makeAjv(false), uses: 0 };
  shared.uses++;
  return shared.ajv;
}

/** `meta`: with the schemas of the draft, so that they can be referred to. */
function makeAjv(meta: boolean): Ajv2020 {
  // `$ref` reaches nothing outside its own schema: without a loader ajv resolves local references only.
  // Strict mode refuses unknown keywords: a misspelt `maximun` must not read as "no maximum". Its other rules are taste:
  // a tuple of any length, and a member that a pattern matches as well, mean in JSON Schema exactly what they say.
  const ajv = new Ajv2020({
    meta,
    // Done by what the build made of the same schema.
    validateSchema: false,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowMatchingProperties: true,
    allErrors: true,
    ownProperties: true,
    logger: false,
    code: { regExp: Object.assign((pattern: string, flags: string) => limited(pattern, flags), { code: 'limited' }) },
  });
  // Compiled now, where ajv leaves out the formats that it does not know.
  if (meta) ajv.getSchema('https://json-schema.org/draft/2020-12/schema');
  // ajv follows references to anchors, but does not count this among the keywords that it knows.
  ajv.addKeyword('$anchor');
  followRootAnchorsAlone(ajv);
  // ajv's own comparison calls `valueOf` of the objects, which ours lack or an attacker gives, and takes quadratic time.
  // Its division is one of binary floats, to which 19.99 is no multiple of 0.01.
  for (const name of ['const', 'enum', 'uniqueItems', 'multipleOf']) ajv.removeKeyword(name);
  ajv.addKeyword({
    keyword: 'const',
    compile: (value: Json) => isOneOf([value]),
    error: { message: 'must be equal to constant' },
  });
  ajv.addKeyword({
    keyword: 'enum',
    schemaType: 'array',
    compile: isOneOf,
    error: { message: 'must be equal to one of the allowed values' },
  });
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    compile: isMultipleOf,
    error: { message: ({ schema }) => str`must be multiple of ${schema as number}` },
  });
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (unique: boolean) => (list: readonly Json[]) =>
      !unique || new Set(list.map(canonicalize)).size === list.length,
    error: { message: 'must NOT have duplicate items' },
  });
  return ajv;
}

/**
 * ajv takes a `$dynamicRef` that it finds no anchor for, and many an anchor below the root, for the root of the schema: what the schema says of
 * that member would not be judged. Its `$recursiveRef` is of another draft.
 */
function followRootAnchorsAlone(ajv: Ajv2020): void {
  for (const name of ['$recursiveRef', '$recursiveAnchor']) ajv.removeKeyword(name);
  const known = ajv.getKeyword('$dynamicRef') as CodeKeywordDefinition;
  const follow = known.code;
  // In its place among the keywords, as those after it go by what it has judged.
  known.code = (cxt) => {
    const { schema: root } = cxt.it.schemaEnv.root;
    const anchor = typeof root === 'boolean' ? undefined : (root['$dynamicAnchor'] as Json | undefined);
    if (typeof anchor !== 'string' || cxt.schema !== `#${anchor}`)
      throw new Error(
        `"$dynamicRef" ${JSON.stringify(cxt.schema)} is not the "$dynamicAnchor" of the whole schema: use "$ref"`,
      );
    follow(cxt);
  };
}

function isOneOf(values: readonly Json[]): (value: Json) => boolean {
  const texts = new Set(values.map(canonicalize));
  return (value) => texts.has(canonicalize(value));
}

/** Of decimals, as they are written. */
function isMultipleOf(divisor: number): (value: number) => boolean {
  const by = decimalOf(divisor)!;
  return (value) => {
    const of = decimalOf(value);
    if (of === null) return false;
    const scale = Math.max(of.scale, by.scale);
    return coefficientAt(of, scale) % coefficientAt(by, scale) === 0n;
  };
}

/** A pattern whose search ends in time, whatever the text. */
function limited(pattern: string, flags: string): RegExp {
  const expression = new RegExp(pattern, flags);
  const tame = !REPEATED_GROUP.test(pattern) && (pattern.match(UNBOUNDED)?.length ?? 0) <= 2;
  const test = (text: string): boolean => {
    const search = (): boolean => expression.exec(text) !== null;
    return deadline === null || (tame && text.length <= SHORT)
      ? search()
      : withinTime(deadline - performance.now(), search);
  };
  return Object.assign(expression, { test });
}
