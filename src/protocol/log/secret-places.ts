/**
 * Secrets in command lines that no name announces: they are known by their place (`htpasswd -b file user SECRET`, `net use X: \\host SECRET`), by
 * what the command is for (`gh secret set NAME -b SECRET`), or by the program that is told them (`echo SECRET | chpasswd`).
 */

interface Row {
  readonly program: RegExp;
  /** Places of secrets among the words; that of the program is 0. */
  readonly places: (words: readonly string[]) => readonly number[];
}

const ORACLE = /^(?:sqlplus|sqlcl|sqlldr|expdp|impdp)$/;
/** `scott/tiger@host`. */
const LOGON = /^["']?(?:userid=)?[\w$#.]{1,128}\/[^\s/@]/i;
/** Of `rman`, where every other word may be a path. */
const DATABASE = /^["']?(?:target|catalog|rcvcat|auxiliary)$/i;
const DATABASE_LOGON = /^["']?(?:target|catalog|rcvcat|auxiliary)=["']?[^\s/]{1,128}\/./i;
/** `file:password`, unless the colon is that of a drive. */
const CERTIFICATE = /^["']?(?![A-Za-z]:[\\/][^:]*$)[^:]+:./;
const SETTING = /^["']?\w[\w.-]{0,127}=/;

const ROWS: readonly Row[] = [
  { program: /^(?:htpasswd|mosquitto_passwd)$/, places: (words) => (words.some(isBatch) ? lastOf(words) : []) },
  { program: /^rabbitmqctl$/, places: (words) => after(words, /^(?:add_user|change_password|authenticate_user)$/, 2) },
  { program: /^mysqladmin$/, places: (words) => after(words, /^password$/, 1) },
  { program: /^wpa_passphrase$/, places: (words) => (words.length > 2 ? [2] : []) },
  {
    program: /^(?:redis|valkey)-cli$/,
    places: (words) => (after(words, /^auth$/i, 1).length > 0 ? lastOf(words) : []),
  },
  { program: /^net1?$/i, places: ofNet },
  { program: ORACLE, places: (words) => matching(words, LOGON).slice(0, 1) },
  {
    program: /^rman$/,
    places: (words) =>
      matching(words, LOGON)
        .filter((i) => DATABASE.test(words[i - 1]!))
        .concat(matching(words, DATABASE_LOGON)),
  },
  { program: /^vault$/, places: ofVault },
  {
    program: /^(?:https?|xhs?)$/,
    places: (words) => [...valuesOf(words, /^(?:-a|--auth)$/, authOf(words)), ...matching(words, /^-a[^\s:]+:./)],
  },
  {
    program: /^(?:mc|mcli)$/,
    places: (words) => [
      ...behind(words, ['alias', 'set'], 4),
      ...behind(words, ['host', 'add'], 4),
      ...behind(words, ['user', 'add'], 3),
    ],
  },
  { program: /^bw$/, places: (words) => [...behind(words, ['unlock'], 1), ...behind(words, ['login'], 2)] },
  { program: /^smbclient$/, places: ofShare },
  { program: /^openssl$/, places: (words) => behind(words, ['passwd'], 1) },
  { program: /^rclone$/, places: (words) => behind(words, ['obscure'], 1) },
  { program: /^cargo$/, places: (words) => behind(words, ['login'], 1) },
  { program: /^ansible-vault$/, places: (words) => behind(words, ['encrypt_string'], 1) },
  { program: /^security$/, places: (words) => valuesOf(words, /^-[wp]$/, /^[^-]/) },
  { program: /^(?:[xw]freerdp|winrs)$/, places: (words) => matching(words, /^[/-]p:./i) },
  { program: /^schtasks$/i, places: (words) => after(words, /^\/rp$/i, 1) },
  { program: /^nmcli$/, places: (words) => after(words, /^password$/, 1) },
  { program: /^curl$/, places: (words) => valuesOf(words, /^(?:-E|--(?:proxy-)?cert)$/, CERTIFICATE) },
  { program: /^gh$/, places: (words) => (does(words, 'secret', 'set') ? valuesOf(words, /^(?:-b|--body)$/) : []) },
  {
    program: /^(?:fly|flyctl|doppler|supabase)$/,
    places: (words) => (does(words, 'secrets', 'set') ? matching(words, SETTING) : []),
  },
  {
    program: /^(?:kubectl|oc)$/,
    places: (words) => (does(words, 'create', 'secret') ? valuesOf(words, /^--from-literal$/) : []),
  },
  {
    program: /^aws$/,
    places: (words) => (words.some((word) => /SecureString/.test(word)) ? valuesOf(words, /^--value$/) : []),
  },
  { program: /^ngrok$/, places: (words) => after(words, /^(?:add-)?authtoken$/, 1) },
];

const NAMES =
  '(?:htpasswd|mosquitto_passwd|rabbitmqctl|mysqladmin|wpa_passphrase|(?:redis|valkey)-cli|sqlplus|sqlcl|sqlldr|rman|expdp|impdp|' +
  'curl|gh|fly|flyctl|doppler|supabase|kubectl|oc|aws|ngrok|https?|xhs?|smbclient|openssl|rclone|ansible-vault|security|nmcli|' +
  '(?:docker|podman|nerdctl|compose)\\s{1,8}exec|sudo|doas|ssh|[xw]freerdp|winrs|schtasks)';
/** Words of prose as well: at the beginning of a command, and behind its variables, alone. */
const FIRST = String.raw`(?<=(?:^|[|;&("'\r\n]|\s\/[cCkK]\s|(?:^|\s)\w{1,64}=\S{0,256}\s)\s{0,4})(?:[nN][eE][tT]1?|vault|mc|mcli|bw|cargo)`;
/** To the end of the command: what is quoted ends none. */
const COMMAND = new RegExp(
  `(?:(?<![\\w.-])${NAMES}|${FIRST})(?:\\.exe)?(?=\\s)(?:"[^"]*"|'[^']*'|[^|;&\\r\\n"'])*`,
  'g',
);
const WORD = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;
const MAY_NAME =
  /passwd|rabbitmqctl|mysqladmin|wpa_passphrase|-cli\b|\bnet1?(?:\.exe)?\s{1,8}use|sqlplus|sqlcl|sqlldr|rman|expdp|impdp|vault|cert|-E\s|secret|SecureString|authtoken|\b(?:https?|xhs?|mc|mcli|bw|smbclient|openssl|rclone|cargo|nmcli|[xw]freerdp|winrs|schtasks)\s|-password\s|-keychain/i;

const READERS =
  'chpasswd|passwd|smbpasswd|pass\\s{1,8}insert|cryptsetup|kinit|sudo\\s{1,8}-S|vault\\s{1,8}login|(?:gh|wrangler|docker|podman)\\s{1,8}secret\\s{1,8}(?:set|put|create)';
/** Programs read much else behind `--stdin` alone. */
const READING_FLAGS = '--(?:password|pass|token)-stdin|--with-token';
const PIPED = new RegExp(
  `\\b((?:echo|printf)(?:\\s{1,8}-[A-Za-z]{1,4}){0,3}\\s{1,8})[^|\\r\\n]{1,512}?` +
    `(?=\\s{0,8}\\|\\s{0,8}(?:(?:sudo\\s{1,8})?(?:${READERS})|[^|;&\\r\\n]{0,256}\\s(?:${READING_FLAGS}))\\b)`,
  'g',
);
const HERE = new RegExp(
  `(?<=(?:\\b(?:${READERS})|\\s(?:${READING_FLAGS}))\\b[^|;&\\r\\n<]{0,128})(<<<\\s{0,8})` +
    `(?:"[^"]{1,1024}"|'[^']{1,1024}'|[^\\s"']{1,1024})`,
  'g',
);

/** The text with `mask` in the place of such secrets. */
export function maskPlaces(text: string, mask: string): string {
  const piped = text.includes('|') ? text.replace(PIPED, `$1${mask}`) : text;
  const told = piped.includes('<<<') ? piped.replace(HERE, `$1${mask}`) : piped;
  if (!MAY_NAME.test(told)) return told;
  return told.replace(COMMAND, (command) => {
    const words = [...command.matchAll(WORD)].map(([word]) => word);
    const places = new Set(placesIn(words));
    let at = -1;
    return command.replace(WORD, (word) => (places.has((at += 1)) ? mask : maskQuoted(word, mask)));
  });
}

/** `sh -c "vault login SECRET"`: what is quoted may be a command again. */
function maskQuoted(word: string, mask: string): string {
  const quote = word[0]!;
  if ((quote !== '"' && quote !== "'") || word.length < 2 || !word.endsWith(quote)) return word;
  return `${quote}${maskPlaces(word.slice(1, -1), mask)}${quote}`;
}

/** Most programs in one command that are looked at. */
const MAX_PROGRAMS = 8;

/** The places of such secrets in a list of words: behind each program, as one may start another (`kubectl exec db -- mysqladmin password SECRET`). */
export function placesIn(words: readonly string[]): readonly number[] {
  const places: number[] = [];
  let programs = 0;
  for (let at = 0; at < words.length && programs < MAX_PROGRAMS; at += 1) {
    const row = rowOf(words[at]!);
    if (row === null) continue;
    programs += 1;
    for (const place of row.places(words.slice(at))) places.push(at + place);
  }
  return places;
}

function rowOf(word: string): Row | null {
  const name = /^(?:.{0,1024}[/\\])?([\w-]{1,32})(?:\.exe)?$/s.exec(word)?.[1];
  return name === undefined ? null : (ROWS.find(({ program }) => program.test(name)) ?? null);
}

function isBatch(word: string): boolean {
  return /^-[A-Za-z0-9]{0,16}b[A-Za-z0-9]{0,16}$/.test(word);
}

/** The last word that is no flag, where more than one is given. */
function lastOf(words: readonly string[]): readonly number[] {
  const given = words.flatMap((word, i) => (i === 0 || word.startsWith('-') ? [] : [i]));
  return given.length < 2 ? [] : [given.at(-1)!];
}

function after(words: readonly string[], verb: RegExp, places: number): readonly number[] {
  const at = words.findIndex((word, i) => i > 0 && verb.test(word));
  return at < 0 || at + places >= words.length ? [] : [at + places];
}

/** The `nth` word that is no flag behind the verbs, which stand one after the other. */
function behind(words: readonly string[], verbs: readonly string[], nth: number): readonly number[] {
  const at = words.findIndex((_, i) => i > 0 && verbs.every((verb, j) => words[i + j] === verb));
  if (at < 0) return [];
  const given = words.flatMap((word, i) => (i < at + verbs.length || word.startsWith('-') ? [] : [i]));
  return given.slice(nth - 1, nth);
}

/** `user:password`; a token by itself where the kind is named. */
function authOf(words: readonly string[]): RegExp {
  return words.some((word) => /^(?:-A|--auth-type)/.test(word)) ? /./ : /:/;
}

/** `smbclient //host/share SECRET`. */
function ofShare(words: readonly string[]): readonly number[] {
  const at = words.findIndex((word) => /^["']?(?:\/\/|\\\\)/.test(word)) + 1;
  return at > 0 && at < words.length && !words[at]!.startsWith('-') ? [at] : [];
}

/** True where the words hold `wanted`, one after the other. */
function does(words: readonly string[], ...wanted: readonly string[]): boolean {
  const at = words.indexOf(wanted[0]!);
  return at > 0 && wanted.every((word, i) => words[at + i] === word);
}

function matching(words: readonly string[], form: RegExp): readonly number[] {
  return words.flatMap((word, i) => (i > 0 && form.test(word) ? [i] : []));
}

/** The values of a flag: the next words, or the words that hold it and `=`. */
function valuesOf(words: readonly string[], flag: RegExp, form = /./): readonly number[] {
  return words.flatMap((word, i) => {
    const [, name = '', value = ''] = /^(--?[\w-]+)=(.+)$/s.exec(word) ?? [];
    const isValue = (flag.test(words[i - 1] ?? '') && form.test(word)) || (flag.test(name) && form.test(value));
    return isValue ? [i] : [];
  });
}

/** `vault login TOKEN`, `vault kv put path NAME=SECRET`. */
function ofVault(words: readonly string[]): readonly number[] {
  if (does(words, 'kv', 'put') || does(words, 'kv', 'patch')) return matching(words, SETTING);
  const at = words.indexOf('login');
  const given = words.flatMap((word, i) => (i > at && !/^-|=/.test(word) ? [i] : []));
  return at > 0 && given.length === 1 ? given : [];
}

/** `net use [device] \\host\share [password] [/option]`, `net user name [password] [/option]`; `*` asks for it. Other words are prose: "Net user growth was low". */
function ofNet(words: readonly string[]): readonly number[] {
  const verb = words[1]?.toLowerCase();
  const end = words.findIndex((word) => /^\d?[<>]/.test(word));
  const given = (end < 0 ? words : words.slice(0, end)).flatMap((word, i) =>
    i < 2 || /^["']?(?:\/\w|\*$)/.test(word) ? [] : [i],
  );
  if (verb === 'user') return given.length > 2 ? [] : given.slice(1);
  const secrets = given.filter((i) => !/^["']?(?:[a-z]:["']?$|[\\/]{2})/i.test(words[i]!));
  const isCommand = secrets.length < given.length || given.some((i) => /^["']?[%$]/.test(words[i]!));
  return verb === 'use' && isCommand ? secrets : [];
}
