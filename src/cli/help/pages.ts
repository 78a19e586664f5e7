/** Help, made from the declarations. Each page is meant to fit one screen. */
import type { Paint } from '../render/terminal/paint.js';
import { wrap } from '../render/terminal/text.js';
import {
  GLOBAL_OPTIONS,
  type ArgSpec,
  type CommandSpec,
  type Listing,
  type OptionSpec,
  type Section,
  type Touch,
} from '../spec.js';
import { TOPICS } from './topics.js';
import { VERSION } from '../version.js';

/** Pages are no wider, however wide the terminal. */
const WIDTH = 100;
/** Where a pipe does not say how wide it is: what `aip help | less` fits anywhere. */
const UNKNOWN = 80;
const WIDEST_FLAG = 36;
/** A second column that would be narrower than this goes below the first. */
const READABLE = 24;

/** How wide a page is on a terminal of so many columns; null for a pipe. */
export function pageWidth(columns: number | null): number {
  return columns === null ? UNKNOWN : Math.min(WIDTH, columns);
}

const TOUCHES: Readonly<Record<Touch, string>> = {
  files: 'files you name',
  state: 'the local state (aip help config says where)',
  keychain: 'the key store',
  network: 'the network',
  processes: 'other programs',
};

/** What `aip` alone prints: how to start. */
export function start(sections: readonly Section[], paint: Paint): string {
  const lines = [
    paint.bold('aip gives AI agents an identity, verifies what they intend, and stops them.'),
    'See it work  aip demo',
    'Identity     aip passport create my-agent --domain acme.com --action send_email',
    'Sign         aip intent sign -p my-agent -a send_email > intent.json',
    'Verify       aip intent verify intent.json',
    'All of it    aip help',
  ];
  return `${lines.filter((line) => isRunnable(line, commandsOf(sections))).join('\n')}\n`;
}

/** A line that ends in a command is shown once that command exists. */
function isRunnable(line: string, commands: readonly Listing[]): boolean {
  const words = / {2,}aip (.+)$/.exec(line)?.[1]?.split(' ');
  return words === undefined || commands.some((command) => command.path.every((word, i) => words[i] === word));
}

/** `aip help` and `aip --help`. */
export function overview(sections: readonly Section[], paint: Paint, width: number): string {
  const names = Math.max(...commandsOf(sections).map((command) => command.path.join(' ').length));
  const blocks = sections.map((section) =>
    block(
      section.title,
      section.commands.flatMap((one) => listed(one, names, width)),
      paint,
    ),
  );
  const topics = TOPICS.flatMap((topic) => hang(`  ${topic.name.padEnd(names)}  `, topic.summary, width));
  return page(
    [...wrap(`aip ${VERSION}: identity for AI agents, signed intents, verification, a kill switch.`, width), ''],
    block('Usage', ['  aip <command> [flags]', '  aip <command> --help'], paint),
    ...blocks,
    block('Topics: aip help <topic>', topics, paint),
    block(GLOBAL_OPTIONS.title, optionLines(GLOBAL_OPTIONS.options, width), paint),
  );
}

/** `aip help topics`. */
export function topicList(paint: Paint, width: number): string {
  const names = Math.max(...TOPICS.map((topic) => topic.name.length));
  const topics = TOPICS.flatMap((topic) => hang(`  ${topic.name.padEnd(names)}  `, topic.summary, width));
  return page(block('Topics: aip help <topic>', topics, paint));
}

/** `aip passport`: the commands that begin so. */
export function groupHelp(sections: readonly Section[], path: readonly string[], paint: Paint, width: number): string {
  const members = commandsOf(sections).filter((command) => path.every((word, i) => command.path[i] === word));
  const names = Math.max(...members.map((command) => command.path.join(' ').length));
  return page(
    block('Usage', [`  aip ${path.join(' ')} <command> [flags]`], paint),
    block(
      'Commands',
      members.flatMap((one) => listed(one, names, width)),
      paint,
    ),
    [`aip ${path.join(' ')} <command> --help says more.`],
  );
}

/** The commands of all sections, in order. */
export function commandsOf(sections: readonly Section[]): readonly Listing[] {
  return sections.flatMap((section) => section.commands);
}

/** One command. */
export function commandHelp(command: CommandSpec, paint: Paint, width: number): string {
  const groups = (command.options ?? []).map((group) => ({
    title: group.title,
    options: group.options.filter((option) => option.hidden !== true),
  }));
  const exits = Object.entries({ 0: 'done', 2: 'wrong use', ...command.exits }).flatMap(([code, why]) =>
    hang(`  ${code.padEnd(4)} `, why, width),
  );
  const args = command.args ?? [];
  const usage = [
    'aip',
    ...command.path,
    ...args.filter((arg) => arg.afterDashes !== true).map(argText),
    ...(groups.length > 0 ? ['[flags]'] : []),
    ...args.filter((arg) => arg.afterDashes === true).flatMap((arg) => ['--', argText(arg)]),
  ];
  const touched =
    command.touches.length === 0 ? 'nothing outside itself' : command.touches.map((one) => TOUCHES[one]).join(', ');
  // No line ends within a command.
  const more = (command.topics ?? []).map((topic) => `aip\u00a0help\u00a0${topic}`).join(', ');
  const globals = GLOBAL_OPTIONS.options.map((option) => option.flags.split(', ').at(-1)!).join(' ');
  return page(
    [
      ...wrap(/[.?]$/.test(command.summary) ? command.summary : `${command.summary}.`, width),
      ...(command.detail === undefined ? [] : wrap(command.detail, width)),
      '',
    ],
    block('Usage', [`  ${usage.join(' ')}`, ...argLines(args, width)], paint),
    block(
      'Examples',
      command.examples.flatMap((example) => [
        ...continued(example.run, width),
        ...wrap(example.why, width - 6).map((line) => `      ${paint.dim(line)}`),
      ]),
      paint,
    ),
    ...groups.map((group) => block(group.title, optionLines(group.options, width), paint)),
    block(
      GLOBAL_OPTIONS.title,
      wrap(globals, width - 2).map((line) => `  ${line}`),
      paint,
    ),
    block('Exit codes', exits, paint),
    [
      ...labelled('Touches', touched, width, paint),
      ...(more === '' ? [] : labelled('More', more, width, paint).map(breakable)),
    ],
  );
}

/** A topic: headings painted, prose wrapped, indented lines as they are. */
export function topicPage(text: string, paint: Paint, width: number): string {
  const lines: string[] = [];
  let prose: string[] = [];
  const flush = (): void => {
    if (prose.length > 0) lines.push(...wrap(prose.join(' '), width));
    prose = [];
  };
  for (const line of text.trimEnd().split('\n')) {
    if (line !== '' && !/^[ #]/.test(line)) prose.push(line);
    else {
      flush();
      lines.push(...(line.startsWith('# ') ? [paint.bold(line.slice(2))] : indented(line, width)));
    }
  }
  flush();
  return `${lines.join('\n')}\n`;
}

/** A row too long continues under its last column, a command too long as the shell reads it; nothing else is broken. */
function indented(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  // The columns of a table stay where they are, as long as the last one has room there.
  const table = /^( +\S.{0,60} {2,})(\S.*)$/.exec(line);
  if (table !== null && width - table[1]!.length >= READABLE) return hang(table[1]!, table[2]!, width);
  const match = /^( {8,}| +- | +\S.{0,60}? {2,})(\S.*)$/.exec(line);
  if (match !== null) return hang(match[1]!, match[2]!, width);
  return /^ {2}([A-Z_]+=.* )?(aip|curl|echo) /.test(line) ? continued(line.trim(), width) : [line];
}

/** A command on as many lines as it takes, still one command when pasted: broken between words, never inside quotes. */
function continued(run: string, width: number): string[] {
  const words = run.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [run];
  const lines: string[] = [];
  let line = ' ';
  for (const [i, word] of words.entries()) {
    const room = width - (i === words.length - 1 ? 0 : 2);
    // A flag stays with its value.
    const next = word.startsWith('-') && words[i + 1]?.startsWith('-') === false ? ` ${words[i + 1]}` : '';
    if (line.trim() !== '' && line.length + 1 + word.length + next.length > room) {
      lines.push(`${line} \\`);
      line = '     ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function argText(arg: ArgSpec): string {
  const name = `${arg.name}${arg.variadic === true ? '...' : ''}`;
  return arg.required === false ? `[${name}]` : `<${name}>`;
}

function argLines(args: readonly ArgSpec[], width: number): string[] {
  const names = Math.max(...args.map((arg) => arg.name.length + 2), 0);
  return args.flatMap((arg) => {
    const choices = arg.choices === undefined ? '' : ` (${arg.choices.join(' | ')})`;
    return hang(`    ${`<${arg.name}>`.padEnd(names)}  `, `${arg.description}${choices}`, width);
  });
}

function optionLines(options: readonly OptionSpec[], width: number): string[] {
  const flags = Math.min(WIDEST_FLAG, Math.max(...options.map((option) => flagText(option).length), 0));
  return options.flatMap((option) => hang(`  ${flagText(option).padEnd(flags)}  `, describe(option), width));
}

function flagText(option: OptionSpec): string {
  const lead = option.flags.startsWith('--') ? `    ${option.flags}` : option.flags;
  return option.several === true ? lead.replace(/>$/, '...>') : lead;
}

function describe(option: OptionSpec): string {
  const said = (word: string): boolean => option.description.includes(word);
  const notes = [
    ...(option.choices === undefined ? [] : [`(${option.choices.join(' | ')})`]),
    ...(option.repeatable === true ? ['(repeatable)'] : []),
    // A default that is no text (5000 for 5s) is said by the description.
    ...(option.default === undefined || said('default') ? [] : [`(default ${String(option.default)})`]),
    ...(option.env === undefined ? [] : [`[${option.env}]`]),
  ];
  return [option.description, ...notes].join(' ');
}

function listed(command: Listing, names: number, width: number): string[] {
  return hang(`  ${command.path.join(' ').padEnd(names)}  `, command.summary, width);
}

function labelled(label: string, text: string, width: number, paint: Paint): string[] {
  const lead = label.padEnd(9);
  return hang(lead, text, width).map((line, i) => (i === 0 ? paint.bold(label) + line.slice(label.length) : line));
}

/** `text` beside `lead`, its further lines under its first. A lead that leaves no room has a line of its own. */
function hang(lead: string, text: string, width: number): string[] {
  const beside = lead.length <= WIDEST_FLAG + 16 && width - lead.length >= READABLE;
  const indent = beside ? lead.length : Math.min(lead.search(/\S/) + 4, 10);
  const lines = wrap(text, Math.max(READABLE, width - indent)).map((line) => ' '.repeat(indent) + line);
  return beside ? [lead + lines[0]!.slice(indent), ...lines.slice(1)] : [lead.trimEnd(), ...lines];
}

const breakable = (line: string): string => line.replaceAll('\u00a0', ' ');

function block(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint.bold(title), ...lines, ''];
}

function page(...blocks: readonly (readonly string[])[]): string {
  return `${blocks.flat().join('\n').trimEnd()}\n`;
}
