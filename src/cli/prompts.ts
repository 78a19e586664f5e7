/** The prompt library, behind four functions. Loaded by `questions.ts`, and only once something may be asked. */
import { confirm, input, password, select } from '@inquirer/prompts';
import type { Choice, Terminal } from './questions.js';
import { clean } from './render/text.js';

type Check = ((answer: string) => true | string) | undefined;

const same = (text: string): string => text;
/** The library colours by its own reading of the real stdout; ours is the one that counts. */
const PLAIN = {
  prefix: { idle: '?', done: '*' },
  style: {
    answer: same,
    message: same,
    error: (text: string) => `> ${text}`,
    defaultAnswer: (text: string) => `(${text})`,
    help: same,
    highlight: same,
    key: (text: string) => `<${text}>`,
    disabled: (text: string) => `- ${text}`,
    description: same,
    keysHelpTip: (keys: [key: string, action: string][]) => keys.map(([key, action]) => `${key} ${action}`).join(', '),
  },
} as const;

function context(terminal: Terminal): {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  signal: AbortSignal;
} {
  return { input: terminal.input, output: terminal.output, signal: terminal.signal };
}

const look = (terminal: Terminal): { theme?: typeof PLAIN } => (terminal.colour ? {} : { theme: PLAIN });

export function confirmation(terminal: Terminal, message: string, fallback: boolean): Promise<boolean> {
  return confirm({ message: clean(message), default: fallback, ...look(terminal) }, context(terminal));
}

export function line(terminal: Terminal, message: string, fallback: string | undefined, check: Check): Promise<string> {
  return input(
    {
      message: clean(message),
      ...(fallback === undefined ? { required: true } : { default: fallback }),
      ...(check === undefined ? {} : { validate: check }),
      ...look(terminal),
    },
    context(terminal),
  );
}

export function choice<T>(
  terminal: Terminal,
  message: string,
  choices: readonly Choice<T>[],
  fallback: T | undefined,
): Promise<T> {
  return select<T>(
    {
      message: clean(message),
      choices: choices.map((one) => ({
        value: one.value,
        name: clean(one.name),
        ...(one.description === undefined ? {} : { description: clean(one.description) }),
      })),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...look(terminal),
    },
    context(terminal),
  );
}

export function hidden(terminal: Terminal, message: string, check?: Check): Promise<string> {
  return password(
    {
      message: clean(message),
      validate: (answer) => (answer === '' ? 'An empty answer is not enough.' : (check?.(answer) ?? true)),
      ...look(terminal),
    },
    context(terminal),
  );
}
