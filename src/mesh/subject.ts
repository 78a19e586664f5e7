/** Subjects of the mesh's log, in their canonical spelling (protocol, section 1). */
import { principalOfAgent } from '../protocol/identity/did.js';
import { formatPublicKey } from '../protocol/identity/keys.js';
import { readPublicKey } from '../protocol/identity/public-key-forms.js';
import { principalNamedBy, subjectOf } from '../protocol/identity/subject.js';

export { EVERYONE } from '../protocol/identity/subject.js';

/** What kind of subject an event speaks of. */
export type Scope = 'agent' | 'principal' | 'key' | 'mesh';

/** What kind of subject `text` names in whatever spelling; null when it names none. */
export function scopeOf(text: string): Scope | null {
  return subjectOf(text)?.kind ?? null;
}

/** The canonical spelling of the subject in `text`; null when it names none. Logs, copies and answers hold no other. */
export function canonicalSubject(text: string): string | null {
  return subjectOf(text)?.id ?? null;
}

/**
 * The subject that an order, or a question about standing, means by `text`; null when it names none. A did:key is its key: a deny of the key
 * stops the did:key too, and everything else that the key signs.
 */
export function orderSubject(text: string): string | null {
  const spelled = text.startsWith('did:key:') ? readPublicKey(text) : null;
  return spelled?.kind === 'key' ? formatPublicKey(spelled.publicKey) : canonicalSubject(text);
}

/** The principal that an agent id names by its domain. `check` runs on every verification, so it must not parse. */
export const principalOf = principalNamedBy;

/** True for a key that is named by its id, `<did>#key-<n>`, and not by its text. */
export function isNamedKey(subject: string): boolean {
  return scopeOf(subject) === 'key' && !subject.startsWith('ed25519:');
}

/** Names that programs of the first version take for an agent's. */
const FIRST_VERSION_NAME = /^[\x21-\x7e]+$/;

/** True where a program of the first version takes `subject` for one: it knows neither keys nor agents of other forms, and stops at what it cannot read. */
export function readByFirstVersion(subject: string): boolean {
  const scope = scopeOf(subject);
  return scope === 'agent' ? principalOfAgent(subject) !== null && FIRST_VERSION_NAME.test(subject) : scope !== 'key';
}

/** What drills are given with: a subject that is no agent, under a domain that is reserved (RFC 2606). */
const CANARY = 'did:web:drill.invalid:agents:';

/** True of the subject of a drill, which belongs into no list of agents. */
export function isCanary(subject: string): boolean {
  return subject.startsWith(CANARY);
}
