/** What an agent may do, and how long, as `passport create`, `update` and `request` take it. */
import { Failure } from '../../app/failure.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { readJsonInput } from '../input/documents.js';
import { standIn } from '../../app/policy/stand-in.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Passport } from '../../protocol/passport.js';
import { clean } from '../render/terminal/text.js';
import { durationMs, pairs } from '../input/values.js';
import type { OptionGroup, OptionSpec } from '../spec.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** How long a passport is valid unless told otherwise, in ms: one that is forgotten ends by itself. */
export const DEFAULT_PASSPORT_TERM_MS = 90 * 24 * 3_600_000;

export interface TermFlags {
  readonly action: readonly string[];
  readonly param: readonly string[];
  readonly deny: readonly string[];
  readonly monetaryLimit?: string;
  readonly dailyLimit?: string;
  readonly currency?: string;
  readonly allowedDomain: readonly string[];
  readonly rateLimit?: string;
  readonly constraint: readonly string[];
  readonly metadata: readonly string[];
  readonly from?: string;
}

export const METADATA_OPTION: OptionSpec = {
  flags: '--metadata <k=v>',
  description: 'a note for people (k:=json for a value)',
  repeatable: true,
};

export const TERM_OPTIONS: OptionGroup = {
  title: 'What it may do',
  options: [
    { flags: '-a, --action <name>', description: 'an action it may do', repeatable: true, several: true },
    {
      flags: '--param <spec>',
      description: 'a param of an action: <action>:<name>:<type>, with ! behind the type optional',
      repeatable: true,
    },
    { flags: '--deny <action>', description: 'an action it may never do', repeatable: true },
    { flags: '--monetary-limit <n>', description: 'most money in one action' },
    { flags: '--daily-limit <n>', description: 'most money in any 24 hours' },
    { flags: '--currency <code>', description: 'currency of the limits (default USD)' },
    {
      flags: '--allowed-domain <name>',
      description: 'where it may send, e.g. acme.com',
      repeatable: true,
      several: true,
    },
    { flags: '--rate-limit <rate>', description: 'most actions in a time, e.g. 10/hour' },
    { flags: '--constraint <k=v>', description: 'any other constraint (k:=json for a value)', repeatable: true },
    {
      flags: '--from <file>',
      description: 'take actions, constraints and the rest from a JSON file (- for stdin)',
      values: 'file',
    },
  ],
};

/** A term: a duration, or `never`. */
export function lifetime(text: string): number | 'never' {
  const ms = text === 'never' ? text : durationMs(text);
  if (ms === 0) throw new Error('Expected a duration such as 90d, or never.');
  return ms;
}

/** ms from now; null for no expiry. */
export function expiryOf(given: number | 'never'): number | null {
  return given === 'never' ? null : given;
}

/** The constraints that a file and flags name. Limits without a currency are in that of `before`, or in dollars. */
export function constraintsOf(file: JsonObject, options: TermFlags, before: JsonObject = {}): JsonObject {
  const named = usable(() => pairs(options.constraint, parseJsonText, constraintText));
  const flags: Record<string, Json> = { ...((file.constraints ?? {}) as JsonObject), ...named };
  for (const [name, given] of Object.entries({
    monetary_limit: options.monetaryLimit,
    daily_limit: options.dailyLimit,
    currency: options.currency,
    allowed_domains: options.allowedDomain[0],
    rate_limit: options.rateLimit,
  })) {
    if (given !== undefined && named[name] !== undefined)
      throw new Failure('USAGE', `"${name}" is given twice, by its own flag and by --constraint.`);
  }
  // Decimal strings stay strings: money is never a binary float on its way in.
  if (options.monetaryLimit !== undefined) flags.monetary_limit = amount(options.monetaryLimit);
  if (options.dailyLimit !== undefined) flags.daily_limit = amount(options.dailyLimit);
  if (options.currency !== undefined) flags.currency = options.currency;
  if (options.allowedDomain.length > 0) flags.allowed_domains = [...options.allowedDomain];
  if (options.rateLimit !== undefined) flags.rate_limit = options.rateLimit;
  const money = flags.monetary_limit ?? flags.daily_limit;
  if (money !== undefined && !isObject(money) && flags.currency === undefined && before.currency === undefined)
    flags.currency = 'USD';
  return flags;
}

/** Constraints that are written as text. All others are numbers, lists or true, for which a text is never right. */
const WRITTEN_AS_TEXT = /^(?:monetary_limit|daily_limit|currency|rate_limit|x-.*)$/;

/** `max_instances=10` means the number. */
function constraintText(text: string, name: string): Json {
  if (WRITTEN_AS_TEXT.test(name)) return text;
  try {
    return parseJsonText(text);
  } catch {
    return text;
  }
}

/** A JSON number where it says exactly the same, else the decimal text. */
function amount(given: string): Json {
  return String(Number(given)) === given ? Number(given) : given;
}

const TEMPLATE = ['name', 'agent_name', 'domain', 'actions', 'denied_actions', 'constraints', 'metadata'];

/** What `--from` names. */
export async function template(path: string, cli: Notices & Surroundings): Promise<JsonObject> {
  return templateIn(await readJsonInput(path, cli), path);
}

/** What a change takes of a passport, signed or not; the rest is the principal's to say. */
const TAKEN = ['actions', 'denied_actions', 'constraints', 'metadata'];
/** Said anew with each signature. */
const ANEW = ['serial', 'issued_at', 'issuer_key_id', 'issuer_signature'];

/** What `--from` names, where a passport is changed. `whole`: it is a passport or a draft of one, which says all that the agent may do. */
export async function changeTemplate(
  path: string,
  { agent, document }: Passport,
  cli: Notices & Surroundings,
): Promise<{ readonly file: JsonObject; readonly whole: boolean }> {
  const json = await readJsonInput(path, cli);
  if (!isObject(json) || json.version === undefined || json.type !== undefined)
    return { file: templateIn(json, path), whole: false };
  const where = path === '-' ? 'stdin' : path;
  try {
    standIn(json, false);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${where} is neither a passport nor a draft of one: ${error.reason}.`, {
      hint: 'aip help passports',
    });
  }
  if (json.agent_id !== agent.id) throw new Failure('USAGE', `${where} is of another agent than ${agent.id}.`);
  const own = document as unknown as JsonObject;
  const left = Object.keys(json).filter(
    (member) =>
      ![...TAKEN, ...ANEW].includes(member) && canonicalize(json[member]!) !== canonicalize(own[member] ?? null),
  );
  if (left.length > 0) cli.note(`not taken from ${clean(where)}, where it differs: ${left.join(', ')}`);
  return { file: Object.fromEntries(TAKEN.map((member) => [member, json[member]!])), whole: true };
}

function templateIn(json: Json, path: string): JsonObject {
  const where = path === '-' ? 'stdin' : path;
  try {
    const object = objectOf(json, where, [], TEMPLATE);
    for (const list of ['actions', 'denied_actions']) {
      if (object[list] !== undefined && !Array.isArray(object[list]))
        throw new ShapeError(`"${list}" in ${where} is not a list`);
    }
    for (const member of ['constraints', 'metadata']) {
      if (object[member] !== undefined && !isObject(object[member]))
        throw new ShapeError(`"${member}" in ${where} is not an object`);
    }
    return object;
  } catch (error) {
    if (error instanceof ShapeError) throw new Failure('USAGE', `${error.reason}.`, { hint: 'aip help passports' });
    throw error;
  }
}

/** A text member of it. */
export function text(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' ? value : undefined;
}

/** What `read` gives; a value that does not parse is wrong use. */
export function usable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Failure('USAGE', error instanceof Error ? error.message : 'a value does not parse');
  }
}
