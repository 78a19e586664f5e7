import { Failure } from '../../app/failure.js';
import type { Cli } from '../cli.js';
import { commandHelp, commandsOf, groupHelp, overview, pageWidth, topicList, topicPage } from '../help/pages.js';
import { nearest } from '../../protocol/naming/nearest.js';
import { plain } from '../render/terminal/paint.js';
import type { CommandSpec, Input, Section } from '../spec.js';
import { TOPICS } from '../help/topics.js';

/** The command that shows the help of these, and the topics. */
export const helpOf = (sections: readonly Section[]): CommandSpec => ({
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
    const page = await textOf(sections, input.args, cli);
    if (cli.globals.json) cli.json({ help: page });
    else cli.out(page.trimEnd());
    return 0;
  },
});

async function textOf(sections: readonly Section[], words: readonly string[], cli: Cli): Promise<string> {
  const { json } = cli.globals;
  const commands = commandsOf(sections);
  const paint = json ? plain : cli.paint;
  const width = pageWidth(json ? null : cli.width);
  if (words.length === 0) return overview(sections, paint, width);
  const named = words
    .join('-')
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  if (named === 'topics') return topicList(paint, width);
  const topic = TOPICS.find((one) => one.name === named);
  if (topic !== undefined) {
    const { text } = await topic.load();
    return topicPage(text(), paint, width);
  }
  const listing = commands.find(
    (one) => one.path.length === words.length && one.path.every((word, i) => words[i] === word),
  );
  if (listing !== undefined) return commandHelp((await listing.load()).command, paint, width);
  if (commands.some((one) => words.every((word, i) => one.path[i] === word)))
    return groupHelp(sections, words, paint, width);
  const said = words.join(' ');
  const guess = nearest(said.toLowerCase(), [
    ...TOPICS.map((one) => one.name),
    ...commands.map((one) => one.path.join(' ')),
  ]);
  throw new Failure('USAGE', `no help for "${said}"${guess === null ? '' : `; did you mean ${guess}?`}`, {
    hint: guess === null ? 'aip help' : `aip help ${guess}`,
  });
}
