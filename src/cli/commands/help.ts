import { Failure } from '../../app/failure.js';
import type { Cli } from '../cli.js';
import { commandHelp, groupHelp, overview, pageWidth, topicPage } from '../help.js';
import { nearest } from '../nearest.js';
import { COMMANDS } from './registry.js';
import type { CommandSpec, Input } from '../spec.js';
import { TOPICS } from '../topics/index.js';

export const command: CommandSpec = {
  path: ['help'],
  summary: 'Show help for a command or a topic',
  args: [{ name: 'what', description: 'a command or a topic', required: false, variadic: true, values: 'topic' }],
  examples: [
    { run: 'aip help', why: 'all commands and topics' },
    { run: 'aip help constraints', why: 'a topic' },
    { run: 'aip help config list', why: 'a command' },
  ],
  touches: [],
  run: async (input: Input<unknown>, cli: Cli) => {
    cli.out((await textOf(input.args, cli)).trimEnd());
    return 0;
  },
};

async function textOf(words: readonly string[], cli: Cli): Promise<string> {
  const width = pageWidth(cli.width);
  if (words.length === 0) return overview(cli.paint, width);
  const topic = words.length === 1 ? TOPICS.find((one) => one.name === words[0]) : undefined;
  if (topic !== undefined) {
    const { text } = await topic.load();
    return topicPage(text(), cli.paint, width);
  }
  const listing = COMMANDS.find(
    (one) => one.path.length === words.length && one.path.every((word, i) => words[i] === word),
  );
  if (listing !== undefined) return commandHelp((await listing.load()).command, cli.paint, width);
  if (COMMANDS.some((one) => words.every((word, i) => one.path[i] === word))) return groupHelp(words, cli.paint, width);
  const said = words.join(' ');
  const guess = nearest(said, [...TOPICS.map((one) => one.name), ...COMMANDS.map((one) => one.path.join(' '))]);
  throw new Failure('USAGE', `no help for "${said}"${guess === null ? '' : `; did you mean ${guess}?`}`, {
    hint: guess === null ? 'aip help' : `aip help ${guess}`,
  });
}
