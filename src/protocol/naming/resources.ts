/** What a server of MCP offers beside tools, as actions: `resource:<URI, or prefix ending in /*>` and `prompt:<name>` (guard, section 2). */

// RFC 3986 without `*`, which stands for what follows a prefix, and without `'`, which ends a quoted word of a shell.
const CHAR = String.raw`(?:[A-Za-z0-9._~!$&()+,;=:@-]|%[0-9A-Fa-f]{2})`;
const AUTHORITY = String.raw`//(?:${CHAR}|[\[\]])*`;
// A prefix has no query: `?path=a/*` would let a further param of the query through.
const END = String.raw`(?:/\*|(?:\?(?:${CHAR}|[/?])*)?(?:#(?:${CHAR}|[/?])*)?)`;
const RESOURCE = new RegExp(String.raw`^resource:[A-Za-z][A-Za-z0-9+.-]*:(?:${AUTHORITY})?(?:${CHAR}|/)*${END}$`);
/** What such an action begins with. No tool of a server is one, whatever it is called. */
const READ = /^(?:resource|prompt):/;

/** True for `resource:` with a URI (RFC 3986), or with a prefix of URIs that ends in `/*`. Any length. */
export function isResourceAction(text: string): boolean {
  return RESOURCE.test(text);
}

/** True for an action that reads a resource or a prompt. */
export function isReadAction(action: string): boolean {
  return READ.test(action);
}

/**
 * True where a declared resource pattern covers `uri`: an exact URI, or a prefix that ends in `/*`. Both are compared in the form that URL
 * parsing gives, so that `a/../b` is `b`; what does not parse is covered by nothing but its own exact spelling.
 */
export function resourceCovered(pattern: string, uri: string): boolean {
  const asked = normalized(uri);
  if (!pattern.endsWith('/*')) return asked !== null ? normalized(pattern) === asked : pattern === uri;
  const prefix = resourcePrefix(pattern);
  if (prefix === null || asked === null || !asked.startsWith(prefix)) return false;
  const rest = asked.slice(prefix.length);
  // A server that takes the prefix off has an absolute path in what begins with a slash.
  return rest !== '' && !rest.startsWith('/');
}

/** The prefix that a pattern ending in `/*` stands for, in the form that it is compared in; null where it covers nothing. */
export function resourcePrefix(pattern: string): string | null {
  return normalized(pattern.slice(0, -1));
}

/**
 * True where a denied resource pattern is about `uri`. Wider than `resourceCovered`: a server may undo escapes, join slashes, ignore case,
 * a fragment or more of a query than the pattern names, and what is denied stays denied under each of these spellings.
 */
export function resourceDenied(pattern: string, uri: string): boolean {
  // An escaped `?`, `#` or `&` is one to a server that undoes escapes first.
  return [false, true].some((undone) => {
    const [path, ...others] = partsOf(uri, undone);
    if (pattern.endsWith('/*')) return path!.startsWith(partsOf(pattern.slice(0, -1), undone)[0]!);
    const [deniedPath, ...named] = partsOf(pattern, undone);
    return path === deniedPath && named.every((each) => others.includes(each));
  });
}

function normalized(uri: string): string | null {
  // An escaped slash, dot or backslash is a step up to a server that decodes it once more.
  if (!URL.canParse(uri) || /%(?:2e|2f|5c|25)/i.test(uri) || uri.includes('\\')) return null;
  const url = new URL(uri);
  // A scheme without authority keeps its steps up, and those that stay.
  return url.href.split(/[/?#]/).some((step) => step === '..' || step === '.') ? null : url.href;
}

/** The path, and what a query and a fragment name: one text each for all spellings that a server may take for the same. `undone`: without escapes. */
function partsOf(uri: string, undone: boolean): string[] {
  const href = URL.canParse(uri) ? new URL(uri).href : uri;
  const [path, ...behind] = (undone ? unescaped(href) : href).split(/[?#]/);
  return [path!, ...behind.flatMap((each) => each.split('&'))].map(folded);
}

function folded(part: string): string {
  return `${unescaped(part).toLowerCase()}/`.replace(/\/+/g, '/');
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
