/** Questions to a person, asked only when one is there; otherwise the failure names the flag that answers. */
import { Failure } from '../../app/failure.js';
import { Interrupted } from '../shell/interruption.js';
import type { Io } from '../io.js';
import type { Choice, Question, Terminal } from './question.js';

/** Each method fails with ANSWER_NEEDED when it may not ask, and with `Interrupted` on Ctrl-C. */
export interface Questions {
  /** Stdin and stderr are terminals, CI is unset, and `--no-input` is off. */
  readonly allowed: boolean;
  confirm(question: Question & { readonly fallback?: boolean }): Promise<boolean>;
  input(
    question: Question & {
      readonly fallback?: string;
      /** True, or what is wrong. */
      readonly check?: (answer: string) => true | string;
    },
  ): Promise<string>;
  select<T>(question: Question & { readonly choices: readonly Choice<T>[]; readonly fallback?: T }): Promise<T>;
  /** Not echoed; with `repeat` asked twice until both are equal. */
  secret(
    question: Question & { readonly repeat?: boolean; readonly check?: (answer: string) => true | string },
  ): Promise<string>;
}

/** What may put a question to a person. */
export interface Questioner {
  readonly ask: Questions;
}

export function mayAsk(io: Io, input: boolean): boolean {
  const ci = io.env['CI'] ?? '';
  return input && (ci === '' || ci === 'false' || ci === '0') && io.stderr.isTTY === true && io.stdin.isTTY === true;
}

export function questions(io: Io, options: { readonly input: boolean; readonly colour: boolean }): Questions {
  const allowed = mayAsk(io, options.input);
  // Decided before the prompt library is even loaded: a piped `y` would answer its confirmation, and an idle pipe would hang it.
  const ask = async <T>(
    question: Question,
    how: (p: typeof import('./prompts.js'), t: Terminal) => Promise<T>,
  ): Promise<T> => {
    if (!allowed) {
      throw new Failure('ANSWER_NEEDED', `an answer is needed and may not be asked for here: ${question.message}`, {
        hint: `give ${question.flag}`,
      });
    }
    const prompts = await import('./prompts.js');
    try {
      return await how(prompts, {
        input: io.stdin,
        output: io.stderr,
        signal: io.interruption.signal,
        colour: options.colour,
      });
    } catch (error) {
      // Ctrl-C or Ctrl-D at the question; the prompt has already restored the terminal.
      if (error instanceof Error && /^(ExitPrompt|CancelPrompt|AbortPrompt)Error$/.test(error.name)) {
        throw io.interruption.reason ?? new Interrupted(130);
      }
      throw error;
    }
  };
  return {
    allowed,
    confirm: (question) => ask(question, (p, t) => p.confirmation(t, question.message, question.fallback ?? false)),
    input: (question) => ask(question, (p, t) => p.line(t, question.message, question.fallback, question.check)),
    select: (question) => ask(question, (p, t) => p.picked(t, question.message, question.choices, question.fallback)),
    secret: (question) =>
      ask(question, async (p, t) => {
        for (;;) {
          const first = await p.hidden(t, question.message, question.check);
          if (question.repeat !== true || (await p.hidden(t, `${question.message} (again)`)) === first) return first;
          io.stderr.write('The two are not the same.\n');
        }
      }),
  };
}
