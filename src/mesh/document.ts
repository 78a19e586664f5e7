/** Reading what a mesh answers by the schema that its OpenAPI document shows: there is no second list of members and their kinds. */
import { ShapeError } from '../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../protocol/json/values.js';
import { parseTime } from '../protocol/time.js';
import { SCHEMAS, type DocumentName } from './schemas.js';

/** What a value is that holds to a schema. A document that is named by another one is read by its own reader. */
export type ValueOf<S> = S extends { readonly anyOf: readonly [infer Some, unknown] }
  ? ValueOf<Some> | null
  : S extends { readonly enum: readonly (infer One)[] }
    ? One
    : S extends { readonly type: 'string' }
      ? string
      : S extends { readonly type: 'integer' | 'number' }
        ? number
        : S extends { readonly type: 'boolean' }
          ? boolean
          : S extends { readonly type: 'array'; readonly items: infer Item }
            ? readonly ValueOf<Item>[]
            : S extends { readonly properties: infer Members; readonly required: readonly (infer Name)[] }
              ? { readonly [M in keyof Members & Name]: ValueOf<Members[M]> } & {
                  readonly [M in Exclude<keyof Members, Name>]?: ValueOf<Members[M]>;
                }
              : JsonObject;

/** The keywords of JSON Schema that the documents of the mesh use. */
interface Schema {
  readonly anyOf?: readonly [Schema, unknown];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly type?: string;
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/**
 * The document of that name in `value`: each member is there and of its kind, at any depth. Members that a later version adds are left
 * alone, since servers are upgraded before those who ask them. @throws ShapeError, which names the member
 */
export function documentOf<Name extends DocumentName>(name: Name, value: Json): ValueOf<(typeof SCHEMAS)[Name]> {
  requireShape(SCHEMAS[name] as Schema, value, '');
  return value as ValueOf<(typeof SCHEMAS)[Name]>;
}

/** The members of a document, each as its schema says. */
type MembersOf<Name extends DocumentName> = (typeof SCHEMAS)[Name] extends { readonly properties: infer Members }
  ? { readonly [Member in keyof Members & string]: ValueOf<Members[Member]> }
  : never;

/**
 * These members of the document of that name in `value`, and no others: each is there and of its kind, at any depth. Those named `later`
 * may be missing, where servers of earlier versions do not send them. @throws ShapeError, which names the member
 */
export function partOf<
  Name extends DocumentName,
  Member extends keyof MembersOf<Name>,
  Later extends keyof MembersOf<Name> = never,
>(
  name: Name,
  value: Json,
  members: readonly Member[],
  later: readonly Later[] = [],
): Pick<MembersOf<Name>, Member> & Partial<Pick<MembersOf<Name>, Later>> {
  if (!isObject(value)) throw wrong('');
  const { properties = {} } = SCHEMAS[name] as Schema;
  const part: Record<string, Json> = {};
  for (const member of [
    ...members,
    ...later.filter((one) => value[one as string] !== undefined),
  ] as readonly string[]) {
    requireShape(properties[member]!, value[member], member);
    part[member] = value[member]!;
  }
  return part as unknown as Pick<MembersOf<Name>, Member> & Partial<Pick<MembersOf<Name>, Later>>;
}

function requireShape(schema: Schema, value: Json | undefined, path: string): void {
  if (schema.anyOf !== undefined) {
    if (value !== null) requireShape(schema.anyOf[0], value, path);
    return;
  }
  if (schema.const !== undefined || schema.enum !== undefined) {
    if (value === undefined || ![schema.const, ...(schema.enum ?? [])].includes(value)) throw wrong(path);
    return;
  }
  if (schema.type === 'array') {
    if (!Array.isArray(value)) throw wrong(path);
    for (const [i, item] of (value as readonly Json[]).entries()) requireShape(schema.items!, item, `${path}[${i}]`);
    return;
  }
  if (schema.type === 'string' || schema.type === 'boolean') {
    if (typeof value !== schema.type || (typeof value === 'string' && !isText(schema, value))) throw wrong(path);
    return;
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    if (typeof value !== 'number' || value < (schema.minimum ?? -Infinity)) throw wrong(path);
    if (schema.type === 'integer' && !Number.isSafeInteger(value)) throw wrong(path);
    return;
  }
  if (!isObject(value)) throw wrong(path);
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    if (value[name] === undefined && schema.required?.includes(name) !== true) continue;
    requireShape(member, value[name], path === '' ? name : `${path}.${name}`);
  }
}

function isText({ pattern, format, maxLength = Infinity }: Schema, text: string): boolean {
  if (text.length > maxLength || (pattern !== undefined && !new RegExp(pattern).test(text))) return false;
  return format !== 'date-time' || parseTime(text) !== null;
}

function wrong(path: string): ShapeError {
  return new ShapeError(path === '' ? 'it is no object' : `"${path}" is not what it must be`);
}
