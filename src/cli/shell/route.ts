/** Finds the command in the arguments without knowing any command's own flags, so that only that command need be loaded. */
import { Failure } from '../../app/failure.js';
import { COMMANDS } from '../registry.js';
import { flagOf } from '../input/flags.js';
import { lazy } from '../../protocol/lazy.js';
import { nearest } from '../../protocol/naming/nearest.js';
import { GLOBAL_OPTIONS, type Listing } from '../spec.js';
import { maskName } from '../../protocol/log/secret-text.js';

export type Route =
  | { readonly kind: 'bare'; readonly help: boolean }
  | { readonly kind: 'version' }
  /** Words that begin commands and name none: `aip passport`. */
  | { readonly kind: 'group'; readonly path: readonly string[]; readonly help: boolean }
  | { readonly kind: 'command'; readonly listing: Listing; readonly rest: readonly string[]; readonly help: boolean };

/** The names of global flags: of all, and of those that take a value. */
const GLOBAL_NAMES = lazy(() => {
  const flags = GLOBAL_OPTIONS.options.map(flagOf);
  const valued = flags.filter((flag) => flag.takesValue);
  return { all: new Set(flags.flatMap(({ names }) => names)), valued: new Set(valued.flatMap(({ names }) => names)) };
});

/** Fails with USAGE on an unknown command or on a flag before it that is not a global one. */
export function route(argv: readonly string[]): Route {
  const words: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i]!;
    if (token.startsWith('-') && token !== '-' && token !== '--') {
      const name = token.split('=', 1)[0]!;
      if (!GLOBAL_NAMES().all.has(name) && !isBundle(token)) throw unknownFlag(token, words);
      flags.push(token);
      if (!GLOBAL_NAMES().valued.has(name) || name !== token) continue;
      if (i + 1 === argv.length) throw new Failure('USAGE', `${token} needs a value`, { hint: 'aip --help' });
      flags.push(argv[++i]!);
      continue;
    }
    const path = [...words, token];
    const listing = COMMANDS.find((command) => same(command.path, path));
    // A command may begin another one: `hook`, `hook install`.
    const longer = [...path, argv[i + 1] ?? ''];
    if (listing !== undefined && !COMMANDS.some((command) => same(command.path, longer))) {
      const rest = [...flags, ...argv.slice(i + 1)];
      const help = asks(rest, '--help', '-h');
      // Every help page names --version: it asks for the version and not for the command to be run.
      return !help && asks(rest, '--version') ? { kind: 'version' } : { kind: 'command', listing, rest, help };
    }
    if (!COMMANDS.some((command) => begins(command.path, path))) throw unknownCommand(words, token);
    words.push(token);
  }
  if (asks(flags, '--version')) return { kind: 'version' };
  const help = asks(flags, '--help', '-h');
  return words.length === 0 ? { kind: 'bare', help } : { kind: 'group', path: words, help };
}

/** True when one of the names stands before `--`. */
export function asks(tokens: readonly string[], ...names: readonly string[]): boolean {
  const end = tokens.indexOf('--');
  return tokens.slice(0, end < 0 ? tokens.length : end).some((token) => names.includes(token));
}

function unknownCommand(words: readonly string[], token: string): Failure {
  const siblings = new Set(
    COMMANDS.filter((command) => begins(command.path, words) && !command.path[0]!.startsWith('_')).map(
      (command) => command.path[words.length]!,
    ),
  );
  // `aip verify`, `aip sign`: the verb without its noun.
  const verbs = COMMANDS.map(({ path }) => path).filter((path) => path.length > 1 && path.at(-1) === token);
  const [verb] = [...verbs].sort((a, b) => rank(a) - rank(b));
  if (words.length === 0 && (verb !== undefined || token === 'version')) {
    const command = verb === undefined ? 'aip --version' : ['aip', ...verb].join(' ');
    const others = verbs.filter((path) => path !== verb).map((path) => `aip ${path.join(' ')}`);
    const more = others.length === 0 ? '' : ` (or ${others.slice(0, 4).join(', ')})`;
    return new Failure('USAGE', `unknown command: aip ${maskName(token)}; did you mean ${command}?${more}`, {
      hint: verb === undefined ? command : `${command} --help`,
    });
  }
  const guess = nearest(token, [...siblings]);
  const meant = guess === null ? '' : `; did you mean ${[...words, guess].join(' ')}?`;
  return new Failure('USAGE', `unknown command: aip ${[...words, maskName(token)].join(' ')}${meant}`, {
    hint: guess === null ? ['aip', ...words, '--help'].join(' ') : ['aip', ...words, guess, '--help'].join(' '),
  });
}

/** Intents are what most people come for, then passports. */
const NOUNS = ['intent', 'passport'];

function rank([noun = '']: readonly string[]): number {
  const at = NOUNS.indexOf(noun);
  return at < 0 ? NOUNS.length : at;
}

function unknownFlag(token: string, words: readonly string[]): Failure {
  const name = maskName(token.split('=', 1)[0]!);
  const guess = nearest(name, [...GLOBAL_NAMES().all]);
  const meant = guess === null ? '; flags of a command go after it' : `; did you mean ${guess}?`;
  return new Failure('USAGE', `unknown option before the command: ${name}${meant}`, {
    hint: ['aip', ...words, '--help'].join(' '),
  });
}

/** `-qv` is `-q -v`, as it is after the command. */
const isBundle = (token: string): boolean =>
  /^-[a-z]{2,}$/.test(token) && [...token.slice(1)].every((letter) => GLOBAL_NAMES().all.has(`-${letter}`));

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && begins(a, b);
const begins = (path: readonly string[], start: readonly string[]): boolean =>
  start.every((word, i) => path[i] === word);
