import { EXIT_OF_CONCERN } from '../../protocol/codes.js';
import type { Judgement } from '../../verify/judge.js';
import { renderDecision } from '../render/decision/decision.js';
import type { Output } from '../output.js';

/** The exit code of a decision; 0 only for a yes. */
export function exitOf({ decision, concern }: Judgement): number {
  if (decision.success) return 0;
  return EXIT_OF_CONCERN[concern ?? 'who'];
}

/** Shows one decision as the answer of a command, and gives its exit code. */
export function reportDecision(judgement: Judgement, cli: Output): number {
  const { decision } = judgement;
  if (cli.globals.json) cli.json(decision);
  else cli.out(renderDecision(decision, { paint: cli.paint, width: cli.width ?? 100, verbose: cli.globals.verbose }));
  return exitOf(judgement);
}
