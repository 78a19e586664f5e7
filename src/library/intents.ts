import { usage } from '../app/failure.js';
import { plainParams } from '../app/verification/plain-json.js';
import { signIntent as sign, signIntentNow, type IntentRequest } from '../app/signing/intent.js';
import type { IntentDocument } from '../protocol/intent.js';
import { fromHex } from '../protocol/hex.js';
import type { Passport } from '../protocol/passport.js';
import { AgentPassport, parsedOf } from './agent-passport.js';
import { onlyKnown, textOption } from './options/given.js';
import { heldKey, KEY_OPTION_NAMES, seedOf, type KeyOptions, type OpenKeys } from './options/keys.js';
import type { Passports } from './passports.js';
import type { World } from '../workspace/world.js';

/** What an agent intends to do. */
export interface IntentOptions {
  /** A name that the passport declares; whether it does is the verifier's question. */
  readonly action: string;
  /** JSON. Amounts as numbers or decimal strings, in whole units: `{amount: '19.99'}`. Default: none. */
  readonly params?: object;
  /** What the action is done to, where params do not say. */
  readonly target?: string;
  /** The request for approval that was approved: `details.request_id` of the refusal (AIP-E209). */
  readonly approvalRequest?: string;
}

/** What an agent intends to do, and with whose key it says so. */
export interface CreateIntentOptions extends IntentOptions, KeyOptions {
  /** The agent, by id or name, when its passport is known here. Give this or `passport`. */
  readonly agentId?: string;
  /** The agent's passport, or the path of its file. */
  readonly passport?: AgentPassport | string;
  /** Unix seconds. Default: now. */
  readonly timestamp?: number;
}

/** An intent with its time and nonce chosen by the caller. */
export interface SignIntentRequest extends IntentOptions {
  /** Unix seconds. */
  readonly timestamp: number;
  /** 32 to 128 hex digits, from a CSPRNG and never used before: a nonce that can be guessed can be spent by another. */
  readonly nonce: string;
}

const REQUEST = ['action', 'params', 'target', 'timestamp', 'approvalRequest'] as const;
const SIGN: ReadonlySet<string> = new Set([...REQUEST, 'nonce']);
const CREATE: ReadonlySet<string> = new Set([...REQUEST, 'agentId', 'passport', ...KEY_OPTION_NAMES]);

/**
 * Signs an intent from its arguments alone: no clock, no randomness, no key store.
 * @param privateKey `ed25519:` and 64 hex digits, the passport's current key
 * @throws Failure USAGE, KEY_NOT_FOUND (another key); never with key material in its text
 */
export function signIntent(passport: AgentPassport, privateKey: string, request: SignIntentRequest): IntentDocument {
  onlyKnown(request, SIGN, 'signIntent');
  const text = textOption(request.nonce, 'nonce');
  const nonce = /^(?:[0-9a-f]{2}){16,64}$/.test(text) ? fromHex(text) : null;
  if (nonce === null) throw usage('The nonce is not 32 to 128 lower-case hex digits.', 'take 16 bytes from a CSPRNG');
  const parsed = parsedOf(passport);
  return signIntentNow(parsed, heldKey(parsed, seedOf(privateKey)), { ...asked(request, request.timestamp), nonce });
}

/** Signs intents with the keys of this machine. */
export class Intents {
  readonly #world: World;
  readonly #keys: OpenKeys;
  readonly #passports: Passports;

  constructor(world: World, keys: OpenKeys, passports: Passports) {
    this.#world = world;
    this.#keys = keys;
    this.#passports = passports;
  }

  async create(options: CreateIntentOptions): Promise<IntentDocument> {
    onlyKnown(options, CREATE, 'createIntent');
    return this.sign(await this.#passportOf(options), options, options.timestamp);
  }

  async sign(passport: Passport, options: IntentOptions & KeyOptions, given?: number): Promise<IntentDocument> {
    const request = asked(options, given ?? 0);
    const key = await this.#keys.open(passport, options);
    // Once the key is open: a passphrase that was waited for must not make the intent old.
    const timestamp = given ?? Math.floor(this.#world.clock() / 1000);
    return sign(passport, key, { ...request, timestamp, nonce: this.#world.random(16) });
  }

  async #passportOf({ agentId, passport }: CreateIntentOptions): Promise<Passport> {
    if ((agentId === undefined) === (passport === undefined))
      throw usage('createIntent needs either agentId or passport.');
    const from = (passport ?? agentId)!;
    return parsedOf(typeof from === 'string' ? await this.#passports.load(from) : from);
  }
}

/** Beyond it are milliseconds of our days, which every verifier would refuse as dated ahead. As `intent sign --timestamp` has it. */
const LAST_SECOND = 99_999_999_999;

function asked(
  { action, params, target, approvalRequest }: IntentOptions,
  timestamp: number,
): Omit<IntentRequest, 'nonce'> {
  if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp > LAST_SECOND)
    throw usage('"timestamp" is not a whole number of Unix seconds.', 'milliseconds divided by 1000');
  return {
    action: textOption(action, 'action'),
    params: plainParams(params ?? {}),
    target: target === undefined ? null : textOption(target, 'target'),
    timestamp,
    ...(approvalRequest === undefined ? {} : { approvalRequest: textOption(approvalRequest, 'approvalRequest') }),
  };
}
