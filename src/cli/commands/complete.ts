import { complete } from '../completion/complete.js';
import { localValues } from '../completion/local-values.js';
import { commandsOf } from '../help/pages.js';
import { clean } from '../render/terminal/text.js';
import type { CommandSpec, Section } from '../spec.js';

interface Options {
  readonly newWord: boolean;
}

/** Prints a candidate a line, `value<TAB>why`, and `:file` where the shell should offer files. Never fails: a person is typing. */
export const completionOf = (sections: readonly Section[]): CommandSpec<Options> => ({
  path: ['__complete'],
  summary: 'Print completions',
  args: [
    { name: 'words', description: 'the words after aip, the last one unfinished', required: false, variadic: true },
  ],
  options: [
    {
      title: 'Flags',
      // Some shells cannot pass an empty argument to a program.
      options: [{ flags: '--new-word', description: 'the last word is finished, and another begins' }],
    },
  ],
  examples: [{ run: 'aip __complete -- config li', why: 'what the completion scripts call' }],
  touches: ['state'],
  onlyReads: true,
  run: async (input, cli) => {
    const words = input.options.newWord ? [...input.args, ''] : input.args;
    try {
      const { candidates, files } = await complete(commandsOf(sections), words, localValues, cli);
      const lines = candidates.map(({ value, why }) => (why === '' ? clean(value) : `${clean(value)}\t${clean(why)}`));
      const all = files ? [...lines, ':file'] : lines;
      if (all.length > 0) cli.out(all.join('\n'));
    } catch (error) {
      cli.detail(String(error));
    }
    return 0;
  },
});
