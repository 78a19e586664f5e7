/** Vercel AI SDK 5, 6 and 7. Put it innermost: what another wrapper changes after it was not verified. */
import { guardedCall, needsPerson, refusalText, signalIn, type Agent, type GuardOptions } from './guarding.js';

/** What of a tool is used. */
interface AiTool {
  readonly execute?: unknown;
  readonly needsApproval?: unknown;
}

type Execute = (input: object, context: unknown) => unknown;

/**
 * The same tools, each of which runs only when its agent may run it. A refusal becomes the text of an error, which the model reads; what
 * a person has to approve asks for it (`needsApproval`), and still needs the signed approval of those whom the passport names.
 * @throws TypeError for a tool without `execute`: what another program runs never passes here
 */
export function guardTools<T extends Readonly<Record<string, AiTool>>>(
  agent: Agent,
  tools: T,
  options: GuardOptions = {},
): T {
  const guarded = Object.entries(tools).map(([name, tool]) => {
    if (typeof tool.execute !== 'function')
      throw new TypeError(`The tool ${name} has no execute: it is run elsewhere, and cannot be guarded here.`);
    const run = tool.execute.bind(tool) as Execute;
    const asks = tool.needsApproval;
    const allowed: Execute = async (input, context) => {
      try {
        const guarding = { options, signal: signalIn(context) };
        return await guardedCall(agent, name, input, guarding, (verified) => run(verified, context));
      } catch (error) {
        const text = refusalText(error);
        throw text === null ? error : new Error(text, { cause: error });
      }
    };
    const own = {
      execute: comesInParts(tool.execute)
        ? async function* (input: object, context: unknown): AsyncGenerator {
            yield* (await allowed(input, context)) as AsyncIterable<unknown>;
          }
        : async (input: object, context: unknown): Promise<unknown> => whole(await allowed(input, context)),
      needsApproval: async (input: object, context: unknown): Promise<boolean> => {
        const asked: unknown = typeof asks === 'function' ? await (asks as Execute)(input, context) : asks;
        return asked === true || needsPerson(agent, name, input, options);
      },
    };
    return [name, Object.assign(Object.create(Object.getPrototypeOf(tool) as object) as object, tool, own)];
  });
  return Object.fromEntries(guarded) as T;
}

/** The SDK reads an output in parts only where `execute` gives it at once, before the verdict: of a generator that is known. */
function comesInParts(execute: unknown): boolean {
  return Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]';
}

/** The last part of an output in parts, which the SDK takes for the output. */
async function whole(output: unknown): Promise<unknown> {
  if (typeof (output as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] !== 'function') return output;
  let last: unknown;
  for await (const part of output as AsyncIterable<unknown>) last = part;
  return last;
}
