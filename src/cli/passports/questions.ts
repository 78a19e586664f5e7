/** What a new passport cannot do without, asked at a terminal: a wrong answer is told at once, not after the last question. */
import { wrongDomain, wrongName } from '../../app/passports/issue.js';
import { ACTION_NAME_RULE, isActionName } from '../../protocol/passport.js';
import type { Questions } from '../questions/ask.js';

export const askName = (ask: Questions): Promise<string> =>
  ask.input({ message: 'Name of the agent', flag: '<name>', check: (answer) => wrongName(answer) ?? true });

export const askDomain = (ask: Questions): Promise<string> =>
  ask.input({
    message: 'Domain that answers for it',
    flag: '--domain <domain>',
    check: (answer) => wrongDomain(answer) ?? true,
  });

export async function askActions(ask: Questions): Promise<string[]> {
  const answer = await ask.input({
    message: 'Actions it may do, separated by spaces',
    flag: '--action <name>',
    check: (answer) => wrongAction(listed(answer)) ?? true,
  });
  return listed(answer);
}

/** A URI may hold commas; one at its end divides, as elsewhere. */
const listed = (answer: string): string[] =>
  answer
    .split(/\s+/)
    .flatMap((word) => (word.startsWith('resource:') ? word.replace(/,+$/, '') : word.split(',')))
    .filter((word) => word !== '');

function wrongAction(names: readonly string[]): string | null {
  if (names.length === 0) return 'No action was named.';
  const wrong = names.find((name) => !isActionName(name));
  return wrong === undefined ? null : `"${wrong.slice(0, 80)}" is not made of ${ACTION_NAME_RULE}.`;
}
