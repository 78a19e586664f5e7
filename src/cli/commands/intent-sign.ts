import { Failure } from '../../app/failure.js';
import { findPassport } from '../../app/find-passport.js';
import { AGENT_KEY_VARIABLE, openKey } from '../../app/keyring.js';
import type { KeyStoreName } from '../../app/ports.js';
import { signIntent } from '../../app/sign-intent.js';
import { createFile, readDocument } from '../../adapters/files.js';
import type { IntentDocument } from '../../protocol/intent.js';
import { parseJsonText } from '../../protocol/json.js';
import type { Passport } from '../../protocol/passport.js';
import { objectOf, ShapeError } from '../../protocol/shape.js';
import { isObject, type JsonObject } from '../../protocol/values.js';
import type { Cli } from '../cli.js';
import { jsonIn, readInput, readJsonInput } from '../input.js';
import { KEY_OPTIONS, PASSPHRASE_OPTION } from '../options.js';
import { preview } from '../preview.js';
import type { CommandSpec } from '../spec.js';
import { integer, pairs } from '../values.js';
import { keyring, random } from '../wiring.js';

interface Options {
  readonly passport: string;
  readonly action?: string;
  readonly param: readonly string[];
  readonly params?: string;
  readonly target?: string;
  readonly timestamp?: number;
  readonly check?: boolean;
  readonly out?: string;
  readonly keyStore?: KeyStoreName;
  readonly envFile?: string;
  readonly passphraseFile?: string;
}

export const command: CommandSpec<Options> = {
  path: ['intent', 'sign'],
  summary: 'Sign what an agent intends to do',
  detail:
    'Warns, naming the code, when a verifier would refuse the intent; a passport cannot stop its agent from signing.',
  args: [
    { name: 'file', description: 'JSON with action, params and target (- for stdin)', required: false, values: 'file' },
  ],
  options: [
    {
      title: 'What',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'passport file, agent id, or name of a known passport',
          values: 'agent',
        },
        { flags: '-a, --action <name>', description: 'the action' },
        {
          flags: '--param <k=text>',
          description: 'a param as text, or k:=json for numbers, lists and so on',
          repeatable: true,
        },
        { flags: '--params <json>', description: 'all params as JSON, or @file' },
        { flags: '-t, --target <text>', description: 'what the action is done to' },
        {
          flags: '--timestamp <seconds>',
          description: 'Unix seconds (default: now)',
          value: integer(0, 99_999_999_999),
        },
      ],
    },
    {
      title: 'How',
      options: [
        { flags: '--check', description: 'sign nothing that a verifier would refuse' },
        { flags: '-o, --out <file>', description: 'write to a new file instead of stdout', values: 'file' },
        ...KEY_OPTIONS,
        PASSPHRASE_OPTION,
      ],
    },
  ],
  examples: [
    {
      run: 'aip intent sign -p support-agent-v1 -a issue_refund --param order_id=8472 --param amount:=50',
      why: 'by hand',
    },
    { run: 'aip intent sign request.json -p support-agent-v1 --check -o intent.json', why: 'in a script' },
  ],
  exits: {
    3: 'the passport or a file does not exist',
    4: 'the key store is missing, locked or refuses',
    10: 'with --check: refused, as `aip intent verify` would (also 12, 13, 14)',
  },
  touches: ['files', 'state', 'keychain'],
  topics: ['intents', 'keys'],

  async run({ args, options }, cli) {
    if (options.passport === undefined)
      throw new Failure('USAGE', 'Whose intent is it?', { hint: 'name the agent with --passport <file>' });
    const ring = await keyring(cli, options);
    const { passport } = await findPassport({ state: ring.state, readFile: readDocument }, options.passport);
    const request = await requestOf(args[0], options, cli);
    const { keyId, key } = passport.currentKey;
    const held = await openKey(ring, keyId, key.publicKey, storeNamed(options, ring.state.key(keyId) !== null, cli));
    const now = cli.io.now();
    const intent = signIntent(passport, held, {
      ...request,
      timestamp: options.timestamp ?? Math.floor(now / 1000),
      nonce: random(16),
    });
    const refused = await foreseen(passport, intent, options, cli);
    if (refused !== null) return refused;
    if (options.out === undefined || options.out === '-')
      cli.out(JSON.stringify(intent, null, cli.io.stdout.isTTY === true ? 2 : undefined));
    else await createFile(options.out, `${JSON.stringify(intent)}\n`);
    return 0;
  },
};

/** A store named by flag; else the environment, where this machine holds no key of its own and the variable is set. */
function storeNamed(options: Options, held: boolean, cli: Cli): KeyStoreName | null {
  if (options.keyStore !== undefined) return options.keyStore;
  if (options.envFile !== undefined) return 'env';
  return !held && cli.io.env[AGENT_KEY_VARIABLE] !== undefined ? 'env' : null;
}

/** Says what a verifier would answer; with `--check` its refusal is ours. */
async function foreseen(
  passport: Passport,
  intent: IntentDocument,
  options: Options,
  cli: Cli,
): Promise<number | null> {
  const judgement = await preview(cli, passport, intent);
  const { decision } = judgement;
  if (decision.success) return null;
  if (options.check !== true) {
    cli.warn(
      `a verifier would refuse this: ${decision.error_code} ${decision.error_message}. ${decision.message}`,
      decision.error_code!,
    );
    return null;
  }
  const { report } = await import('../refusal.js');
  return report(judgement, cli);
}

interface Given {
  readonly action?: string;
  readonly params?: JsonObject;
  readonly target?: string;
}

async function requestOf(
  file: string | undefined,
  options: Options,
  cli: Cli,
): Promise<{ action: string; params: JsonObject; target: string | null }> {
  const given: Given = file === undefined ? {} : shape(await readJsonInput(file, cli), file);
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

async function paramsOf(text: string | undefined, cli: Cli): Promise<JsonObject> {
  if (text === undefined) return {};
  const fromFile = text.startsWith('@');
  const bytes = fromFile ? await readInput(text.slice(1), cli) : Buffer.from(text);
  const json = jsonIn(bytes, fromFile ? text.slice(1) : '--params');
  if (!isObject(json)) throw new Failure('USAGE', 'The params are not a JSON object.');
  return json;
}

function shape(json: ReturnType<typeof jsonIn>, where: string): Given {
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
