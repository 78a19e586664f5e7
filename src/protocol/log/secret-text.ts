/** Secrets in texts: command lines, headers, URLs, connection strings, fragments of JSON. Each pattern reads a text once, whatever stands in it. */
import { maskCommands } from './secret-commands.js';
import { isSecretName } from './secret-names.js';

/** What stands in the log where a secret stood. */
export const MASK = '[masked]';

/** A text without any of these shows no secret; nearly every param of nearly every intent is one. */
const MAY_SHOW =
  /[:=@]|--?[a-z]|-----BEGIN|<\/|<<|\||passw(?:or)?d|passphrase|rabbitmqctl|\b(?:identified|config(?:ure)?|set(?:x|env)|auth|authtoken|vault|mc|mcli|bw|obscure|cargo|nmcli|smbclient|schtasks|sqlplus|sqlcl|sqlldr|rman|expdp|impdp)\b|\bnet1?(?:\.exe)?\s{1,8}use|\b(?:bearer|basic)\s|\b(?:gh[pousr]|github_pat|glpat|xox[a-z]|sk|rk|pk|npm|hf|hv[bsr]|AKIA|ASIA|AIza|eyJ|aipm|AGE)[_-]?/i;

/** One word as short as this shows no secret: what shows one holds another sign, or is a token of at least 13 (`aipm_a_` and six more). */
const SHORT_WORD = /^\w{0,12}$/;

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g;
/** The user part of a URL: a password, and by itself often a token. Clients read `\` as `/`, and `\\host\share` goes without a scheme. */
const USERINFO =
  /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:[\\/]{2,8}|(?<![^\s"'=(,;])[\\/]{2,8})([^\s/?#"'<>\\]{1,2048})@/gi;
/** `user:password@host:path`, as scp, git and JDBC write a place. URLs are read above. */
const PLACE = /(?<![^\s"'=(,;])([a-z_][\w.-]{0,63}):(?!\/)([^\s"'<>\\]{1,256})@(?=([a-z0-9_][\w.-]{0,252}):\S)/gi;
/** What stands before a colon and an address, and logs in nowhere. */
const NO_USER = /^(?:mailto|sips?|xmpp|acct|jid|from|to|cc|bcc|npm)$/i;
/** Behind the @ of an image (`nginx:1.25@sha256:...`) is a digest, and of a package a version: neither is a host. */
const NO_HOST = /^(?:sha[0-9]+|md5|v?[0-9]+(?:\.[0-9]+){0,2})$/i;
/** `Bearer ...` and `Basic ...` wherever they stand; prose has no digit there. */
const SCHEME = /\b(bearer|basic)\s+(?=[A-Za-z+/._~-]{0,512}[\d=]|[\w+/.~-]{24})[\w+/.~=-]{6,}/gi;
/** Tokens that their issuers made to be recognised. */
const KNOWN =
  /\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|(?:sk|rk)[-_](?:(?:live|test|proj|ant)[-_])?[\w-]{16,}|npm_\w{20,}|hf_\w{20,}|hv[bsr]\.[\w-]{20,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*|AGE-SECRET-KEY-1\w{10,})/g;
/** An API key of a mesh, of which the role and the id are no secret, and what was meant to be one; masked once, it is the same. */
const API_KEY = /\b(aipm_[a-z]{1,20}_)(?:([0-9a-f]{12})(?:_(?:[\w-]+|\[masked\])|(?![\w-]))|[\w-]{6,})/g;
/** Hex that may be a seed, also cut off. What is named as a hash or as a public key is no secret. */
const BARE_HEX = /(?<!\b(?:sha256|sha512|ed25519):|[0-9a-z])(?:0x)?[0-9a-f]{40,}/gi;
const KEY_VARIABLE = /(PRIVATE_KEY["']?\s{0,4}[:=]\s{0,4}["']?)(?:ed25519:)?[0-9a-f]{16,}/gi;
/** A seed in our key text or in base64. */
const AS_A_NAME = /\bed25519:[0-9a-f]{16,}|(?<![\w+/-])[\w+/-]{40,}={1,2}$/gi;
/** The path of such an address is all that its holder needs. */
const HOOK = /(hooks\.slack\.com\/(?:services|workflows)\/|discord(?:app)?\.com\/api\/webhooks\/\d+\/)[\w/-]+/gi;
/** A name with `:` or `=` behind it, also as an index (`a[token] =`), whose value is quoted, in quotes that are quoted themselves, or bare. */
const NAME =
  /(?<![\w.]|\w-)([A-Za-z_][\w.-]{0,63})\\{0,4}(?:["']\]?|(?<=\w\[[\w.-]{1,64})\])?\s{0,4}(=>|:=|:(?!:)|=)\s{0,4}/g;
const FLAG = /(?<![\w-])(--?[A-Za-z][\w-]{0,63})\s+/g;
const QUOTED = /\\{1,8}"[^"]*"|"(?:[^"\\]|\\[^])*"?|'[^']*'?/y;
/** After a colon a header goes to the end of its line. */
const TO_LINE_END = /[^\s"'][^\r\n"']*/y;
/** After an equals sign, and after a flag, a value goes to the next blank. */
const TO_BLANK = /[^\s&"']+/y;
const WORD = /(?!--)[^\s"']+/y;
const TELLS_NOTHING = /(?:true|false|null|none|undefined)\b[ ,;)}\]]*(?=[\r\n"']|$)/iy;
const COUNT = /\d+(?![^\s,;&}\]])/y;
/** `-u name:password` of curl; two numbers are a user and a group, and a URL is read above. */
const LOGIN = /(?<![\w-])(-u|-U|--user|--proxy-user)(\s+|=)(?!\d+:\d+(?![^\s"']))(["']?[^\s:"'=]+:(?!\/\/)[^\s"']+)/g;
/** `-U name%password` of smbclient. */
const SHARE = /(?<![\w-])(-U\s{0,8}["']?[^\s%"']{1,256}%)[^\s"']+/g;
/** `IDENTIFIED BY '...'`, `WITH PASSWORD '...'`, `PASSWORD('...')` of SQL; not `type="password" name="..."`, whose quote ends the word. */
const IN_SQL =
  /\b((?:identified(?:\s{1,8}with\s{1,8}[^\s"']{1,64})?\s{1,8}by\s{0,8}(?:values\s{1,8})?|password(?:\s{1,8}|\s{0,8}\(\s{0,8})))(["'])[^"']{1,1024}(?=\2)/gi;
/** `alter user NAME identified by SECRET replace SECRET`: elsewhere these are words of prose. */
const USER_SQL =
  /(\b(?:create|alter)\s{1,8}(?:user|role)\s[^;]{1,256}?\sidentified\s{1,8}by\s{1,8})(?!values\s)[^\s;"'\\]{1,1024}(?:\s{1,8}replace\s{1,8}[^\s;"'\\]{1,1024})?/gi;
/** `sshpass -p`, also before a quote that never ends. */
const SSHPASS = /\b(sshpass\s{1,8}-p\s{0,8})\S+/g;
/** `aws configure set aws_secret_access_key ...`, `npm config set //host/:_authToken ...`. */
const SET =
  /(\b(?:config(?:ure)?\s{1,8}set|git\s{1,8}config(?:\s{1,8}--[a-z]{1,16}){0,4}|npm\s{1,8}set|setx|setenv|set\s{1,8}-g?x)\s{1,8}["']?)([^\s="']{1,256})(["']?\s{1,8}["']?)(?![|;&])[^\s"']+/gi;
/** Where git gets credentials from (`credential.helper store`): none of these is one. */
const GIT_CREDENTIAL = /^credential\./i;
/** `[Environment]::SetEnvironmentVariable('API_TOKEN', '...')`. */
const SET_VARIABLE =
  /(\bSetEnvironmentVariable\s{0,8}\(\s{0,8}["'])([^"'\s]{1,256})(["']\s{0,8},\s{0,8}(["']))[^"']{1,1024}(?=\4)/gi;
/** `ConvertTo-SecureString '...' -AsPlainText`, and `PSCredential('user', '...')`; what begins with $ is a variable. */
const SECURE_STRING =
  /(\bConvertTo-SecureString\s{1,8}(?:-(?:AsPlainText|Force|String)\s{1,8}){0,3})(?![-$(])("[^"]{1,1024}"|'[^']{1,1024}'|[^\s"'|;)]{1,1024})/gi;
const CREDENTIAL =
  /(\b(?:PS|Network)Credential\s{0,8}\(?\s{0,8}(["'])[^"']{0,256}\2\s{0,8},\s{0,8}(["']))(?!\$)[^"']{1,1024}(?=\3)/gi;
const QUERY = /([?&;])([\w.%-]{1,64})=([^&#\s"'<>]+)/g;
const ELEMENT = /<([A-Za-z_][\w.:-]{0,63})(\s[^<>]{0,256})?>([^<]+)</g;
/** Names that hold a secret in the query of a URL and not elsewhere. */
const QUERY_SECRET = /^(?:sig|signature|key|code|hmac|x-(?:amz|goog|ms)-(?:signature|credential|security-token))$/i;

/** The text with `[masked]` in the place of what is likely to be a secret; the same text where there is none. */
export function maskText(text: string): string {
  if (!mayShow(text)) return text;
  const shown = maskCommands(maskShapes(text), MASK)
    .replace(SSHPASS, `$1${MASK}`)
    .replace(SHARE, `$1${MASK}`)
    .replace(IN_SQL, `$1$2${MASK}`)
    .replace(USER_SQL, `$1${MASK}`)
    .replace(SET, (all, set: string, name: string, gap: string) =>
      isSecretName(name) && !GIT_CREDENTIAL.test(name) ? `${set}${name}${gap}${MASK}` : all,
    )
    .replace(SET_VARIABLE, (all, set: string, name: string, gap: string) =>
      isSecretName(name) ? `${set}${name}${gap}${MASK}` : all,
    )
    .replace(SECURE_STRING, `$1${MASK}`)
    .replace(CREDENTIAL, `$1${MASK}`)
    .replace(LOGIN, `$1$2${MASK}`)
    .replace(ELEMENT, (all, name: string, attributes: string | undefined) =>
      isSecretName(name) ? `<${name}${attributes ?? ''}>${MASK}<` : all,
    );
  return maskValues(maskValues(shown, FLAG, afterFlag), NAME, afterName);
}

/** The text of an error: what shows by itself to be a secret is masked. Names decide nothing here, for errors speak of passphrases and tokens. */
export function maskError(text: string): string {
  return maskShapes(text).replace(KEY_VARIABLE, `$1${MASK}`).replace(BARE_HEX, MASK);
}

/** The name of a member, masked by shapes alone: what a name says is of its value, and a hash is a name as well. */
export function maskMemberName(name: string): string {
  return mayShow(name) ? maskShapes(name) : name;
}

/** Short words are asked first: compiling the other pattern takes longer than verifying a signature. */
function mayShow(text: string): boolean {
  return !SHORT_WORD.test(text) && MAY_SHOW.test(text);
}

/** A path or a name as an error quotes it, where no public key is expected: there `ed25519:<hex>` is a seed in the wrong place. */
export function maskName(text: string): string {
  return maskError(text).replace(AS_A_NAME, MASK);
}

function maskShapes(text: string): string {
  return text
    .replace(PRIVATE_KEY, MASK)
    .replace(USERINFO, (all, scheme: string, user: string) => (isLogin(scheme, user) ? `${scheme}${MASK}@` : all))
    .replace(PLACE, (all, user: string, password: string, host: string) =>
      isPlaceOfUser(user, password, host) ? `${MASK}@` : all,
    )
    .replace(HOOK, `$1${MASK}`)
    .replace(QUERY, (all, mark: string, name: string) =>
      QUERY_SECRET.test(name) || isSecretName(name) ? `${mark}${name}=${MASK}` : all,
    )
    .replace(SCHEME, `$1 ${MASK}`)
    .replace(KNOWN, MASK)
    .replace(API_KEY, (all, role: string, id: string | undefined) =>
      id === undefined ? `${role}${MASK}` : all.length === role.length + id.length ? all : `${role}${id}_${MASK}`,
    );
}

/** True for a word of a command line after which a secret comes: `--password`, `-Token`, `Authorization:`. */
export function isSecretFlag(word: string): boolean {
  const name = /^(?:--?([A-Za-z][\w-]{0,63})|([A-Za-z_][\w.-]{0,63})[:=])$/.exec(word);
  return name !== null && isSecretName((name[1] ?? name[2])!);
}

/** `git@host` is an account that everybody has; under http a user alone is a token. */
function isLogin(scheme: string, user: string): boolean {
  return user.includes(':') || /^https?:/i.test(scheme);
}

/** `url:git@host:path` names the account that everybody has. */
function isPlaceOfUser(user: string, password: string, host: string): boolean {
  return !NO_USER.test(user) && !NO_HOST.test(host) && password !== 'git' && !password.includes('://');
}

/** How far a secret reaches that begins at `at`; null where the name before it is harmless. */
type Reach = (text: string, at: number, found: RegExpExecArray) => number | null;

const afterFlag: Reach = (text, at, [, flag]) =>
  isSecretFlag(flag!) ? (endOf(QUOTED, text, at) ?? endOf(WORD, text, at)) : null;

const afterName: Reach = (text, at, { index, 1: name, 2: mark }) => {
  // `-v $PWD:/work`: a folder, and where it is mounted.
  if (name === 'PWD' && mark === ':' && text[index - 1] === '$') return null;
  if (!isSecretName(name!) || endOf(TELLS_NOTHING, text, at) !== null) return null;
  if (/tokens$/i.test(name!) && endOf(COUNT, text, at) !== null) return null;
  return endOf(QUOTED, text, at) ?? endOf(mark === '=' ? TO_BLANK : TO_LINE_END, text, at);
};

/** Goes on behind a harmless name, whose value may begin with another: `env: TOKEN=...`. */
function maskValues(text: string, names: RegExp, reach: Reach): string {
  let kept = '';
  let from = 0;
  names.lastIndex = 0;
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    const at = names.lastIndex;
    const end = reach(text, at, found);
    if (end === null) continue;
    const quote = /^\\*["']/.exec(text.slice(at, at + 10))?.[0] ?? '';
    kept += `${text.slice(from, at)}${quote}${MASK}${quote}`;
    from = end;
    names.lastIndex = end;
  }
  return kept + text.slice(from);
}

function endOf(value: RegExp, text: string, at: number): number | null {
  value.lastIndex = at;
  return value.test(text) ? value.lastIndex : null;
}
