/**
 * Where a database is and how it is spoken to, from a URL as libpq reads it:
 * `postgres://[user[:password]@][host[:port],...]/database?sslmode=verify-full&sslrootcert=F`.
 */
import { Failure } from '../../app/failure.js';

/** `verify-ca` checks who signed the certificate, `verify-full` the host's name in it as well. `disable` sends everything in plain text. */
export type TlsMode = 'disable' | 'verify-ca' | 'verify-full';

/** Where a database is. Holds no password: `passwordsOf` reads that. */
export interface PostgresAddress {
  /** At least one, in the order in which they are tried; a host that begins with `/` is a folder of sockets. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly database: string;
  readonly tls: {
    readonly mode: TlsMode;
    /** PEM files; null where none is named: then the authorities of Node. */
    readonly rootCert: string | null;
    readonly cert: string | null;
    readonly key: string | null;
  };
  /** `passfile`, where the URL names one. */
  readonly passfile: string | null;
  /** Options of the session, as `-c name=value`; null for none. */
  readonly options: string | null;
  /** What the server's administrator sees of the connection; null leaves it to the caller. */
  readonly applicationName: string | null;
  /** The URL for people: without the password. */
  readonly shown: string;
}

/** What stands for the parts that a URL leaves out. */
export interface AddressDefaults {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the operating system's user. */
  readonly osUser: string;
}

const SHAPE = /^postgres(?:ql)?:\/\/(?:([^/?#@]*)@)?([^/?#@]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;
const PARAMETERS = [
  'application_name',
  'dbname',
  'host',
  'options',
  'passfile',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
  'user',
];
const MOST = 2048;
const MOST_HOSTS = 16;

/** True for what may be a database's URL: of its scheme, whatever follows. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text);
}

/** The parts of a URL. @throws Failure USAGE, which never repeats the URL, because a password stands in it */
export function parsePostgresUrl(url: string, { env, osUser }: AddressDefaults): PostgresAddress {
  const match = url.length > MOST ? null : SHAPE.exec(url);
  if (match === null) {
    throw wrong(
      url.length > MOST ? `is longer than ${MOST} characters` : 'is not postgres://user@host:port/database',
      'write @ / : # ? in a user name or password as %40 %2F %3A %23 %3F',
    );
  }
  const [, , hostList = '', path = '', search = ''] = match;
  const asked = parametersOf(search);
  // Read now, so that one with a wrong escape is refused with the URL.
  passwordIn(url);
  const names = [hostList || asked.get('host'), userIn(url) ?? asked.get('user'), path || asked.get('dbname')];
  // libpq would look them up there: what stands in for them here leads to another database.
  if (nonEmpty(env['PGSERVICE']) !== null && names.some((name) => !name))
    throw wrong('leaves out a part that a service names, and PGSERVICE is not read', 'write user, host and database');
  if (env['PGCHANNELBINDING'] === 'require')
    throw wrong(
      'cannot be had with PGCHANNELBINDING=require',
      'unset it; sslmode=verify-full and sslrootcert=<file> prove the server',
    );
  const user = userIn(url) ?? asked.get('user') ?? nonEmpty(env['PGUSER']) ?? osUser;
  const database = nonEmpty(decoded(path)) ?? asked.get('dbname') ?? nonEmpty(env['PGDATABASE']) ?? user;
  const hosts = hostsOf(hostList, asked, env);
  const session = asked.get('target_session_attrs');
  if (session !== undefined && !['any', 'read-write', 'primary'].includes(session))
    throw wrong(
      'asks with target_session_attrs for a server that takes no writes',
      'leave target_session_attrs out: a primary is looked for',
    );
  if (/[\0\r\n]/.test(user + database)) throw wrong('names a user or database with a line break in it');
  return {
    hosts,
    user,
    database,
    tls: tlsOf(asked, hosts, env),
    passfile: asked.get('passfile') ?? null,
    options: asked.get('options') ?? null,
    applicationName: asked.get('application_name') ?? null,
    shown: `postgres://${encodeURIComponent(user)}@${hosts.map(shownHost).join(',')}/${encodeURIComponent(database)}`,
  };
}

/** The password that stands in a URL; null where there is none. It is for the environment and for files, never for an argument. */
export function passwordIn(url: string): string | null {
  const [, userInfo = ''] = SHAPE.exec(url) ?? [];
  const colon = userInfo.indexOf(':');
  return colon < 0 ? null : nonEmpty(decoded(userInfo.slice(colon + 1)));
}

/** The user that a URL names before its host; null where it names none there. @throws Failure USAGE */
export function userIn(url: string): string | null {
  return nonEmpty(decoded((SHAPE.exec(url)?.[1] ?? '').split(':', 1)[0] ?? ''));
}

/** Fails with USAGE for a URL with a password that was given as an argument: arguments are read by every process of the machine. */
export function requireNoPassword(url: string, where: string): void {
  if (passwordIn(url) === null) return;
  throw new Failure('USAGE', `The password in ${where} can be read by every process of this machine.`, {
    hint: 'leave it out of the URL, and set PGPASSWORD or a line in ~/.pgpass (mode 0600)',
  });
}

/** True where no network lies between: a socket of this machine, or its own loopback addresses. */
export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function hostsOf(list: string, asked: ReadonlyMap<string, string>, env: AddressDefaults['env']) {
  const named =
    list === '' ? (asked.get('host') ?? nonEmpty(env['PGHOST']) ?? 'localhost').split(',') : list.split(',');
  const ports = (asked.get('port') ?? nonEmpty(env['PGPORT']) ?? '5432').split(',');
  if (named.length > MOST_HOSTS) throw wrong(`names more than ${MOST_HOSTS} hosts`);
  if (list !== '' && asked.has('host')) throw wrong('names a host twice', 'name hosts before the / or in ?host=');
  if (ports.length !== 1 && ports.length !== named.length) throw wrong('names another number of ports than of hosts');
  return named.map((text, i) => {
    const fallback = ports[ports.length === 1 ? 0 : i]!;
    const found = list === '' ? { host: text, port: undefined } : splitHost(text);
    const host = found === null ? '' : list === '' ? found.host : decoded(found.host);
    const port = Number(found?.port ?? fallback);
    if (host === '' || /[\0\s]/.test(host)) throw wrong('names no host');
    if (!/^\d{1,5}$/.test(found?.port ?? fallback) || port < 1 || port > 65_535)
      throw wrong('names no port from 1 to 65535');
    return { host, port };
  });
}

/** `[::1]:5432`, `name:5432` or `name`. */
function splitHost(text: string): { host: string; port: string | undefined } | null {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text);
  return match === null ? null : { host: match[1] ?? match[2] ?? '', port: nonEmpty(match[3]) ?? undefined };
}

function tlsOf(
  asked: ReadonlyMap<string, string>,
  hosts: PostgresAddress['hosts'],
  env: AddressDefaults['env'],
): PostgresAddress['tls'] {
  const rootCert = asked.get('sslrootcert') ?? nonEmpty(env['PGSSLROOTCERT']);
  const said = asked.get('sslmode') ?? nonEmpty(env['PGSSLMODE']);
  const files = {
    rootCert: rootCert === 'system' ? null : rootCert,
    cert: asked.get('sslcert') ?? nonEmpty(env['PGSSLCERT']),
    key: asked.get('sslkey') ?? nonEmpty(env['PGSSLKEY']),
  };
  if ((files.cert === null) !== (files.key === null)) throw wrong('names one of sslcert and sslkey without the other');
  const make = (mode: TlsMode): PostgresAddress['tls'] => ({ mode, ...files });
  switch (said) {
    case null:
      return make(rootCert === null && hosts.every(({ host }) => isLocal(host)) ? 'disable' : 'verify-full');
    case 'disable':
    case 'verify-full':
      return make(said);
    case 'verify-ca':
      // Any certificate that a public authority gave to anybody would do.
      if (files.rootCert === null) throw wrong('says sslmode=verify-ca without a CA', 'name it: sslrootcert=<file>');
      return make('verify-ca');
    case 'require':
      if (files.rootCert === null)
        throw wrong(
          'says sslmode=require without a CA, which encrypts, and believes any server that answers',
          'name the CA with sslrootcert=<file>, or say sslmode=verify-full',
        );
      return make('verify-ca');
    default:
      throw wrong(
        ['allow', 'prefer', 'no-verify'].includes(said)
          ? `says sslmode=${said}, which anyone on the way can turn into plain text`
          : 'says an sslmode that does not exist',
        'say sslmode=verify-full',
      );
  }
}

function parametersOf(search: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of search.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = at < 0 ? '' : part.slice(0, at);
    if (name === 'password')
      throw wrong('has its password among the parameters', 'set PGPASSWORD, or a line in ~/.pgpass (mode 0600)');
    if (!PARAMETERS.includes(name))
      throw wrong(
        `has a parameter that is not known${/^\w{1,32}$/.test(name) ? `: ${name}` : ''}`,
        `it may have ${PARAMETERS.join(', ')}`,
      );
    if (found.has(name)) throw wrong(`says ${name} twice`);
    found.set(name, decoded(part.slice(at + 1)));
  }
  return found;
}

function shownHost({ host, port }: { host: string; port: number }): string {
  const shown = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  return `${shown}:${port}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a % that begins no escape', 'write % as %25');
  }
}

function nonEmpty(text: string | null | undefined): string | null {
  return text === undefined || text === null || text === '' ? null : text;
}

function wrong(
  what: string,
  hint = 'e.g. postgres://aip_verifier@db.example.com:5432/aip?sslmode=verify-full',
): Failure {
  return new Failure('USAGE', `The URL of the database ${what}.`, { hint });
}
