/** What a command that signs is given: the action with its params, and where the key is. */
import { Failure } from '../../app/failure.js';
import { AGENT_KEY_VARIABLE } from '../../app/keys/keyring.js';
import type { KeyPlace } from '../../app/ports/state.js';
import { isRequestId } from '../../protocol/approvals/approval.js';
import { JsonError, parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { readJsonInput } from '../input/documents.js';
import { namedKeyPlace, type KeyPlaceFlags } from '../input/key-place.js';
import type { OptionSpec } from '../spec.js';
import { pairs } from '../input/values.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Notices & Surroundings;

export interface RequestFlags {
  readonly action?: string;
  readonly param: readonly string[];
  readonly params?: string;
  readonly target?: string;
}

export const REQUEST_OPTIONS: readonly OptionSpec[] = [
  { flags: '-a, --action <name>', description: 'the action', values: 'action' },
  {
    flags: '--param <k=text>',
    description: 'a param as text, or k:=json for numbers, lists and so on',
    repeatable: true,
  },
  { flags: '--params <json>', description: 'all params as JSON, or @file' },
  { flags: '-t, --target <text>', description: 'what the action is done to' },
];

export interface ApprovalRequestFlags {
  readonly approvalRequest?: string;
}

export const APPROVAL_REQUEST_OPTION: OptionSpec = {
  flags: '--approval-request <id>',
  description: 'the request that a person has approved: aip approvals list',
  value: requestId,
  values: 'request',
};

function requestId(text: string): string {
  if (isRequestId(text)) return text;
  throw new Error('is not 32 lower-case hex digits');
}

/** A place named by flag; else the environment, where this machine holds no key of its own and the variable is set. */
export function keyPlaceNamed(options: KeyPlaceFlags, held: boolean, cli: Scene): KeyPlace | null {
  return namedKeyPlace(options) ?? (!held && cli.io.env[AGENT_KEY_VARIABLE] !== undefined ? 'env' : null);
}

interface Given {
  readonly action?: string;
  readonly params?: JsonObject;
  readonly target?: string;
}

/** The request in a file, if there is one, overruled by the flags. */
export async function requestOf(
  file: string | undefined,
  options: RequestFlags,
  cli: Scene,
): Promise<{ action: string; params: JsonObject; target: string | null }> {
  const given: Given = file === undefined ? {} : shape(await readJsonInput(file, cli), file === '-' ? 'stdin' : file);
  const action = options.action ?? given.action;
  if (action === undefined)
    throw new Failure('USAGE', 'There is no action to sign.', { hint: 'name it with --action <name>' });
  let params: JsonObject;
  try {
    params = { ...given.params, ...(await paramsOf(options.params, cli)), ...pairs(options.param, parseJsonText) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('USAGE', error instanceof Error ? error.message : 'a param does not parse', {
      hint: '--param name=text or name:=json',
    });
  }
  return { action, params, target: options.target ?? given.target ?? null };
}

async function paramsOf(text: string | undefined, cli: Scene): Promise<JsonObject> {
  if (text === undefined) return {};
  const json = text.startsWith('@') ? await readJsonInput(text.slice(1), cli) : inlineJson(text);
  if (!isObject(json)) throw new Failure('USAGE', 'The params are not a JSON object.');
  return json;
}

/** What stands on the command line itself is wrong use, not a file that cannot be read. */
function inlineJson(text: string): Json {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const where = `${error.reason} at byte ${error.offset}`;
    throw new Failure('USAGE', `--params is not strict JSON: ${where}.`, { hint: `--params '{"amount": 50}'` });
  }
}

function shape(json: Json, where: string): Given {
  try {
    const object = objectOf(json, where, [], ['action', 'params', 'target']);
    const { action, params, target } = object;
    if (action !== undefined && typeof action !== 'string')
      throw new ShapeError(`"action" in ${where} is not a string`);
    if (target !== undefined && typeof target !== 'string')
      throw new ShapeError(`"target" in ${where} is not a string`);
    if (params !== undefined && !isObject(params)) throw new ShapeError(`"params" in ${where} is not an object`);
    return {
      ...(action === undefined ? {} : { action }),
      params: params ?? {},
      ...(target === undefined ? {} : { target }),
    };
  } catch (error) {
    if (error instanceof ShapeError) throw new Failure('USAGE', `${error.reason}.`, { hint: 'aip help intents' });
    throw error;
  }
}
