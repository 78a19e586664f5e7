/** Passports in the log of a mesh: which one is in force of each agent, and what may take its place. */
import { verifyKeyOf, verifySignature } from '../protocol/ed25519/verify.js';
import { parsePublicKey } from '../protocol/identity/keys.js';
import type { Passport } from '../protocol/passport.js';
import type { MeshEvent } from './log/event.js';
import { refusal, type MeshRefusal } from './refusal.js';

/** The passport in force of an agent, as the log tells it. */
export interface PassportMark {
  readonly agent: string;
  /** Null where it was withdrawn: then the mesh demands nothing of the agent's passport. */
  readonly serial: number | null;
  /** `sha256:` and hex of the document; null with the serial. */
  readonly hash: string | null;
  /** The event that last spoke of it. */
  readonly seq: number;
}

/** A principal's key whose passports this mesh takes. */
export interface RegisteredKey {
  readonly did: string;
  /** `ed25519:<64 hex>`. */
  readonly publicKey: string;
  /** ms since the epoch. */
  readonly addedAt: number;
  /** Label or id of the API key that added it. */
  readonly addedBy: string;
}

/** What asks for a passport to be in force, or none. */
export interface PassportCommand {
  readonly cmdId: string;
  readonly action: 'publish' | 'withdraw';
  /** The agent. */
  readonly subject: string;
  readonly serial: number | null;
  readonly hash: string | null;
  /** The document's canonical text; null with `withdraw`. */
  readonly document: string | null;
  readonly by: string | null;
  /** An admin said that a leap of serials is meant. */
  readonly force: boolean;
}

/** Largest leap of serials without `force`: a mistyped 3000000 would shut out every passport that can follow. */
const MAX_SERIAL_LEAP = 1_000;

/** The mark that an event makes; null of every other event. */
export function markOf(event: MeshEvent): PassportMark | null {
  if (event.type !== 'passport') return null;
  return {
    agent: event.agent_id,
    serial: event.serial ?? null,
    hash: event.passport_hash ?? null,
    seq: event.seq,
  };
}

/** The registered key that signed the passport; null where none did. */
export function signerAmong(passport: Passport, keys: readonly RegisteredKey[]): RegisteredKey | null {
  const signed = keys.find(({ did, publicKey }) => {
    const raw = did === passport.document.principal ? parsePublicKey(publicKey) : null;
    const key = raw === null ? null : verifyKeyOf(raw);
    return key !== null && verifySignature(key, passport.signedBytes, passport.signature);
  });
  return signed ?? null;
}

/** Why a passport may not follow the one in force; null when it may. `same`: it is that one. */
export function succession(command: PassportCommand, before: PassportMark | null): 'same' | MeshRefusal | null {
  const { serial, hash, subject } = command;
  const known = before?.serial ?? null;
  if (serial === null) return known === null ? 'same' : null;
  if (known !== null && serial === known) {
    if (hash === before!.hash) return 'same';
    const message = `Another passport of ${subject} with serial ${serial} is in force here, and stays so.`;
    return refusal('PASSPORT_CONFLICT', message, { serial, passport_hash: hash, known_hash: before!.hash });
  }
  if (known !== null && serial < known) {
    const message = `The passport of ${subject} has serial ${serial}, and ${known} is in force here: the next one takes ${known + 1}.`;
    return refusal('PASSPORT_SUPERSEDED', message, { serial, known_serial: known });
  }
  if (serial - (known ?? 0) > MAX_SERIAL_LEAP && !command.force) {
    const message = `Serial ${serial} is more than ${MAX_SERIAL_LEAP} above ${known ?? 0}: an admin says with --force that it is meant.`;
    return refusal('SERIAL_LEAP', message, { serial, known_serial: known });
  }
  return null;
}
