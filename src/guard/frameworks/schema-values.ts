/** What the schema of a tool makes of a model's arguments: the tool gets that, so that is what is judged. */

/** What the tool gets behind its schema, which fills in and changes values; null where no schema takes the arguments. */
export async function madeBySchema(tool: unknown, args: object): Promise<object | null> {
  const { schema } = (tool ?? {}) as {
    readonly schema?: { readonly '~standard'?: { validate(value: object): unknown } };
  };
  const read = (await schema?.['~standard']?.validate(args)) as { readonly value?: unknown } | undefined;
  return typeof read?.value === 'object' && read.value !== null ? (sayable(read.value, args) as object) : null;
}

/** A value as JSON can say it: a Date, a Set, NaN and the like are judged as they were given. */
function sayable(made: unknown, given: unknown): unknown {
  if (made === null || typeof made === 'string' || typeof made === 'boolean' || Number.isFinite(made)) return made;
  if (typeof made !== 'object') return given;
  const at = (name: string | number): unknown =>
    (given as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  if (Array.isArray(made)) return made.map((each, i) => sayable(each, at(i)) ?? null);
  if (![Object.prototype, null].includes(Object.getPrototypeOf(made) as object | null)) return given;
  return Object.fromEntries(Object.entries(made).map(([name, each]) => [name, sayable(each, at(name))]));
}

/** What a schema made of `given`, and beside it what it left out, at any depth: for a tool that reads its arguments as they were given. */
export function withLeftOut<V>(made: V, given: unknown): V {
  if (typeof made !== 'object' || made === null || typeof given !== 'object' || given === null) return made;
  const at = given as Readonly<Record<string, unknown>>;
  if (Array.isArray(made)) return made.map((each, i) => withLeftOut(each as unknown, at[i])) as V;
  const own = Object.entries(made).map(([name, each]) => [name, withLeftOut(each as unknown, at[name])] as const);
  return { ...given, ...Object.fromEntries(own) } as V;
}

/** What of a JSON Schema is used. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  /** A list: of each item. */
  readonly items?: Schema | readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}

/** The value with the defaults that a JSON Schema gives, of each alternative that may take it: they are filled in behind the verdict else. */
export function withDefaults<V>(value: V, schema: unknown): V {
  return filled(value, schema as Schema | undefined) as V;
}

function filled(value: unknown, schema: Schema = {}): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const alternatives = [schema, ...(schema.anyOf ?? []).filter((each) => mayTake(each, value))];
  if (Array.isArray(value)) {
    const { items } = alternatives.find((each) => each.items !== undefined) ?? {};
    return value.map((each, i) => filled(each, itemAt(items, i)));
  }
  const given = value as Readonly<Record<string, unknown>>;
  const members = alternatives.flatMap(({ properties = {} }) => Object.entries(properties));
  const known = members.map(([name, own]): [string, unknown] => [
    name,
    Object.hasOwn(given, name) ? filled(given[name], own) : own.default,
  ]);
  return { ...given, ...Object.fromEntries(known.filter(([, each]) => each !== undefined)) };
}

/** False where a member that says the kind (`{"kind": "card"}`) says another one. */
function mayTake({ properties = {} }: Schema, value: object): boolean {
  const given = value as Readonly<Record<string, unknown>>;
  return Object.entries(properties).every(
    ([name, { const: only, enum: kinds = only === undefined ? null : [only] }]) =>
      kinds === null || !Object.hasOwn(given, name) || kinds.includes(given[name]),
  );
}

function itemAt(items: Schema['items'], at: number): Schema | undefined {
  return Array.isArray(items) ? (items as readonly Schema[])[at] : (items as Schema | undefined);
}

/**
 * A member that a JSON Schema requires and the value lacks, at any depth; null where there is none. A tool that takes the value all the same
 * fills the member in with a default that its JSON Schema does not tell.
 */
export function missingIn(value: unknown, schema: unknown): string | null {
  return lacking(value, schema as Schema | undefined);
}

function lacking(value: unknown, schema: Schema = {}): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const kind = Array.isArray(value) ? 'array' : 'object';
  const { required = [], properties = {}, additionalProperties: rest, items, anyOf = [] } = schema;
  const others = anyOf.filter((each) => [each.type ?? kind].flat().includes(kind) && mayTake(each, value));
  const missing = others.map((each) => lacking(value, each));
  if (missing.length > 0 && !missing.includes(null)) return missing[0]!;
  const members = Object.entries(value) as [string, unknown][];
  const known = (name: string): Schema | undefined =>
    Object.hasOwn(properties, name) ? properties[name] : typeof rest === 'object' ? rest : undefined;
  const inner = members.map(([name, each], i) => lacking(each, kind === 'array' ? itemAt(items, i) : known(name)));
  const own = kind === 'array' ? undefined : required.find((name) => !Object.hasOwn(value, name));
  return own ?? inner.find((each) => each !== null) ?? null;
}
