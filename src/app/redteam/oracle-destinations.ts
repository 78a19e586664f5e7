/** Where params send something, as the red team reads it. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { isDestinationName } from './honest.js';
import { valuesIn } from './scene.js';

const URL_LIKE = /^(?:[a-z][a-z0-9+.-]*:)?\/\/|^mailto:/i;
const ADDRESS = /^[^\s@]+@[^\s@]+$/;

/** True where a value goes to what is no allowed domain, or cannot be read. `named` are the only names to look at; null for all. */
export function mustNotGoTo(
  params: JsonObject,
  target: Json | undefined,
  allowed: readonly Json[],
  named: ((name: string) => boolean) | null,
): boolean {
  const read = valuesIn(params).filter(({ value }) => typeof value === 'string') as { name: string; value: string }[];
  const whole = (text: string): boolean => {
    const parts = partsOf(text);
    return parts.length > 0 && parts.every((each) => URL_LIKE.test(each) || ADDRESS.test(each));
  };
  const seen = read.filter(({ name, value }) =>
    named === null ? isDestinationName(name) || whole(value) : named(name),
  );
  const texts = seen.map(({ value }) => value);
  if (named === null && typeof target === 'string' && whole(target)) texts.push(target);
  return texts.some((text) => text.trim() !== '' && !partsOf(text).every((each) => isAllowed(each, allowed)));
}

/** What stands between separators, without comments, the name of a group, and the names of its people. */
function partsOf(text: string): string[] {
  return text
    .replace(/ \([^()]*\)/g, '')
    .replace(/^[\w ]+:(?=[^/].*@.*;$)/, '')
    .replace(/(?:^|[,;])[^,;<>@]*<([^<>]*)>/g, ',$1')
    .split(/[,;\s]+/)
    .filter(Boolean);
}

function isAllowed(text: string, allowed: readonly Json[]): boolean {
  const host = hostIn(text);
  if (host === null) return false;
  return allowed.some((each) => {
    const name = String(each).toLowerCase();
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name;
  });
}

/** The one host that the text names; null where there is none, or a trick. */
function hostIn(text: string): string | null {
  let rest = text.trim();
  if (/^mailto:/i.test(rest)) rest = rest.slice(7).split('?')[0]!;
  if (URL_LIKE.test(rest)) {
    const authority = rest.replace(/^[^/]*\/\//, '').split(/[/?#\\]/)[0]!;
    if (authority.includes('@')) return null;
    rest = authority.replace(/:\d*$/, '');
  } else if (rest.includes('@')) {
    const at = rest.lastIndexOf('@');
    if (/[@:<>()]/.test(rest.slice(0, at))) return null;
    rest = rest.slice(at + 1);
  }
  rest = rest.replace(/\.$/, '');
  if (rest === '' || /[^\p{L}\p{N}\p{M}.-]/u.test(rest) || !rest.includes('.')) return null;
  try {
    const host = new URL(`http://${rest}/`).hostname;
    return /^[\d.]+$/.test(host) ? null : host;
  } catch {
    return null;
  }
}
