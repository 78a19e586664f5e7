/** What is tried first with a new passport: an action with params that its schema takes. */
import { shellWord } from '../../app/failure.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';

/** Members that put no further demand on a value. */
const PLAIN = new Set(['type', 'title', 'description', 'default', 'examples', 'minimum', 'maximum', 'pattern', 'enum']);

/** The flags of `aip intent sign` for the first action whose required params can be made up; null where there is none. */
export function firstIntent({ actions, deniedActions, document }: Passport): string | null {
  const domain = Array.isArray(document.constraints.allowed_domains) ? document.constraints.allowed_domains[0] : null;
  const host = typeof domain === 'string' && /^[a-z0-9][a-z0-9.-]*$/.test(domain) ? domain : 'example.com';
  for (const [action, schema] of actions) {
    if (deniedActions.has(action) || action.includes('*')) continue;
    const params = paramsOf(schema ?? {}, host);
    if (params === null) continue;
    return [`--action ${word(action)}`, ...params.map((each) => `--param ${word(each)}`)].join(' ');
  }
  return null;
}

/** As a person types it: no quotes where a shell needs none. */
function word(text: string): string {
  return /^[\w.][\w@%+=:,./-]*$/.test(text) ? text : shellWord(text);
}

function paramsOf(schema: JsonObject, host: string): string[] | null {
  const required: readonly Json[] = Array.isArray(schema.required) ? schema.required : [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  const params: string[] = [];
  for (const name of required) {
    const property = typeof name === 'string' && Object.hasOwn(properties, name) ? properties[name] : null;
    const value = isObject(property) ? valueOf(property, host) : null;
    if (typeof name !== 'string' || !/^[A-Za-z_][\w-]*$/.test(name) || value === null) return null;
    params.push(typeof value === 'string' ? `${name}=${value}` : `${name}:=${JSON.stringify(value)}`);
  }
  return params;
}

function valueOf(schema: JsonObject, host: string): string | number | boolean | null {
  if (Object.keys(schema).some((member) => !PLAIN.has(member))) return null;
  const { type, pattern, minimum = 1, maximum = minimum } = schema;
  if (Array.isArray(schema.enum)) {
    const [first] = schema.enum as readonly Json[];
    return typeof first === 'string' || typeof first === 'number' ? first : null;
  }
  if (type === 'boolean') return true;
  if (type === 'string' && pattern === undefined) return 'text';
  // Addresses, as --param writes them.
  if (type === 'string') return fitting(String(pattern), [`someone@${host}`, `https://${host}/`]);
  if ((type !== 'number' && type !== 'integer') || typeof minimum !== 'number' || typeof maximum !== 'number')
    return null;
  const least = Math.ceil(Math.min(Math.max(minimum, 1), maximum));
  return least >= minimum && least <= maximum ? least : null;
}

/** A pattern of a stranger is not run here: only the two that `--param` writes are known. */
function fitting(pattern: string, [email, url]: readonly [string, string]): string | null {
  if (pattern === '^[^@\\s]+@[^@\\s]+$') return email;
  return pattern.startsWith('^[Hh][Tt][Tt][Pp][Ss]?:') ? url : null;
}
