import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../app/failure.js';
import type { KeyStore } from '../../../app/ports/state.js';
import { formatSeed, parseSeed } from '../../../protocol/identity/keys.js';
import { ensurePrivateFolder } from '../../files/secret/private-file.js';
import { addonPaths } from './addon.js';
import { callKeychain } from './child.js';
import { CHILD_TIMEOUT_MS, type ChildReply, type ChildRequest } from './child-messages.js';
import { denied, missing, notThere, osRefusal, RESTORE, ringTrouble, timedOut, unloadable } from './reasons.js';
import { ringState, sessionBus, type RingState } from './secret-service.js';

const SERVICE = 'aip';
/** With the child's 3 s this keeps a call under 5 s. */
export const DIAGNOSIS_TIMEOUT_MS = 1000;
/** How long a creation waits for another one, in ms, and how often it looks. */
const TURN_TIMEOUT_MS = 2000;
/** Waiting and storing together, in ms: with the diagnosis under 5 s. */
const CREATION_MS = CHILD_TIMEOUT_MS + 200;
const TURN_PAUSE_MS = 20;

export interface KeychainOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where creations wait for one another, `<home>/keys`. */
  readonly folder: string;
  /** Where keytar's addon may be; found beside this package unless given. */
  readonly addons?: readonly string[];
}

/**
 * The keychain of the OS, through keytar: an item a key, under service `aip` and the key id as account, which is also the ref.
 * Nothing is loaded or asked before the first call. A keychain has no exclusive creation: of two that find an id free the later one's key
 * would stay, behind the earlier one's passport. So one process of a home creates at a time.
 */
export function keychain(options: KeychainOptions): KeyStore {
  const linux = process.platform === 'linux';

  async function call(op: ChildRequest['op'], account: string, secret: string | null): Promise<ChildReply> {
    const addons = options.addons ?? addonPaths();
    if (addons.length === 0) throw missing('the optional package keytar is not installed');
    const request = { addons, op, service: SERVICE, account, secret };
    if (!linux) return inTurn(request, options.env);
    // Without an address libsecret would try to start a bus of its own, which outlives the command.
    const bus = sessionBus(options.env);
    if (bus === null)
      throw missing(
        options.env['DBUS_SESSION_BUS_ADDRESS']
          ? 'there is no D-Bus session bus (DBUS_SESSION_BUS_ADDRESS names none that runs: disabled: or autolaunch:)'
          : 'there is no D-Bus session bus (DBUS_SESSION_BUS_ADDRESS is not set)',
      );
    return inTurn(request, { ...options.env, DBUS_SESSION_BUS_ADDRESS: bus });
  }

  async function inTurn(request: ChildRequest, env: KeychainOptions['env']): Promise<ChildReply> {
    if (request.op !== 'create') return callKeychain(request, env);
    const began = performance.now();
    const leave = await turn(options.folder);
    try {
      const left = CREATION_MS - (performance.now() - began);
      return await callKeychain(request, env, Math.min(CHILD_TIMEOUT_MS, left));
    } finally {
      leave();
    }
  }

  async function diagnose(account: string): Promise<RingState> {
    const bus = linux ? sessionBus(options.env) : null;
    return bus === null ? 'unknown' : ringState(bus, SERVICE, account, DIAGNOSIS_TIMEOUT_MS);
  }

  /** The failure behind a reply that is no answer. */
  async function trouble(
    reply: Exclude<ChildReply, { kind: 'answered' | 'exists' }>,
    op: ChildRequest['op'],
    account: string,
  ): Promise<Failure> {
    if (reply.kind === 'unloadable') return unloadable(reply.reason);
    const state = await diagnose(account);
    if (state === 'locked' || reply.kind !== 'timeout') {
      const known = ringTrouble(state);
      if (known !== null) return known;
    }
    if (reply.kind === 'timeout' || state === 'silent') return timedOut(op === 'create');
    return reply.kind === 'refused' ? osRefusal(reply.reason) : denied(`its process ended early (${reply.reason}).`);
  }

  /** Fails unless "not there" can be believed: a locked ring says it too. */
  async function confirmAbsent(account: string): Promise<void> {
    const state = await diagnose(account);
    if (state === 'silent') throw timedOut(false);
    const known = state === 'empty' ? null : ringTrouble(state);
    if (known !== null) throw known;
  }

  return {
    name: 'keychain',

    async read(ref) {
      const reply = await call('read', ref, null);
      if (reply.kind !== 'answered') throw reply.kind === 'exists' ? unexpected() : await trouble(reply, 'read', ref);
      if (reply.value === null) {
        await confirmAbsent(ref);
        throw notThere(ref);
      }
      const seed = parseSeed(String(reply.value));
      if (seed === null)
        throw new Failure('UNREADABLE', `The keychain item for ${ref} does not hold an Ed25519 key.`, {
          hint: RESTORE,
        });
      return seed;
    },

    refOf: (keyId) => keyId,

    async create(keyId, seed) {
      const secret = formatSeed(seed);
      const reply = await call('create', keyId, secret);
      if (reply.kind === 'exists') {
        throw new Failure('EXISTS', `The keychain already holds a key for ${keyId}; it was left as it is.`, {
          hint: "if no passport carries it, remove it with the keychain's own program, or keep this key elsewhere: --key-store file",
        });
      }
      if (reply.kind !== 'answered') throw await trouble(reply, 'create', keyId);
      // Some rings take a write and drop it; a passport for a key that is nowhere would be the result.
      if (reply.value !== secret) throw denied('it took the key, and did not give it back when asked.');
      return keyId;
    },

    async delete(ref) {
      const reply = await call('delete', ref, null);
      if (reply.kind !== 'answered') throw reply.kind === 'exists' ? unexpected() : await trouble(reply, 'delete', ref);
      if (reply.value !== true) await confirmAbsent(ref);
      return reply.value === true;
    },
  };
}

/** Waits for the other creations of this home. @throws Failure KEYSTORE_TIMEOUT */
async function turn(folder: string): Promise<() => void> {
  ensurePrivateFolder(folder);
  // SQLite may be missing on this machine, which stops no look into a keychain.
  const { isTakenLock, lockFile } = await import('../../sqlite/file/lock.js');
  for (const began = performance.now(); ;) {
    try {
      return lockFile(join(folder, 'keychain.lock'));
    } catch (error) {
      if (!isTakenLock(error)) throw error;
      if (performance.now() - began >= TURN_TIMEOUT_MS)
        throw new Failure(
          'KEYSTORE_TIMEOUT',
          'Another command is storing a key in the keychain. Nothing was changed.',
          {
            hint: 'run this again',
            retryable: true,
            cause: error,
          },
        );
    }
    await sleep(TURN_PAUSE_MS);
  }
}

function unexpected(): Failure {
  return denied('its process gave an answer to another question.');
}
