/** The verified document beside its decision, for what acts on it. */
import { acceptedDocument } from '../../app/verification/accepted-document.js';
import type { Submission } from '../../app/verification/intents.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Decision } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import { widthOf, type Surroundings } from '../io.js';
import { renderDecision } from '../render/decision/decision.js';
import type { Output } from '../output.js';

/** The decision with `params`: those of the judged bytes where they were accepted, null where they were refused. */
export function withAcceptedParams(
  { decision, concern }: Judgement,
  { bytes }: Submission,
): { readonly decision: Decision & { readonly params: JsonObject | null }; readonly concern: Judgement['concern'] } {
  return { decision: { ...decision, params: decision.success ? acceptedDocument(bytes)!.params : null }, concern };
}

/** Prints the accepted documents, a line each, on stdout, and refusals on stderr. The decisions are committed by now. */
export function printVerified(
  judgements: readonly Judgement[],
  submissions: readonly Submission[],
  cli: Output & Surroundings,
): void {
  const look = { paint: cli.paintErr, width: widthOf(cli.io.stderr) ?? 100, verbose: cli.globals.verbose };
  judgements.forEach(({ decision }, i) => {
    if (!decision.success) cli.io.stderr.write(`${renderDecision(decision, look)}\n`);
    else {
      const { text } = acceptedDocument(submissions[i]!.bytes)!;
      // Programs get the canonical bytes; a terminal the same in escapes, nothing that it would obey.
      cli.out(cli.forPerson ? text.replace(/[\u007f-\uffff]/g, escaped) : text);
    }
  });
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
