/** Help, made from the declarations. Each page is meant to fit one screen. */
import { COMMANDS, SECTIONS, type Listing } from './commands/registry.js';
import type { Paint } from './render/paint.js';
import { wrap } from './render/text.js';
import { GLOBAL_OPTIONS, type ArgSpec, type CommandSpec, type OptionSpec, type Touch } from './spec.js';
import { TOPICS } from './topics/index.js';
import { VERSION } from './version.js';

/** Pages are no wider, however wide the terminal. */
export const WIDTH = 100;
const WIDEST_FLAG = 36;

const TOUCHES: Readonly<Record<Touch, string>> = {
  files: 'files you name',
  state: 'the local state (aip help config says where)',
  keychain: 'the key store',
  network: 'the network',
  processes: 'other programs',
};

/** What `aip` alone prints: how to start. */
export function start(paint: Paint): string {
  const lines = [
    paint.bold('aip gives AI agents an identity, verifies what they intend to do, and stops them.'),
    'See it work, in a throwaway folder:    aip demo',
    'Make a passport:                       aip passport create my-agent --domain acme.com --action send_email',
    'Sign an intent:                        aip intent sign --passport my-agent --action send_email > intent.json',
    'Verify it:                             aip intent verify intent.json',
    'All commands and topics:               aip help',
  ];
  return `${lines.filter((line) => isRunnable(line)).join('\n')}\n`;
}

/** A line that ends in a command is shown once that command exists. */
function isRunnable(line: string): boolean {
  const words = / {2,}aip (.+)$/.exec(line)?.[1]?.split(' ');
  return words === undefined || COMMANDS.some((command) => command.path.every((word, i) => words[i] === word));
}

/** `aip help` and `aip --help`. */
export function overview(paint: Paint): string {
  const width = Math.max(
    ...SECTIONS.flatMap((section) => section.commands).map((command) => command.path.join(' ').length),
  );
  const blocks = SECTIONS.map((section) =>
    block(
      section.title,
      section.commands.map((one) => listed(one, width)),
      paint,
    ),
  );
  const topics = TOPICS.map((topic) => `  ${topic.name.padEnd(width)}  ${topic.summary}`);
  return page(
    [`aip ${VERSION}: identity for AI agents, signed intents, verification, and a kill switch.`, ''],
    block('Usage', ['  aip <command> [flags]', '  aip <command> --help'], paint),
    ...blocks,
    block('Topics: aip help <topic>', topics, paint),
    block(GLOBAL_OPTIONS.title, optionLines(GLOBAL_OPTIONS.options), paint),
  );
}

/** `aip passport`: the commands that begin so. */
export function groupHelp(path: readonly string[], paint: Paint): string {
  const members = COMMANDS.filter((command) => path.every((word, i) => command.path[i] === word));
  const width = Math.max(...members.map((command) => command.path.join(' ').length));
  return page(
    block('Usage', [`  aip ${path.join(' ')} <command> [flags]`], paint),
    block(
      'Commands',
      members.map((one) => listed(one, width)),
      paint,
    ),
    [`aip ${path.join(' ')} <command> --help says more.`],
  );
}

/** One command. */
export function commandHelp(command: CommandSpec, paint: Paint): string {
  const groups = (command.options ?? []).map((group) => ({
    title: group.title,
    options: group.options.filter((option) => option.hidden !== true),
  }));
  const exits = Object.entries({ 0: 'done', 2: 'wrong use', ...command.exits }).map(
    ([code, why]) => `  ${code.padEnd(4)} ${why}`,
  );
  const usage = [
    'aip',
    ...command.path,
    ...(command.args ?? []).map(argText),
    ...(groups.length > 0 ? ['[flags]'] : []),
  ];
  const touched =
    command.touches.length === 0 ? 'nothing outside itself' : command.touches.map((one) => TOUCHES[one]).join(', ');
  const more = (command.topics ?? []).map((topic) => `aip help ${topic}`).join(', ');
  const globals = GLOBAL_OPTIONS.options.map((option) => option.flags.split(', ').at(-1)!).join(' ');
  return page(
    [`${command.summary}.`, ...(command.detail === undefined ? [] : wrap(command.detail, WIDTH)), ''],
    block('Usage', [`  ${usage.join(' ')}`, ...argLines(command.args ?? [])], paint),
    block(
      'Examples',
      command.examples.flatMap((example) => [`  ${example.run}`, `      ${paint.dim(example.why)}`]),
      paint,
    ),
    ...groups.map((group) => block(group.title, optionLines(group.options), paint)),
    block(
      GLOBAL_OPTIONS.title,
      wrap(globals, WIDTH - 2).map((line) => `  ${line}`),
      paint,
    ),
    block('Exit codes', exits, paint),
    [`${paint.bold('Touches')}  ${touched}`, ...(more === '' ? [] : [`${paint.bold('More')}     ${more}`])],
  );
}

/** A topic: headings painted, prose wrapped, indented lines as they are. */
export function topicPage(text: string, paint: Paint, columns: number): string {
  const lines: string[] = [];
  let prose: string[] = [];
  const flush = (): void => {
    if (prose.length > 0) lines.push(...wrap(prose.join(' '), Math.min(WIDTH, columns)));
    prose = [];
  };
  for (const line of text.trimEnd().split('\n')) {
    if (line !== '' && !/^[ #]/.test(line)) prose.push(line);
    else {
      flush();
      lines.push(...(line.startsWith('# ') ? [paint.bold(line.slice(2))] : indented(line, Math.min(WIDTH, columns))));
    }
  }
  flush();
  return `${lines.join('\n')}\n`;
}

/** A row too long continues under its last column; what has no columns, such as a command, is never broken. */
function indented(line: string, columns: number): string[] {
  const match = line.length > columns ? /^( +- | .{1,38} {2,})(\S.*)$/.exec(line) : null;
  if (match === null) return [line];
  const [, lead, rest] = match as unknown as [string, string, string];
  return wrap(rest, columns - lead.length).map((part, i) => (i === 0 ? lead : ' '.repeat(lead.length)) + part);
}

function argText(arg: ArgSpec): string {
  const name = `${arg.name}${arg.variadic === true ? '...' : ''}`;
  return arg.required === false ? `[${name}]` : `<${name}>`;
}

function argLines(args: readonly ArgSpec[]): string[] {
  const width = Math.max(...args.map((arg) => arg.name.length + 2), 0);
  return args.flatMap((arg) => {
    const choices = arg.choices === undefined ? '' : ` (${arg.choices.join(' | ')})`;
    return hang(`    ${`<${arg.name}>`.padEnd(width)}  `, `${arg.description}${choices}`);
  });
}

function optionLines(options: readonly OptionSpec[]): string[] {
  const width = Math.min(WIDEST_FLAG, Math.max(...options.map((option) => flagText(option).length), 0));
  return options.flatMap((option) => hang(`  ${flagText(option).padEnd(width)}  `, describe(option)));
}

function flagText(option: OptionSpec): string {
  const lead = option.flags.startsWith('--') ? `    ${option.flags}` : option.flags;
  return option.several === true ? lead.replace(/>$/, '...>') : lead;
}

function describe(option: OptionSpec): string {
  const notes = [
    ...(option.choices === undefined ? [] : [`(${option.choices.join(' | ')})`]),
    ...(option.repeatable === true ? ['(repeatable)'] : []),
    ...(option.default === undefined ? [] : [`[default: ${String(option.default)}]`]),
    ...(option.env === undefined ? [] : [`[${option.env}]`]),
  ];
  return [option.description, ...notes].join(' ');
}

function listed(command: Listing, width: number): string {
  return `  ${command.path.join(' ').padEnd(width)}  ${command.summary}`;
}

/** `text` beside `lead`, its further lines under its first. A lead that is too wide keeps a line of its own. */
function hang(lead: string, text: string): string[] {
  const indent = Math.min(lead.length, WIDEST_FLAG + 4);
  const lines = wrap(text, WIDTH - indent);
  if (lead.length > indent) return [lead.trimEnd(), ...lines.map((line) => ' '.repeat(indent) + line)];
  return lines.map((line, i) => (i === 0 ? lead : ' '.repeat(indent)) + line);
}

function block(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint.bold(title), ...lines, ''];
}

function page(...blocks: readonly (readonly string[])[]): string {
  return `${blocks.flat().join('\n').trimEnd()}\n`;
}
