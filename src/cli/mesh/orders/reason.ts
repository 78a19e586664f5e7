import { MAX_REASON } from '../../../mesh/limits.js';
import type { OptionSpec } from '../../spec.js';
import type { Questioner } from '../../questions/ask.js';

export const REASON_OPTION: OptionSpec = {
  flags: '-r, --reason <text>',
  description: 'what is told to those who find the agent stopped',
  value: reason,
};

/** The reason; asked for at a terminal. */
export async function requiredReason(cli: Questioner, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  return cli.ask.input({ message: 'Reason', flag: '--reason <text>', check: (answer) => problem(answer) ?? true });
}

function reason(text: string): string {
  const wrong = problem(text);
  if (wrong !== null) throw new Error(wrong);
  return text;
}

function problem(text: string): string | null {
  if (text.trim() === '') return 'Expected a reason.';
  if (text.length > MAX_REASON) return `Expected at most ${MAX_REASON} characters.`;
  return /\p{Cc}/u.test(text) ? 'Expected text without control characters.' : null;
}
