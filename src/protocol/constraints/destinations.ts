/** Which params say where something goes (protocol, section 5.2): by their names, and by what their values are. */
import { normalizeDomain } from './domains.js';
import { lazy } from '../lazy.js';
import { hidesCharacter, visibleText } from '../naming/hidden.js';
import { hostOfUrl, hostsOf, isOneUrl, type HostReading } from './hosts.js';
import { heldBy, singular, vocabularyOf, type Name } from '../naming/names.js';
import { FILE_ENDINGS, FIRST_DESTINATIONS, STRONG_DESTINATIONS, WEAK_DESTINATIONS } from '../naming/vocabulary.js';

/**
 * `first`: names of the first version, alone; what cannot be read is refused. `strong`: text that could be a destination is read so.
 * `weak`: only what reads as an address, URL or dotted host counts. Null: only what is one as a whole.
 */
export type DestinationTier = 'first' | 'strong' | 'weak' | null;

const FIRST: ReadonlySet<string> = new Set(FIRST_DESTINATIONS);
const STRONG: ReadonlySet<string> = new Set(STRONG_DESTINATIONS);
// Of both kinds, as a name without separators may be made of one of each: `callbackurl`.
const WORDS = vocabularyOf([...STRONG_DESTINATIONS, ...WEAK_DESTINATIONS]);
const MOST_TIERS = 4096;
const tiers = new Map<string, DestinationTier>();

/** What the name says about its value. */
export function tierOf(name: Name): DestinationTier {
  let tier = tiers.get(name.text);
  if (tier === undefined) {
    tier = judged(name);
    if (tiers.size >= MOST_TIERS) tiers.clear();
    if (name.text.length <= 128) tiers.set(name.text, tier);
  }
  return tier;
}

function judged(name: Name): DestinationTier {
  const held = heldBy(name, WORDS);
  const strong = held.filter(({ word }) => STRONG.has(word));
  if (strong.some(({ word, first, last }) => first && last && FIRST.has(word))) return 'first';
  if (strong.some(({ last }) => last)) return 'strong';
  // An `email_address` is an address of mail, whatever a `mail_subject` is.
  if (strong.length > 0 && held.some(({ word, last }) => last && word === 'address')) return 'strong';
  return held.length > 0 ? 'weak' : null;
}

/**
 * True where the name's last word is one for destinations in the plural: the members of an object of that name may be named after them
 * (`servers: {"acme.com": 1}`), where those of a single one are what it has (`address: {"street.name": "Main"}`).
 */
export function listsDestinations(name: Name): boolean {
  const last = name.words.at(-1);
  if (last === undefined || singular(last) === last) return false;
  return tierOf(name) !== null && heldBy(name, WORDS).some((each) => each.last);
}

/** Under a strong name other text is a word (`assigned_to: "alice"`), and a moment names no place (`valid_to: "2026-02-18T10:00Z"`). */
export function couldBeDestination(text: string): boolean {
  return COULD_BE().test(text) && !MOMENT().test(text.trim());
}

// UTS 46 takes these for dots.
const DOT = /[.\u3002\uff0e\uff61]/;
const COULD_BE = lazy(() => new RegExp(`[@/\\\\:]|[\\p{L}\\p{N}]${DOT.source}[\\p{L}\\p{N}]`, 'u'));
const DATE = '[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])';
const TIME = '(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,9})?)?';
// With its date: `10:30` alone could be a host and a port to a client.
const MOMENT = lazy(() => new RegExp(`^${DATE}[T ]${TIME}(?:Z|[+-][0-9]{2}:?[0-9]{2})?$`, 'i'));

// What WHATWG URL takes for an absolute URL, `https:evil.com` and `https:\\evil.com` included.
const KNOWN_URL = /^(?:https?|wss?|ftp|mailto):\S+$/i;
const ANY_URL = /^(?:[a-z][a-z0-9+.-]*:)+\/\/[^\s/?#]\S*$/i;
const PROTOCOL_RELATIVE = /^\/\/(?:[^\s/?#]+\/\S*|[^\s/?#.]*\.[^\s/?#]+(?:[?#]\S*)?)$/;
// Browsers read `\` as `/` and any further slash as none, and Windows opens `\\host\share` on that host.
const SLASHED = /^[\\/]{2,}([^\s\\/?#:@]+)(?::[0-9]{1,5})?(?:[\\/?#]\S*)?$/;
// A browser takes the spaces of a path as they are; behind the host they end a mention.
const SPACED_URL = /^((?:https?|wss?|ftp):[\\/]{2}[^\s\\/?#]+[\\/?#]\S*|mailto:\S+)\s/i;
// As git and scp write a place.
const SCP = /^[A-Za-z0-9_][A-Za-z0-9._-]*@([^\s@/\\:]+):[^\s@\\]+$/;
// The same without a user, as rsync and git write it: `host:/path`, `host:org/repo.git`, `host::module`. `acme.com://evil.com` has a scheme.
const BARE_PLACE = /^([^\s@/\\:]+):(?!\/\/)(?::[^\s@\\]+|[^\s@\\]*\/[^\s@\\]*)$/;
const MAILBOX = /^[^<>]*<[^<>\s][^<>\s@]*@[^<>\s]+>$/;
// A group of RFC 5322 (`Team: a@acme.com, b@acme.com;`).
const GROUP = /^[^<>@:,;]*:(?=[^:;@]*@)([^:;]*);$/;
const QUOTED = /^"[^"]*"@\S+$/;
const HOST = /^([^\s/?#:@\\]+)(?::[0-9]{1,5})?([/?#]\S*)?$/;
const USERINFO = /^[^\s/?#@\\]+@/;
const IP_LITERAL = /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#]\S*)?$/i;

/**
 * The hosts of a text that as a whole is a URL, an address, or a list of nothing else; with `weak` also of a dotted host that is not
 * the name of a file. Empty for a text that merely mentions one; with `spaced` a URL at its start counts, with spaces in its path.
 */
export function destinationsIn(text: string, weak: boolean, spaced = weak): readonly HostReading[] {
  const readings = destinationsWritten(text, weak, spaced);
  return readings.length > 0 || !WIDE.test(text) ? readings : destinationsWritten(text.normalize('NFKC'), weak, spaced);
}

// Signs of full width that many a program takes for the plain ones: of an address, or before what is behind a scheme. A colon alone is prose.
const WIDE = /[\uff20\ufe6b]|[\uff1a\ufe55][/\\\uff0f\uff3c\ufe68]|:[\uff0f\uff3c\ufe68]|[\uff0f\uff3c\ufe68]{2}/;

function destinationsWritten(text: string, weak: boolean, spaced: boolean): readonly HostReading[] {
  if (!mayBe(text) && !(weak && DOT.test(text))) return NONE;
  // Most texts are sentences: what begins with a plain word is neither a destination nor a list of them.
  if (isSentence(text)) return NONE;
  const shown = withoutComment(visibleText(text).trim());
  if (shown === '') return NONE;
  const is = (part: string): boolean => isDestination(part) || (weak && isHost(part));
  if (hidesCharacter(text)) {
    return is(shown)
      ? [{ ok: false, text, reason: 'it holds a control or invisible character, or a backslash' }]
      : NONE;
  }
  if (is(shown) || isBrokenUrl(shown)) return readingsOf(shown);
  if (!SEPARATED.test(shown)) return NONE;
  const url = spaced ? SPACED_URL.exec(shown)?.[1] : undefined;
  const listed = listedIn(GROUP.exec(shown)?.[1] ?? shown);
  if (listed.every(is)) return hostsOf(listed.join(', '));
  const parts = shown.split(/[,;\s]+/).filter((part) => part !== '');
  if (parts.every(is)) return parts.flatMap(readingsOf);
  return url === undefined ? NONE : readingsOf(url);
}

const SEPARATED = /[,;\s]/;

/** The parts between commas and semicolons; one behind the last is none. */
function listedIn(text: string): string[] {
  return text
    .split(/[,;]/)
    .map((part) => withoutComment(part.trim()))
    .filter((part) => part !== '');
}

/** What RFC 5322 lets stand behind an address: `ann@acme.com (Ann)`. With an `@` it may be what a URL leads to: `https://acme.com(@evil.com/)`. */
function withoutComment(text: string): string {
  const open = text.endsWith(')') ? text.lastIndexOf('(') : -1;
  const at = text.lastIndexOf('@');
  return at >= 0 && at < open ? text.slice(0, open).trimEnd() : text;
}

const FIRST_WORD = /^[A-Za-z0-9'’!?()_-]+ /;

/** True for a plain first word without a dot, where no mailbox, group or broken URL can follow. */
function isSentence(text: string): boolean {
  return FIRST_WORD.test(text) && !text.includes('<') && !/[\t\r\n]/.test(text) && !text.trimEnd().endsWith(';');
}

/** Browsers take tabs and line ends out of URLs. */
function isBrokenUrl(text: string): boolean {
  if (!/[\t\r\n]/.test(text)) return false;
  const joined = text.replace(/[\t\r\n]/g, '');
  return KNOWN_URL.test(joined) || (BROKEN_SLASHES.test(text) && (PROTOCOL_RELATIVE.test(joined) || isSlashed(joined)));
}

const BROKEN_SLASHES = /^\s*[\\/][\t\r\n]+[\\/]/;

function mayBe(text: string): boolean {
  return (
    text.includes('@') || text.includes(':') || text.includes('//') || text.includes('\\') || BROKEN_SLASHES.test(text)
  );
}

/** Other schemes than those of the web are read where the text as a whole is a URL; the names of the first version refuse them. */
function readingsOf(text: string): readonly HostReading[] {
  const place = SCP.exec(text)?.[1] ?? barePlace(text);
  if (place !== null) return hostsOf(place);
  return ANY_URL.test(text) && !WEB_URL.test(text) && isOneUrl(text) ? [hostOfUrl(text)] : hostsOf(withScheme(text));
}

/** A host with a path is read as a URL of it. */
function withScheme(text: string): string {
  const path = HOST.exec(text)?.[2];
  return path === undefined ? text : `https://${text}`;
}

const WEB_URL = /^(?:https?|wss?):/i;
const NONE: readonly HostReading[] = [];

function isDestination(text: string): boolean {
  if (!mayBe(text)) return false;
  return (
    KNOWN_URL.test(text) ||
    ANY_URL.test(text) ||
    PROTOCOL_RELATIVE.test(text) ||
    MAILBOX.test(text) ||
    QUOTED.test(text) ||
    isAddress(text) ||
    isPlace(text) ||
    isSlashed(text)
  );
}

/** A place on a dotted host: `redis@sha256:0f3c` is an image. */
function isPlace(text: string): boolean {
  const host = normalizeDomain(SCP.exec(text)?.[1] ?? '');
  return host !== null && host.includes('.');
}

/** A UNC path or its like (`\\host\share`, `///host`). `\\d+\.` of a pattern does not count: the name has to be one that could be a host. */
function isSlashed(text: string): boolean {
  const authority = text.includes('\\') || text.startsWith('///') ? SLASHED.exec(text)?.[1] : undefined;
  if (authority === undefined) return false;
  return IP_LITERAL.test(authority) || (DOT.test(authority) && normalizeDomain(authority) !== null);
}

/** `lodash@4.17.21` and `react@next` are no addresses: an address ends in a dotted name, or in an address literal. */
function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || /\s/.test(text)) return false;
  const domain = text.slice(at + 1);
  if (/^\[(?:ipv6:)?[0-9a-f:.]+\]$/i.test(domain)) return true;
  const host = normalizeDomain(domain);
  return host !== null && host.includes('.');
}

function isHost(text: string): boolean {
  if (IP_LITERAL.test(text) || SCP.test(text) || barePlace(text) !== null) return true;
  return isDottedHost(HOST.exec(text.replace(USERINFO, ''))?.[1]);
}

/** The dotted host of a place on it; null for any other text. */
function barePlace(text: string): string | null {
  const host = ANY_URL.test(text) ? undefined : BARE_PLACE.exec(text)?.[1];
  return isDottedHost(host) ? host! : null;
}

/** A dotted name that is not that of a file. */
function isDottedHost(text: string | undefined): boolean {
  const host = text === undefined ? null : normalizeDomain(text);
  return host !== null && host.includes('.') && !FILE_ENDINGS.has(host.slice(host.lastIndexOf('.') + 1));
}
