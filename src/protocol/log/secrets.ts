import { emptyObject, isObject, type Json, type JsonObject } from '../json/values.js';
import { wordsOf } from '../name-words.js';

/** What stands in the log where a secret stood. */
export const MASK = '[masked]';

// Whole words, and neighbouring words joined: `api_key`, `apiKey` and `apikey` are one name. `key` and `card` alone are not
// secret (an object's key, a greeting card). Masking too much costs a look at the original, masking too little a rotation.
const SECRET = new Set(
  (
    'password passwd passphrase passcode passkey pass pwd secret token credential cred auth authorization authentication ' +
    'authenticator bearer cookie session jwt otp totp pin apikey privatekey secretkey accesskey signingkey encryptionkey ' +
    'masterkey sshkey cvv cvc csc pan iban ssn cardnumber cardnum cardno creditcard debitcard cardpin accountpin ' +
    'socialsecurity passportnumber seedphrase recoveryphrase recoverycode backupcode mnemonic connectionstring dsn'
  ).split(' '),
);
// Names written without any separator: `clientsecret`, `dbpassword`, `passwordhash`.
const RUN_TOGETHER =
  /^passw(?:or)?d|^passphrase|(?:passw(?:or)?d|passphrase|secret|token|apikey|privatekey|credential)$/;
// One pass over the name answers for nearly every param of nearly every intent.
const MAY_BE_SECRET =
  /pass|pwd|secret|token|cred|auth|bearer|cookie|sess|jwt|otp|pin|key|cv[vc]|csc|pan|iban|ssn|card|social|phrase|code|mnemonic|string|dsn/i;

/** True when a param of this name is likely to hold a secret. `author` and `pinned` are not such names. */
export function isSecretName(name: string): boolean {
  if (!MAY_BE_SECRET.test(name)) return false;
  const words = wordsOf(name);
  return words.some((word, i) => {
    const next = words[i + 1];
    return isSecretWord(word) || (next !== undefined && isSecretWord(word + next));
  });
}

/**
 * The params as the log keeps them: whatever stands under a name that looks secret is replaced by `[masked]`, at any depth.
 * The same object comes back when there is nothing to mask. Depth is bounded by the parser.
 */
export function maskParams(params: JsonObject): JsonObject {
  let masked: Record<string, Json> | null = null;
  for (const name of Object.keys(params)) {
    const value = params[name]!;
    const kept = isSecretValue(name, value) ? MASK : maskValue(value);
    if (kept === value) continue;
    // Inheriting nothing, so that a param named `__proto__` stays a param.
    masked ??= Object.assign(emptyObject(), params);
    masked[name] = kept;
  }
  return masked ?? params;
}

function maskValue(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isObject(value)) return maskParams(value);
  let masked: Json[] | null = null;
  for (let i = 0; i < value.length; i++) {
    const kept = maskValue(value[i]!);
    if (kept === value[i]) continue;
    masked ??= [...value];
    masked[i] = kept;
  }
  return masked ?? value;
}

// null, true and false tell nothing that a name does not; a number of `tokens` counts them (`max_tokens: 500`).
function isSecretValue(name: string, value: Json): boolean {
  if (value === null || typeof value === 'boolean' || !isSecretName(name)) return false;
  return !(typeof value === 'number' && /tokens$/i.test(name));
}

function isSecretWord(word: string): boolean {
  const singular = word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
  return SECRET.has(word) || SECRET.has(singular) || RUN_TOGETHER.test(singular);
}

/** The details of a refusal as the log keeps them: what was requested under a param that looks secret is masked there as well. */
export function maskDetails(details: JsonObject | null): JsonObject | null {
  if (details === null || typeof details.param !== 'string' || details.requested === undefined) return details;
  return isSecretName(details.param) ? { ...details, requested: MASK } : details;
}
