/** This machine's own key as a verifier: made with its state, plain, mode 0600, because it signs without a person at the keyboard. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import type { VerifierKey } from '../../../mesh/roster/member.js';
import { toHex } from '../../../protocol/hex.js';
import { formatSeed, parseSeed } from '../../../protocol/identity/keys.js';
import { createPrivate, readPrivate } from '../../files/secret/private-file.js';
import { signerOf } from '../mesh-key.js';

const MAX_BYTES = 256;

/** The public half of the key beside the state file; null where there is none yet. Nothing is made. Fails as `verifierKey` does. */
export function knownVerifierKey(stateFile: string): string | null {
  return readPrivate(pathOf(stateFile), MAX_BYTES) === null ? null : verifierKey(stateFile).publicKey;
}

/**
 * Makes the key where there is none, as the state is made: made at its first use, it could be made by who wants to sign as this machine. Where it
 * cannot be written, its first use says so.
 */
export function makeVerifierKey(stateFile: string): void {
  const path = pathOf(stateFile);
  try {
    if (readPrivate(path, MAX_BYTES) === null)
      createPrivate(path, `${formatSeed(randomBytes(32))}\n`, toHex(randomBytes(6)));
  } catch (error) {
    if (error instanceof TypeError) throw error;
  }
}

/** The key beside the state file, made where there is none. Fails with KEYSTORE_DENIED when others may read it. */
export function verifierKey(stateFile: string): VerifierKey {
  const path = pathOf(stateFile);
  if (readPrivate(path, MAX_BYTES) === null) {
    try {
      createPrivate(path, `${formatSeed(randomBytes(32))}\n`, toHex(randomBytes(6)));
    } catch (error) {
      // Another process of this machine was first.
      if (readPrivate(path, MAX_BYTES) === null) throw error;
    }
  }
  const file = readPrivate(path, MAX_BYTES);
  if (file === null || file.exposed) {
    throw new Failure('KEYSTORE_DENIED', `${path} can be read or changed by others.`, {
      hint: `chmod 600 ${shellWord(path)}`,
    });
  }
  const seed = parseSeed(file.bytes.toString('latin1').trim());
  if (seed === null) {
    throw new Failure('STATE', `${path} holds no Ed25519 key.`, {
      hint: `rm ${shellWord(path)}; this machine is then another verifier to the mesh: aip mesh forget takes the old one off`,
    });
  }
  return signerOf(seed);
}

function pathOf(stateFile: string): string {
  return join(dirname(stateFile), 'verifier.key');
}
