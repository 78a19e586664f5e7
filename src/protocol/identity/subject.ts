/**
 * Whom a verifier accepts, an operator can stop: one grammar and one canonical form for ids of agents and principals, and for keys.
 * What has no canonical form here is accepted by no dialect and denied by no command.
 */
import { normalizeDomain } from '../constraints/domains.js';
import { isAgentId, parsePrincipalId } from './did.js';
import { formatPublicKey, parsePublicKey } from './keys.js';

/** The subject that stands for the whole mesh: denying it stops every agent. */
export const EVERYONE = '*';

/** Longest id in characters: it has to fit into an event of the mesh with room for a reason. */
const MAX_SUBJECT = 512;

/** What a subject is. `agent` holds every id that is not one of the others: a deny of it denies it wherever it stands. */
export type SubjectKind = 'agent' | 'principal' | 'key' | 'mesh';

/** What can be stopped (protocol, section 1). */
export interface Subject {
  readonly kind: SubjectKind;
  /** The canonical spelling: an id, a key id, `ed25519:` and 64 lower-case hex digits, or `*`. */
  readonly id: string;
}

/** What an id is made of, for messages. */
export const ID_FORM = `a DID of up to ${MAX_SUBJECT} characters of ASCII without white space and "#"`;

const DID_WEB = 'did:web:';
const KEY_TEXT = 'ed25519:';
/** A DID (a bare name is a name, and stands for another agent elsewhere) without `#`, which begins the name of a key, and white space. */
const NAMEABLE = /^did:[a-z0-9]+:[\x21\x22\x24-\x7e]+$/;
/** Letters, digits and `- . _ ~` (RFC 3986, section 2.3). */
const ESCAPED_UNRESERVED = /%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi;
const KEY_ID = /^(.+)#(key-(?:0|[1-9][0-9]{0,8}))$/;
const HOST_AND_PORT = /^(.*?)(%3A[0-9]*)?$/;

/**
 * The one spelling of an id, or null where it has none. Of a `did:web`: the host by UTS 46 without a final dot, `%3A` in upper case,
 * digits straight behind the host and before `agents` as its port, escapes of unreserved characters undone. Everything else,
 * and every other id, is exact.
 */
export function canonicalId(text: string): string | null {
  if (isAgentId(text)) return text;
  if (text.length > MAX_SUBJECT) return null;
  const id = text.startsWith(DID_WEB) ? DID_WEB + canonicalWeb(text.slice(DID_WEB.length)) : text;
  return id.length <= MAX_SUBJECT && NAMEABLE.test(id) ? id : null;
}

function canonicalWeb(text: string): string {
  const undone = withoutNeedlessEscapes(text).replaceAll('%3a', '%3A');
  const [first = '', ...path] = undone.split(':');
  const [, host = '', port = ''] = HOST_AND_PORT.exec(first) ?? [];
  if (port === '' && path[1] === 'agents' && /^[0-9]+$/.test(path[0]!)) {
    const [digits, ...rest] = path;
    return [`${canonicalHost(host)}%3A${digits}`, ...rest].join(':');
  }
  return [canonicalHost(host) + port, ...path].join(':');
}

/** To the end, so that what one pass leaves (`%%341`) is no second spelling. Each pass is shorter than the one before. */
function withoutNeedlessEscapes(text: string): string {
  let before: string;
  let after = text;
  do {
    before = after;
    after = before.replace(ESCAPED_UNRESERVED, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16)));
  } while (after !== before);
  return after;
}

/** What is no domain name (an underscore, an address) is still compared without regard to case and the root's dot. */
function canonicalHost(host: string): string {
  if (host.includes('%')) return host;
  const name = normalizeDomain(host);
  if (name !== null) return name;
  let end = host.length;
  while (host[end - 1] === '.') end--;
  return host.slice(0, end).toLowerCase();
}

/** The subject that `text` names, in its canonical spelling; null when it names none. */
export function subjectOf(text: string): Subject | null {
  if (text === EVERYONE) return { kind: 'mesh', id: EVERYONE };
  if (text.startsWith(KEY_TEXT)) {
    const key = parsePublicKey(text);
    return key === null ? null : { kind: 'key', id: formatPublicKey(key) };
  }
  const [, holder, fragment] = KEY_ID.exec(text) ?? [];
  const id = canonicalId(holder ?? text);
  if (id === null) return null;
  if (fragment !== undefined) {
    const keyId = `${id}#${fragment}`;
    return keyId.length <= MAX_SUBJECT ? { kind: 'key', id: keyId } : null;
  }
  return { kind: parsePrincipalId(id) === null ? 'agent' : 'principal', id };
}

/** The principal that an agent's canonical id names; the id itself where it names none. Runs on every check, so it does not parse. */
export function principalNamedBy(agentId: string): string {
  const end = agentId.indexOf(':agents:');
  return end === -1 ? agentId : agentId.slice(0, end);
}
