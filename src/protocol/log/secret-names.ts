import { wordsOf } from '../naming/name-words.js';

// Whole words, and neighbouring words joined: `api_key`, `apiKey` and `apikey` are one name. `key` and `card` alone are not
// secret (an object's key, a greeting card). Masking too much costs a look at the original, masking too little a rotation.
const SECRET = new Set(
  (
    'password passwd passphrase passcode passkey pass pwd secret token credential cred auth authkey authorization authentication ' +
    'authenticator bearer cookie session jwt otp totp pin apikey privatekey secretkey accesskey signingkey encryptionkey ' +
    'masterkey sshkey cvv cvc csc pan iban ssn cardnumber cardnum cardno creditcard debitcard cardpin accountpin ' +
    'socialsecurity passportnumber pat sshpass accountkey sharedaccesskey storagekey hmackey deploykey licensekey seedphrase recoveryphrase recoverycode backupcode mnemonic connectionstring dsn'
  ).split(' '),
);
// Names written without any separator: `clientsecret`, `dbpassword`, `passwordhash`.
const RUN_TOGETHER =
  /^passw(?:or)?d|^passphrase|(?:passw(?:or)?d|passphrase|secret|token|apikey|privatekey|credential|storepass|keypass|requirepass)$/;
// One pass over the name answers for nearly every param of nearly every intent.
const MAY_BE_SECRET =
  /pass|pwd|pat|secret|token|cred|auth|bearer|cookie|sess|jwt|otp|pin|key|cv[vc]|csc|pan|iban|ssn|card|social|phrase|code|mnemonic|string|dsn/i;

/** True when a param of this name is likely to hold a secret. `author` and `pinned` are not such names. */
export function isSecretName(name: string): boolean {
  if (!MAY_BE_SECRET.test(name)) return false;
  const words = wordsOf(name);
  return words.some((word, i) => {
    const next = words[i + 1];
    return isSecretWord(word) || (next !== undefined && isSecretWord(word + next));
  });
}

function isSecretWord(word: string): boolean {
  const singular = word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
  return SECRET.has(word) || SECRET.has(singular) || RUN_TOGETHER.test(singular);
}
