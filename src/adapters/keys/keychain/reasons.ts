import { Failure } from '../../../app/failure.js';
import type { RingState } from './secret-service.js';

/** What a keychain call can end with instead of an answer, one constructor a kind, so that no two are mistaken for another. */

const OTHER_STORES =
  'choose another store: --key-store file (encrypted with a passphrase) or --key-store env; for all commands and programs: AIP_KEY_STORE=file';

/** What to do about an item that is gone or damaged. */
export const RESTORE = 'restore the key from a backup; an agent can get a new one: aip passport rotate <agent>';

export function missing(why: string): Failure {
  return new Failure('KEYSTORE_MISSING', `There is no keychain to use here: ${why}.`, { hint: OTHER_STORES });
}

function locked(): Failure {
  return new Failure('KEYSTORE_LOCKED', 'The keychain is locked, and was not unlocked in time.', {
    hint: `unlock it (log in to the desktop, or enter its password in its dialog) and run this again, or ${OTHER_STORES}`,
    retryable: true,
  });
}

export function timedOut(storing: boolean): Failure {
  const doubt = storing ? ' The key may or may not have been stored.' : '';
  return new Failure('KEYSTORE_TIMEOUT', `The keychain did not answer in time; the call was ended.${doubt}`, {
    hint: `restart the keychain or log in again, then run this again, or ${OTHER_STORES}`,
    retryable: true,
  });
}

export function denied(reason: string): Failure {
  return new Failure('KEYSTORE_DENIED', `The keychain refused: ${reason}`, {
    hint: `allow the access in the system's keychain application, or ${OTHER_STORES}`,
  });
}

export function notThere(account: string): Failure {
  return new Failure('KEY_NOT_FOUND', `The keychain works, but holds no key for ${account}.`, {
    hint: RESTORE,
  });
}

/** What is wrong with a secret service in this state; null when nothing is known to be. */
export function ringTrouble(state: RingState): Failure | null {
  switch (state) {
    case 'unreachable':
      return missing('the D-Bus session bus cannot be reached at its address');
    case 'absent':
      return missing('no secret service runs on the D-Bus session bus');
    case 'empty':
      return missing('the secret service has no default keyring');
    case 'locked':
      return locked();
    case 'silent':
    case 'open':
    case 'unknown':
      return null;
  }
}

/** Why keytar's addon did not load, from the dynamic linker's words. */
export function unloadable(reason: string): Failure {
  const library = /\blib[\w+-]+\.so[\w.]*/.exec(reason)?.[0];
  return missing(
    library === undefined ? 'keytar has no build for this system' : `the library ${library} is not installed`,
  );
}

/** The OS's own refusal on macOS (SecCopyErrorMessageString) and Windows (FormatMessage), which speak through keytar. */
export function osRefusal(reason: string): Failure {
  if (/interaction is not allowed|user canceled|keychain.*locked/i.test(reason)) return locked();
  if (/default keychain could not be found|no keychain is available|logon session does not exist/i.test(reason)) {
    return missing(quoted(reason));
  }
  return denied(`${quoted(reason)}.`);
}

/** Words from outside: one short line, no control bytes, and nothing as long as a key. */
function quoted(reason: string): string {
  const line = reason.replace(/[\p{C}\s]+/gu, ' ').replace(/[0-9A-Za-z_-]{40,}/g, '…');
  return line.trim().replace(/\.$/, '').slice(0, 200);
}
