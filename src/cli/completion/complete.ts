/** What could come next on a command line. Made from the declarations, so a new flag completes by itself. */
import { flagOf } from '../input/flags.js';
import { GLOBAL_OPTIONS, type CommandSpec, type Listing, type OptionSpec, type ValueSource } from '../spec.js';
import type { Setting } from '../setting.js';

export interface Candidate {
  readonly value: string;
  readonly why: string;
}

export interface Completions {
  readonly candidates: readonly Candidate[];
  /** The shell should offer files as well. */
  readonly files: boolean;
}

/** Values only this machine knows. `agent`: whom the words so far name by a flag; null where none is named. */
export type LocalValues = (source: ValueSource, cli: Setting, agent: string | null) => Promise<readonly Candidate[]>;

const NONE: Completions = { candidates: [], files: false };

/** `commands` are those that help shows; `words` are those after `aip`, the last one being written and maybe empty. */
export async function complete(
  commands: readonly Listing[],
  words: readonly string[],
  local: LocalValues,
  cli: Setting,
): Promise<Completions> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { listing, path, operands, flag, operandsOnly } = await read(commands, before);
  const command = listing === null ? null : (await listing.load()).command;
  const options = [...(command?.options ?? []), GLOBAL_OPTIONS].flatMap((group) => group.options);
  const fromSource = async (values: ValueSource | undefined): Promise<Completions> => {
    if (values === undefined) return NONE;
    if (values === 'file') return { candidates: [], files: true };
    const known = [
      ...(await local(values, cli, agentIn(before, options))),
      ...(values === 'topic' ? firstWords(commands) : []),
    ];
    // Agents go by their short names, unless an id is begun.
    const candidates = /^(?:--[^=]+=)?did:/.test(current) ? [...known, ...known.map(byId)] : known;
    return { candidates, files: ['agent', 'subject', 'request'].includes(values) };
  };
  const starting = (found: Completions, start = current, prefix = ''): Completions => ({
    candidates: found.candidates
      .filter((one) => one.value.startsWith(start))
      .map((one) => ({ ...one, value: prefix + one.value })),
    files: found.files,
  });
  const ofOption = (option: OptionSpec): Promise<Completions> => {
    if (option.choices === undefined) return fromSource(option.values);
    return Promise.resolve({ candidates: option.choices.map((value) => ({ value, why: '' })), files: false });
  };

  if (flag !== null) {
    const option = options.find((one) => flagOf(one).names.includes(flag));
    return option === undefined ? NONE : starting(await ofOption(option));
  }
  const assigned = operandsOnly ? null : /^(--[^=]+=)(.*)$/s.exec(current);
  if (assigned !== null) {
    const option = options.find((one) => flagOf(one).names.includes(assigned[1]!.slice(0, -1)));
    return option === undefined ? NONE : starting(await ofOption(option), assigned[2], assigned[1]);
  }
  if (current.startsWith('-') && !operandsOnly) return starting({ candidates: flagsOf(options), files: false });
  if (command === null) return starting({ candidates: nextWords(commands, path), files: false });
  const arg = argumentAt(command, operands);
  if (arg?.afterDashes === true && !operandsOnly)
    return starting({ candidates: [{ value: '--', why: arg.description }], files: false });
  if (arg?.choices !== undefined) {
    const choices = arg.choices.map((value) => ({ value, why: arg.description }));
    return starting({ candidates: operands > 0 ? choices : [...choices, ...nextWords(commands, path)], files: false });
  }
  // Behind its first word, help takes what goes on with a command.
  if (arg?.values === 'topic' && operands > 0)
    return starting({ candidates: nextWords(commands, before.slice(-operands)), files: false });
  return starting(await fromSource(arg?.values));
}

/** Reads the finished words: the command, how many operands it has, and a flag that still waits for its value. */
async function read(
  commands: readonly Listing[],
  words: readonly string[],
): Promise<{
  listing: Listing | null;
  path: readonly string[];
  operands: number;
  flag: string | null;
  operandsOnly: boolean;
}> {
  const path: string[] = [];
  let listing: Listing | null = null;
  let options: readonly OptionSpec[] = GLOBAL_OPTIONS.options;
  let operands = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--')
      return { listing, path, operands: operands + words.length - i - 1, flag: null, operandsOnly: true };
    if (word.startsWith('-') && word !== '-') {
      const waits = options.some((one) => flagOf(one).takesValue && flagOf(one).names.includes(word));
      if (waits && i === words.length - 1) return { listing, path, operands, flag: word, operandsOnly: false };
      if (waits) i++;
    } else if (operands > 0 || (listing !== null && !commands.some((one) => begins(one, [...path, word])))) operands++;
    else {
      path.push(word);
      listing = commands.find((one) => one.path.length === path.length && begins(one, path)) ?? null;
      if (listing !== null) {
        const { command } = await listing.load();
        options = [...(command.options ?? []), GLOBAL_OPTIONS].flatMap((group) => group.options);
      }
    }
  }
  return { listing, path, operands, flag: null, operandsOnly: false };
}

/** The agent that a flag of the finished words names. */
function agentIn(words: readonly string[], options: readonly OptionSpec[]): string | null {
  const names = options.filter(({ values }) => values === 'agent').flatMap((option) => flagOf(option).names);
  const at = words.findLastIndex((word) => names.includes(word.replace(/=.*$/s, '')));
  if (at < 0) return null;
  const assigned = /^--[^=]+=(.*)$/s.exec(words[at]!);
  return assigned === null ? (words[at + 1] ?? null) : assigned[1]!;
}

function nextWords(commands: readonly Listing[], path: readonly string[]): Candidate[] {
  const found = new Map<string, string>();
  for (const command of commands.filter((one) => begins(one, path))) {
    const [word, next] = command.path.slice(path.length);
    if (word === undefined) continue;
    const others = found.get(word);
    // A group is told by the commands in it.
    found.set(word, next === undefined ? command.summary : others === undefined ? next : `${others}, ${next}`);
  }
  return [...found].map(([value, why]) => ({ value, why }));
}

function firstWords(commands: readonly Listing[]): Candidate[] {
  return [...new Set(commands.map((command) => command.path[0]!))].map((value) => ({ value, why: '' }));
}

function byId({ value, why }: Candidate): Candidate {
  return { value: why, why: value };
}

function flagsOf(options: readonly OptionSpec[]): Candidate[] {
  return options
    .filter((option) => option.hidden !== true)
    .map((option) => ({ value: flagOf(option).long, why: option.description }));
}

function argumentAt(command: CommandSpec, index: number) {
  const args = command.args ?? [];
  const last = args.at(-1);
  return args[index] ?? (last?.variadic === true ? last : undefined);
}

const begins = (command: Listing, path: readonly string[]): boolean =>
  path.every((word, i) => command.path[i] === word);
