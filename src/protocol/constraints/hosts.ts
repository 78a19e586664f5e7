/**
 * Reads every host that a param value could make an executor talk to: addresses, URLs, bare hosts, lists of them. Whatever cannot be
 * read in exactly one way is reported as unreadable, and is refused: skipping it would let an attacker write what only the mail
 * library or HTTP client behind us understands.
 */
import { normalizeDomain } from './domains.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';
import { lazy } from '../lazy.js';
import { heldBy, nameOf, vocabularyOf } from '../naming/names.js';
import { STRONG_DESTINATIONS } from '../naming/vocabulary.js';

/** A host that a text names, or why what it names cannot be read. */
export type HostReading =
  | { readonly ok: true; /** As `normalizeDomain` writes it. */ readonly host: string; readonly text: string }
  | { readonly ok: false; readonly text: string; readonly reason: string };

/** Most addresses, URLs and hosts that are read in one value. */
const MAX_READINGS = 1024;
/** As much of an unreadable text as a report shows. */
const SHOWN = 256;

// Browsers strip tabs and newlines from URLs and treat `\` as `/`; mail libraries end a header at a newline; UTS 46 drops what is invisible.
const HIDDEN = lazy(() => /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\\]|(?! )\p{Zs}/u);
const PRINTABLE_ASCII = /^[\x20-\x5b\x5d-\x7e]*$/;
// With the schemes around it: `jdbc:postgresql://db.acme.com/main`. Behind one of the web the host follows, with slashes or without
// (`ftp:evil.com://acme.com`), and a name with a dot is a host to git (`evil.com:x://acme.com`).
const URL_TEXT =
  /^((?:(?!(?:https?|wss?|ftp|mailto):)[a-z][a-z0-9+-]*:)*[a-z][a-z0-9+.-]*):\/\/([^/?#]+)(?:[/?#][^\s<>"]*)?$/i;
// What follows these is a program or a local thing, whatever stands where a host would.
const NO_HOST = /(?:^|:)(?:javascript|vbscript|data|file|blob|about|view-source)(?:$|:)/i;
const WEB = /^(?:https?|wss?)$/i;
const SPECIAL = /^(?:https?|wss?|ftp)$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const MAILTO = /^mailto:/i;
const AUTHORITY = /^([^:]+?)(?::([0-9]{1,5}))?$/;
// No `%` and `!` (old routing: user%evil.com@acme.com, evil.com!user@acme.com), no `:` `/` `?` `#` (a URL to an HTTP client), no quotes.
const LOCAL_PART = lazy(() => /^[\p{L}\p{M}\p{N}_+'=~&-]+(?:\.[\p{L}\p{M}\p{N}_+'=~&-]+)*$/u);
const MAILBOX = /^(?:"([^"]*)" *|([^"<>]*))<([^<>]*)>$/;
const DISPLAY_NAME = lazy(() => /^[\p{L}\p{M}\p{N}\p{Pd} .,'’()&_+]*$/u);
// What is said of a person beside an address, in `{"email": ..., "name": ..., "type": "to"}`; a dotted word could itself be a host.
const PLAIN_NAME = lazy(() => /^(?!.*\.[\p{L}\p{N}])[\p{L}\p{M}\p{N}\p{Pd} .,'’()&_+]*$/u);
const ADDRESS_MEMBER = /^(?:email|address)$/i;
// With what a client could connect to in its place.
const WHERE = vocabularyOf([...STRONG_DESTINATIONS, 'address', 'ip', 'proxy', 'gateway']);
// Of these the words that a name may also begin with (`recipientId`); any other one in it is of a machine (`host_override`).
const WHOM: ReadonlySet<string> = new Set(['to', 'cc', 'bcc', 'recipient', 'email', 'mail', 'address']);
// A member's name that could not be a host or an address; others are read like values (`{"evil@evil.com": "Bob"}`).
const PLAIN_MEMBER = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/**
 * Every host in `value`, in order: strings (an address, `Name <address>`, an http, https, ws, wss or mailto URL, a host with or without
 * a port, or a comma or semicolon list of these), arrays and objects of them. A URL whose commas part no destinations is one
 * (`https://acme.com/u?fields=id,name`). `null` and white space hold none. A value that gives no reading at all names no host.
 */
export function hostsOf(value: Json): HostReading[] {
  const readings: HostReading[] = [];
  collect(value, readings);
  return readings;
}

function collect(value: Json, into: HostReading[]): void {
  if (value === null || into.length > MAX_READINGS) return;
  if (into.length === MAX_READINGS) {
    into.push(unreadable('', `more than ${MAX_READINGS} addresses`));
  } else if (typeof value === 'string') {
    // White space names no destination.
    if (value.trim() !== '') readText(value, into);
  } else if (Array.isArray(value)) {
    for (const entry of value) collect(entry, into);
  } else if (isObject(value)) {
    readObject(value, into);
  } else {
    // A number is an IPv4 address to some clients: http://2130706433/.
    into.push(unreadable(String(value), 'not a text'));
  }
}

function readObject(object: JsonObject, into: HostReading[]): void {
  const members = Object.entries(object);
  const isMailbox = members.some(([name, member]) => ADDRESS_MEMBER.test(name) && isAddress(member));
  for (const [name, member] of members) {
    if (!PLAIN_MEMBER.test(name)) readText(name, into);
    // As in `{"email": ..., "name": ...}`, and in `{"a@acme.com": "Ann"}`, which mail libraries take too.
    const isWhere = heldBy(nameOf(name), WHERE).some(({ word, last }) => last || !WHOM.has(word));
    const isOfPerson = (isMailbox && !isWhere) || isAddress(name);
    if (isOfPerson && (typeof member === 'number' || (typeof member === 'string' && PLAIN_NAME().test(member))))
      continue;
    // Flags beside a host ({"url": ..., "active": true}) name none.
    if (typeof member !== 'boolean') collect(member, into);
  }
}

function isAddress(value: Json): boolean {
  return typeof value === 'string' && value.includes('@') && readOne(value).ok;
}

function readText(text: string, into: HostReading[]): void {
  if (!PRINTABLE_ASCII.test(text) && HIDDEN().test(text)) {
    into.push(unreadable(text, 'it holds a control or invisible character, or a backslash'));
    return;
  }
  const whole = trimmed(text);
  if ((!text.includes(',') && !text.includes(';')) || isOneUrl(whole)) {
    into.push(readOne(whole));
    return;
  }
  const parts = listParts(text);
  if (parts === null) {
    into.push(unreadable(text, 'a quotation mark is not closed'));
    return;
  }
  for (const part of parts) {
    if (into.length > MAX_READINGS) return;
    if (into.length === MAX_READINGS) into.push(unreadable('', `more than ${MAX_READINGS} addresses`));
    // Some clients read a mailto URL's list as one URL, others split it first.
    else if (MAILTO.test(part) && parts.length > 1) into.push(unreadable(part, 'a mailto URL in a list'));
    else into.push(readOne(part));
  }
}

/** True for a URL with an authority that no reader of lists finds a second destination in, split at its commas and semicolons. */
export function isOneUrl(text: string): boolean {
  return URL_TEXT.test(text) && text.split(/[,;]/).slice(1).every(isNoDestination);
}

// What makes a piece an address, a URL, a host with a port or a share, and the dots of a host as UTS 46 takes them.
const DESTINATION = /[@:\\]|\/\/|^[^/?#]*[.\u3002\uff0e\uff61]|^localhost(?:[/?#]|$)/i;

/** Judged also as a client reads it that decodes before it splits, once or more often. */
function isNoDestination(piece: string): boolean {
  if (DESTINATION.test(piece)) return false;
  if (!piece.includes('%') && PRINTABLE_ASCII.test(piece)) return true;
  try {
    return !DESTINATION.test(decodeURIComponent(piece.replace(/%(?:25)+(?=[0-9a-f]{2})/gi, '%')).normalize('NFKC'));
  } catch {
    return false;
  }
}

/**
 * The parts between commas and semicolons outside of quotation marks, without surrounding spaces; null when a quotation stays open. Behind
 * the last sign, which mail programs write when they complete an address (RFC 5322, 4.4), nothing is no part.
 */
function listParts(text: string): string[] | null {
  const parts: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ',' || char === ';')) {
      parts.push(trimmed(text.slice(from, at)));
      from = at + 1;
    }
  }
  const rest = trimmed(text.slice(from));
  if (rest !== '') parts.push(rest);
  return quoted ? null : parts;
}

// By hand: / +$/ takes quadratic time on spaces inside a text.
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === ' ') from++;
  while (to > from && text[to - 1] === ' ') to--;
  return text.slice(from, to);
}

function readOne(text: string): HostReading {
  if (text === '') return unreadable(text, 'empty');
  const mailbox = text.endsWith('>') ? MAILBOX.exec(text) : null;
  if (mailbox !== null) {
    const [, quoted, plain, address] = mailbox;
    // A name that holds an address (`"a@evil.com" <b@acme.com>`) is a second address to careless readers.
    if (!DISPLAY_NAME().test(quoted ?? plain ?? '')) return unreadable(text, 'a display name with special characters');
    return readAddress(address!, text);
  }
  if (SCHEME.test(text)) return readUrl(text);
  // To a browser it begins with the scheme of the page.
  if (text.startsWith('//')) return readUrl(`https:${text}`, text);
  return text.includes('@') ? readAddress(text, text) : readAuthority(text, text);
}

function readAddress(address: string, text: string): HostReading {
  const at = address.indexOf('@');
  if (at === -1 || address.includes('@', at + 1)) return unreadable(text, 'not an address with one @');
  const local = address.slice(0, at);
  // One that begins with `-` is an option to the programs that send mail. Compatibility characters (a fullwidth @, a parenthesised digit) are judged as what others fold them to.
  if (
    local.length > 64 ||
    local.startsWith('-') ||
    !LOCAL_PART().test(local.normalize('NFKC')) ||
    !LOCAL_PART().test(local)
  ) {
    return unreadable(text, 'the part before @ is quoted or holds special characters');
  }
  return readHost(address.slice(at + 1), text);
}

function readUrl(text: string, said = text): HostReading {
  if (MAILTO.test(text)) return readAddress(text.slice('mailto:'.length), text);
  const match = URL_TEXT.exec(text);
  // `acme.com:8443` looks like a scheme to a URL parser.
  if (match === null) return readAuthority(text, said);
  const [, scheme, authority] = match as unknown as [string, string, string];
  if (!WEB.test(scheme)) return unreadable(said, 'not an address, an http or https URL, or a host');
  return readHostOf(scheme, authority, text, said);
}

/** The host of one URL of any scheme that has one, as a whole text (`ftp://acme.com/x`, `postgres://db.acme.com`). */
export function hostOfUrl(text: string): HostReading {
  const match = URL_TEXT.exec(text);
  if (match === null || HIDDEN().test(text)) return unreadable(text, 'not a URL that can be read in one way');
  return readHostOf(match[1]!, match[2]!, text, text);
}

function readHostOf(scheme: string, authority: string, text: string, said: string): HostReading {
  if (NO_HOST.test(scheme)) return unreadable(said, `a URL of the scheme ${scheme.toLowerCase()}`);
  if (authority.includes('@')) return unreadable(said, 'a URL with userinfo');
  const reading = readAuthority(authority, said);
  // Belt and braces: the parser that Node's own clients use must see the same host.
  if (reading.ok && SPECIAL.test(scheme) && !sameHostToWhatwg(text, reading.host)) return unreadable(said, 'not a URL');
  return reading;
}

function sameHostToWhatwg(text: string, host: string): boolean {
  try {
    const { hostname } = new URL(text);
    return hostname === host || hostname === `${host}.`;
  } catch {
    return false;
  }
}

function readAuthority(authority: string, text: string): HostReading {
  const match = AUTHORITY.exec(authority);
  if (match === null || Number(match[2] ?? 1) > 65535 || Number(match[2] ?? 1) === 0) {
    return unreadable(text, 'not an address, an http or https URL, or a host');
  }
  return readHost(match[1]!, text);
}

function readHost(name: string, text: string): HostReading {
  const host = normalizeDomain(name);
  return host === null ? unreadable(text, 'the host is not a domain name') : { ok: true, host, text };
}

function unreadable(text: string, reason: string): HostReading {
  return { ok: false, text: text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text, reason };
}
