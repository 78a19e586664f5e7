/** The parts that JSON Schemas of the mesh's documents are put together from. */
import { ROLES } from '../access/roles.js';

/** Any text. */
export const text = { type: 'string' } as const;
/** A number of things, from 0. */
export const count = { type: 'integer', minimum: 0 } as const;
/** True or false. */
export const flag = { type: 'boolean' } as const;
/** A moment, RFC 3339. */
export const time = { type: 'string', format: 'date-time' } as const;
/** SHA-256 in lower-case hex. */
export const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
/** How long something took, or has lasted, in ms, whole or not. */
export const elapsed = { type: 'number', minimum: 0 } as const;
/** An Ed25519 public key. */
export const ed25519Key = { type: 'string', pattern: '^ed25519:[0-9a-f]{64}$' } as const;
/** What can be stopped. */
export const subject = {
  type: 'string',
  description: 'An agent id, a principal id, or `*` for the whole mesh.',
} as const;
/** The three standings. */
export const status = { enum: ['active', 'suspended', 'revoked'] } as const;
/** The roles of API keys. */
export const role = { enum: ROLES } as const;

/** One of these words in an answer; a later version may say others, which readers have to take. */
export function word<const Words extends readonly string[]>(...examples: Words) {
  return { type: 'string', examples } as const;
}

/** What may be null. */
export function nullable<const T extends object>(schema: T) {
  return { anyOf: [schema, { type: 'null' }] } as const;
}

/** An object that holds these members and no others; those named `optional` may be missing. */
export function object<const Members extends Readonly<Record<string, object>>, const Optional extends string = never>(
  properties: Members,
  optional: readonly Optional[] = [],
) {
  const given = Object.keys(properties) as (keyof Members & string)[];
  const isRequired = (name: string): name is Exclude<keyof Members & string, Optional> =>
    !(optional as readonly string[]).includes(name);
  return {
    type: 'object' as const,
    required: given.filter(isRequired),
    properties,
    additionalProperties: false as const,
  };
}

/** A list of one kind. */
export function list<const T extends object>(items: T) {
  return { type: 'array', items } as const;
}

/** Another document, by its name. */
export function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}
