/** Secrets in command lines whose flags do not say so: `mysql -pSECRET`, `docker login -p SECRET`, as a text or as a list of words. */
import { lazy } from '../lazy.js';
import { maskPlaces, placesIn } from './secret-places.js';

/** A word that much else is called by. */
const LOGIN = 'login';

/** Programs, the flags that have a secret right behind them, and those that have it in the next word. */
const PROGRAMS: readonly (readonly [programs: string, attached: string, next: string])[] = [
  // A blank behind it makes the name of a database of the next word.
  ['(?:mysql|mariadb)[\\w-]*', 'p', ''],
  ['7z[a-z]?|rar|unrar', 'h?p', ''],
  // `helm registry login`, `az login`: elsewhere -p is a port.
  [LOGIN, '', 'p'],
  ['(?:docker|podman|nerdctl|buildah|oras)\\s{1,8}login', 'p', 'p'],
  ['mongo(?:sh|dump|restore|export|import|stat|top|files)?|sshpass', 'p', 'p'],
  // -u behind other letters, as in -sSu.
  ['curl', '[#fgGiIjJklLnNOpqRsSvV01246aZB]*u', '[#fgGiIjJklLnNOpqRsSvV01246aZB]*u'],
  ['lftp', '', 'u'],
  ['openssl', '', 'k|K'],
  ['twine|cqlsh|cypher-shell|rdesktop|psexec(?:64)?|useradd|usermod|ncftp\\w*|smbmap', '', 'p'],
  ['ssh-keygen', '[NP]', 'N|P'],
  ['pscp|psftp|plink|putty', '', 'pw'],
  ['ipmitool|mosquitto_(?:pub|sub)|snowsql', 'P', 'P'],
  ['redis-(?:cli|benchmark)|valkey-cli', '', 'a'],
  ['ldap(?:search|add|modify|modrdn|delete|passwd|whoami|compare|exop)', 'w', 'w'],
  ['(?:un)?zip|zipcloak|sqlcmd|bcp|osql|isql|tsql', 'P', 'P'],
];

/** A text without any of these names none of them. */
const MAY_NAME =
  /mysql|mariadb|7z|rar|login|mongo|sshpass|curl|redis|valkey|ldap|zip|[oit]sql|sqlcmd|bcp|lftp|openssl|twine|cqlsh|cypher|keygen|rdesktop|psexec|user(?:add|mod)|pscp|psftp|plink|putty|ipmitool|mosquitto|snowsql|ncftp|smbmap/i;
/** What a port looks like, or two of them: no password. */
const PORTS = /^["']?\d{1,5}(?::\d{1,5})?(?:\/(?:tcp|udp))?["']?$/;
/** To the end of the command: what is quoted ends none. */
const REST = `(?=\\s)(?:"[^"]*"|'[^']*'|[^|;&\\r\\n"'])*`;
/** A word of a shell. */
const WORD = `(?:"[^"]*"|'[^']*'|[^\\s"'])+`;
const NEVER = '(?!)';
/** `-N ''` of ssh-keygen, for a key without a passphrase. */
const EMPTY = /^(?:""|'')?$/;

interface Row {
  readonly line: RegExp;
  readonly flags: RegExp;
  readonly program: RegExp;
  readonly attached: RegExp;
  readonly next: RegExp;
  /** What is no secret there. */
  readonly harmless: RegExp;
}

const ROWS = lazy(() => PROGRAMS.map(rowOf));

function rowOf([programs, attached, next]: (typeof PROGRAMS)[number]): Row {
  const forms = [
    ...(attached === '' ? [] : [`(-${attached})(?=[^\\s])${WORD}`]),
    ...(next === '' ? [] : [`(-(?:${next})\\s+)(?!-)${WORD}`]),
  ];
  return {
    line: new RegExp(`(?<![\\w.-])(?:${programs})(?:\\.exe)?${REST}`, 'g'),
    flags: new RegExp(`(?<=\\s)(?:${forms.join('|')})`, 'g'),
    program: new RegExp(`^(?:.{0,1024}[/\\\\])?(?:${programs})(?:\\.exe)?$`),
    attached: attached === '' ? new RegExp(NEVER) : new RegExp(`^(-${attached}).`, 's'),
    next: next === '' ? new RegExp(NEVER) : new RegExp(`^-(?:${next})$`),
    harmless: programs === LOGIN ? PORTS : EMPTY,
  };
}

/** The text with `mask` in the place of what such flags are given. */
export function maskCommands(text: string, mask: string): string {
  const shown = maskPlaces(text, mask);
  if (!MAY_NAME.test(shown)) return shown;
  return ROWS().reduce(
    (left, { line, flags, harmless }) =>
      left.replace(line, (command) =>
        command.replace(flags, (all: string, one: string | undefined, other: string | undefined) => {
          const flag = one ?? other ?? '';
          return harmless.test(all.slice(flag.length)) ? all : `${flag}${mask}`;
        }),
      ),
    shown,
  );
}

function mayName(word: unknown): word is string {
  return typeof word === 'string' && MAY_NAME.test(word);
}

/**
 * The words of a command as they may be shown, by their place: those alone where a flag has a secret in it or before it. One pass, whatever
 * stands in the list. `beside` is the program where it is named apart: `{command: "mysql", args: [...]}`.
 */
export function maskedWords(
  words: readonly unknown[],
  beside: string | null,
  mask: string,
): ReadonlyMap<number, string> {
  const masked = new Map(placed(words, beside).map((place) => [place, mask]));
  if (!mayName(beside) && !words.some(mayName)) return masked;
  const named = new Set<Row>();
  const note = (word: unknown): void => {
    if (mayName(word)) for (const row of ROWS()) if (row.program.test(word)) named.add(row);
  };
  note(beside);
  words.forEach((word, i) => {
    if (typeof word !== 'string') return;
    const before = words[i - 1];
    for (const { attached, next, harmless } of named) {
      const follows = typeof before === 'string' && next.test(before) && !word.startsWith('-') && !harmless.test(word);
      const flag = attached.exec(word)?.[1];
      if (follows || flag !== undefined) masked.set(i, follows ? mask : `${flag}${mask}`);
    }
    note(word);
  });
  return masked;
}

function placed(words: readonly unknown[], beside: string | null): readonly number[] {
  const texts = words.map((word) => (typeof word === 'string' ? word : ''));
  const behind = beside === null ? [] : placesIn([beside, ...texts]);
  return behind.length > 0 ? behind.map((place) => place - 1) : placesIn(texts);
}
