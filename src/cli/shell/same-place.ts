/**
 * What is proposed for this very machine names the home and the config file that the line at hand named: pasted without them, it would act on
 * another home. What another machine is to do stands in lines of its own, and names nothing of this one.
 */
import { shellWord } from '../../app/failure.js';
import { maskName } from '../../protocol/log/secret-text.js';
import type { Globals } from '../globals.js';
import type { Io } from '../io.js';

const FLAGS = ['--home', '--config'];

/** The words of a command line that say where its home and its config file are. */
export function placeFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const tokens = end < 0 ? argv : argv.slice(0, end);
  return FLAGS.flatMap((flag) => {
    const at = tokens.findLastIndex((token) => token === flag || token.startsWith(`${flag}=`));
    if (at < 0) return [];
    const value = tokens[at] === flag ? tokens[at + 1] : tokens[at]!.slice(flag.length + 1);
    return value === undefined ? [] : shown(flag, value);
  });
}

/** The same of a line that was read. What a variable says holds for the next command, too. */
export function placeOf({ home, config }: Pick<Globals, 'home' | 'config'>, env: Io['env']): string[] {
  const named = home === null || home === env['AIP_HOME'] ? [] : shown('--home', home);
  return config === null ? named : [...named, ...shown('--config', config)];
}

/** A secret that was given by mistake is not repeated. */
function shown(flag: string, value: string): string[] {
  return value === '' || maskName(value) !== value ? [] : [flag, value];
}

/** The text, whose lines that begin with a command, or with `next:` or `then:` and one, name that place. */
export function inSamePlace(text: string, place: readonly string[]): string {
  if (place.length === 0 || !text.includes('aip ')) return text;
  return text
    .split('\n')
    .map((line) => (HERE.test(line) ? naming(line, place) : line))
    .join('\n');
}

/** A hint, which is a line for this machine unless it says for which one it is: commands after its words name that place as well. */
export function hintInSamePlace(hint: string, place: readonly string[]): string {
  const here = place.length > 0 && (HERE.test(hint) || !(ELSEWHERE.test(hint) || SAID.test(hint)));
  return here ? naming(hint, place) : hint;
}

function naming(line: string, place: readonly string[]): string {
  return line.replaceAll(COMMAND, `$1 ${place.map(shellWord).join(' ')}`);
}

/** Help is the same everywhere; a line that says which home is meant is right already. */
const HERE =
  /^(?!.* --(?:help|home\b|config\b)|.*, (?:at home|on the machine ))(?:(?:next: |then: )?aip (?!help|explain)|.*\bon this machine(?: alone)?: aip )/;
const COMMAND = /((?:^|: |\| |&& |, or |; then )aip)(?= (?!help|explain)[a-z])/g;
const SAID = / --(?:help|home\b|config\b)/;
/** What another machine, or another person, is to do. */
const ELSEWHERE =
  /\b(?:at home|there|where (?:the|an?|it|this|that)|on the machine|both machines|its verifier|a user who|an admin|ask for)\b/;
