/** Which proxy a URL goes through, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, in the reading that curl and Go share. */
import { BlockList, isIP } from 'node:net';

export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** A proxy, as a variable names it. */
export interface Proxy {
  /** Where it listens: `http:` or `https:`. May hold a name and a password: show `shown`. */
  readonly url: URL;
  /** The variable that names it. */
  readonly variable: string;
  /** The URL for people, its name and password masked. */
  readonly shown: string;
  /** The value of `Proxy-Authorization`; null when the proxy asks for none. */
  readonly authorization: string | null;
}

/** Why what a variable holds is no proxy; the value is not quoted, it may hold a password. */
export class ProxyProblem extends Error {
  constructor(variable: string, why: string) {
    super(`${variable} ${why}`);
    this.name = 'ProxyProblem';
  }
}

/**
 * The proxy for `url`; null to go there directly. Plain HTTP to this machine itself never goes through one: what is sent there,
 * such as an API key, is meant for no other machine.
 * @throws ProxyProblem when the variable that counts names no proxy: to go directly would be a way that was not chosen
 */
export function proxyFor(url: URL, env: ProxyEnvironment): Proxy | null {
  const secure = url.protocol === 'https:';
  const found = firstSet(env, secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY']);
  const named = found ?? firstSet(env, ['all_proxy', 'ALL_PROXY']);
  if (named === null || (!secure && isLoopback(hostOf(url))) || isExempt(url, env)) return null;
  return proxyIn(named.value, named.variable);
}

/** Each proxy that the environment names, and the hosts that are reached without one; for people. */
export function proxiesIn(env: ProxyEnvironment): {
  readonly proxies: readonly Proxy[];
  readonly exempt: string | null;
} {
  const named = [
    ['https_proxy', 'HTTPS_PROXY'],
    ['http_proxy', 'HTTP_PROXY'],
    ['all_proxy', 'ALL_PROXY'],
  ].map((names) => firstSet(env, names));
  const proxies = named.flatMap((each) => (each === null ? [] : [proxyIn(each.value, each.variable)]));
  return { proxies, exempt: firstSet(env, ['no_proxy', 'NO_PROXY'])?.value ?? null };
}

function firstSet(env: ProxyEnvironment, names: readonly string[]): { variable: string; value: string } | null {
  for (const variable of names) {
    const value = env[variable]?.trim() ?? '';
    if (value !== '') return { variable, value };
  }
  return null;
}

function proxyIn(value: string, variable: string): Proxy {
  // `proxy.acme.com:3128` is a host and a port, though it reads as a URL with the scheme `proxy.acme.com:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '') throw new ProxyProblem(variable, 'is not the URL of a proxy');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ProxyProblem(
      variable,
      `names a proxy of the kind ${url.protocol.slice(0, 20)} that is not spoken here: http or https`,
    );
  const hasUser = url.username !== '' || url.password !== '';
  const user = hasUser ? `${decoded(url.username, variable)}:${decoded(url.password, variable)}` : null;
  return {
    url,
    variable,
    shown: `${url.protocol}//${hasUser ? '***@' : ''}${url.host}`,
    authorization: user === null ? null : `Basic ${Buffer.from(user, 'utf8').toString('base64')}`,
  };
}

function decoded(text: string, variable: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ProxyProblem(variable, 'holds a name or password that is not percent-encoded');
  }
}

/** True when NO_PROXY names the host: by `*`, name, domain, address or network, with or without a port. */
function isExempt(url: URL, env: ProxyEnvironment): boolean {
  const list = firstSet(env, ['no_proxy', 'NO_PROXY'])?.value ?? '';
  const host = hostOf(url);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || covers(entry.toLowerCase(), host, port));
}

function covers(entry: string, host: string, port: string): boolean {
  const [, inBrackets, bare = '', wanted] =
    /^(?:\[([^\]]*)\]|([^:]*|[^[\]]*:[^[\]]*:[^[\]]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const name = inBrackets ?? bare;
  if (isIP(host) !== 0) return isIP(name) !== 0 ? inNetwork(name, null, host) : inNetwork(...networkIn(name), host);
  const domain = name.replace(/^\*?\./, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

function networkIn(text: string): [string, number | null] {
  const [address = '', length = ''] = text.split('/');
  return [address, /^\d{1,3}$/.test(length) ? Number(length) : null];
}

function inNetwork(address: string, length: number | null, host: string): boolean {
  const version = isIP(address);
  const bits = length ?? (version === 4 ? 32 : 128);
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return false;
  const networks = new BlockList();
  networks.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  return networks.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** Without brackets and the dot at the end. */
function hostOf(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
