/** What stands where the URL of a server is expected, in words: a URL may hold a password, and none is quoted. */

const MOST = 65_535;

/**
 * Why `text` is no URL of a server, as the rest of a sentence whose subject is the text, with the accepted spelling where it is near; null
 * where it is one.
 */
export function webUrlProblem(text: string): string | null {
  if (text === '') return 'is empty; write https://mesh.acme.com';
  if (text !== text.trim()) return 'has white space around it';
  if (/\s/.test(text)) return 'holds white space';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const host = /^(?:https?:\/?)?([A-Za-z0-9.-]+(?::\d{1,5})?)(?:\/.*)?$/.exec(text)?.[1];
    return `has no scheme${host === undefined || host.length > 253 ? '; write https://mesh.acme.com' : `; write https://${host}`}`;
  }
  if (scheme !== 'https' && scheme !== 'http')
    return `has the scheme ${scheme.slice(0, 32)}, and is asked by https or http`;
  const authority = /^[^/?#]*/.exec(text.slice(scheme.length + 3))![0];
  if (authority === '') return 'names no host';
  const port = /:(\d+)$/.exec(authority)?.[1];
  if (port !== undefined && Number(port) > MOST) return `has a port above ${MOST}`;
  if (!URL.canParse(text)) return 'has a host that is no name and no address';
  const { username, password } = new URL(text);
  if (username !== '' || password !== '')
    return 'holds a user name or a password, which are sent to no server; leave them out';
  return null;
}

/** True for what sends to another machine without TLS, whatever the case of the scheme: all that is sent crosses a network readable. */
export function isPlainElsewhere(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !isOwnLoopback(hostname);
}

/** True for 127.0.0.0/8, ::1 and localhost, as a URL writes the host or bare; not for 0.0.0.0. */
export function isOwnLoopback(host: string): boolean {
  return host === 'localhost' || /^(?:::1|\[::1\]|127(?:\.\d{1,3}){3})$/.test(host);
}
