/**
 * A planner in the place of a model, and the worst of its kind: it does whatever a text tells it to. What stops it is the passport of its
 * agent, not its judgement.
 */
import { VerificationError } from 'aip-cli';

/**
 * @param phrases what it understands: a pattern, and the call that it makes of a match
 * @param tools by name; each is called with the arguments of the call
 */
export async function obey(text, phrases, tools) {
  const calls = phrases.flatMap(([pattern, call]) =>
    [...text.matchAll(pattern)].map((match) => call(...match.slice(1))),
  );
  const results = [];
  for (const [name, ...args] of calls) {
    try {
      results.push({ tool: name, success: true, result: await tools[name](...args) });
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      results.push({ tool: name, success: false, error_code: error.code, error_message: error.message });
    }
  }
  return results;
}

/** Obeys every text of the command line, and prints a line of JSON for each. */
export async function main(phrases, tools) {
  for (const text of process.argv.slice(2))
    console.log(JSON.stringify({ text, calls: await obey(text, phrases, tools) }));
}
