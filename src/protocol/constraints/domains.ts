/**
 * Domain names and allow-lists of them. Names are compared after IDNA (UTS 46, as browsers and Node apply it), in lower case, with one
 * trailing dot removed, so that every spelling of a name is one name and nothing else is.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import { lazy } from '../lazy.js';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const LDH_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
// WHATWG URL reads a host whose last label is a number, in any base, as an IPv4 address (2130706433, 0x7f.1, 127.1).
const NUMERIC_END = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
const ASCII_NAME = /^[A-Za-z0-9.-]*$/;
const NON_ASCII = /[^\x00-\x7f]/;
// UTS 46 drops these silently, so a name that shows one thing to a person or a filter would connect to another.
const INVISIBLE = lazy(() => /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u);

/**
 * The one spelling of the domain name in `text`, or null when it is not a name: an IP literal in any spelling, a port, userinfo, a path,
 * an empty label, an underscore, a space, a percent sign or an invisible character.
 */
export function normalizeDomain(text: string): string | null {
  if (text.length > 1024) return null;
  let name = text.toLowerCase();
  if (NON_ASCII.test(text)) {
    // ASCII is held to letters, digits, dots and hyphens before IDNA, which would decode %61 and cut at / ? #.
    if (INVISIBLE().test(text) || !ASCII_NAME.test(text.replace(/[^\x00-\x7f]/g, ''))) return null;
    name = domainToASCII(text);
  }
  name = withoutRootDot(name);
  if (!LDH_NAME.test(name) || NUMERIC_END.test(name)) return null;
  return name.includes('xn--') && !isPunycode(name) ? null : name;
}

/** An invalid punycode label makes the whole name invalid. Node 24 lets some through, so what it decodes to has to lead back. */
function isPunycode(name: string): boolean {
  const shown = domainToUnicode(name);
  return !/(?:^|\.)xn--/.test(shown) && domainToASCII(shown) === name;
}

function withoutRootDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** An entry of an allow-list: `acme.com` is that name only, `*.acme.com` is every name below it and not itself. */
export interface DomainPattern {
  readonly kind: 'exact' | 'subdomains';
  readonly domain: string;
}

/** The pattern in `text`, or null when it is neither a name nor `*.` and a name. */
export function parsePattern(text: string): DomainPattern | null {
  const kind = text.startsWith('*.') ? 'subdomains' : 'exact';
  const domain = normalizeDomain(kind === 'exact' ? text : text.slice(2));
  return domain === null ? null : { kind, domain };
}

/** An allow-list made ready for look-ups: the time a look-up takes does not grow with the list. */
export interface DomainList {
  /** As the passport writes them. */
  readonly texts: readonly string[];
  readonly exact: ReadonlySet<string>;
  readonly above: ReadonlySet<string>;
}

/** The list ready for any number of comparisons. */
export function domainList(entries: readonly { readonly text: string; readonly pattern: DomainPattern }[]): DomainList {
  const named = (kind: DomainPattern['kind']) =>
    new Set(entries.filter(({ pattern }) => pattern.kind === kind).map(({ pattern }) => pattern.domain));
  return { texts: entries.map(({ text }) => text), exact: named('exact'), above: named('subdomains') };
}

/** True when `domain`, as `normalizeDomain` writes it, is on the list. */
export function isListed(list: DomainList, domain: string): boolean {
  if (list.exact.has(domain)) return true;
  if (list.above.size === 0) return false;
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    if (list.above.has(domain.slice(dot + 1))) return true;
  }
  return false;
}
