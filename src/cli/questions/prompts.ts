/** The prompt library, behind four functions. Loaded by `questions.ts`, and only once something may be asked. */
import { confirm, input, password, select } from '@inquirer/prompts';
import type { Choice, Terminal } from './question.js';
import { clean } from '../render/terminal/text.js';

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

interface Context {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/**
 * Asks, and ends when the terminal does. On Ctrl-D or a hang-up readline closes and the library's promise never settles: the process
 * would run out of work and exit with 0, which says that it was done. Closing pauses the input; so does being stopped (Ctrl-Z), which
 * readline does not undo by itself.
 */
async function asked<T>({ input, output, signal }: Terminal, ask: (context: Context) => Promise<T>): Promise<T> {
  const closed = new AbortController();
  // An answer pauses as well, once it has been given.
  const onPause = (): void => void setTimeout(() => input.isPaused() && closed.abort(), 50);
  const onContinue = (): void => void setImmediate(() => input.resume());
  input.on('pause', onPause);
  input.on('end', onPause);
  process.on('SIGCONT', onContinue);
  try {
    return await ask({ input, output, signal: AbortSignal.any([signal, closed.signal]) });
  } finally {
    input.removeListener('pause', onPause);
    input.removeListener('end', onPause);
    process.removeListener('SIGCONT', onContinue);
  }
}

const look = (terminal: Terminal): { theme?: typeof PLAIN } => (terminal.colour ? {} : { theme: PLAIN });

export function confirmation(terminal: Terminal, message: string, fallback: boolean): Promise<boolean> {
  return asked(terminal, (context) =>
    confirm({ message: clean(message), default: fallback, ...look(terminal) }, context),
  );
}

export function line(terminal: Terminal, message: string, fallback: string | undefined, check: Check): Promise<string> {
  return asked(terminal, (context) =>
    input(
      {
        message: clean(message),
        ...(fallback === undefined ? { required: true } : { default: fallback }),
        ...(check === undefined ? {} : { validate: check }),
        ...look(terminal),
      },
      context,
    ),
  );
}

export function picked<T>(
  terminal: Terminal,
  message: string,
  choices: readonly Choice<T>[],
  fallback: T | undefined,
): Promise<T> {
  return asked(terminal, (context) =>
    select<T>(
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
      context,
    ),
  );
}

export function hidden(terminal: Terminal, message: string, check?: Check): Promise<string> {
  return asked(terminal, (context) =>
    password(
      {
        message: clean(message),
        validate: (answer) => (answer === '' ? 'An empty answer is not enough.' : (check?.(answer) ?? true)),
        ...look(terminal),
      },
      context,
    ),
  );
}
