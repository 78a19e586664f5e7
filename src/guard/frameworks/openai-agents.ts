/** OpenAI Agents SDK for TypeScript. */
import { guardedCall, needsPerson, refusalText, signalIn, type Agent, type GuardOptions } from './guarding.js';

/** What of a function tool is used. The arguments arrive as the text of an object. */
interface FunctionTool {
  readonly name: string;
  readonly invoke: (context: never, input: string, ...rest: never[]) => Promise<unknown>;
  readonly needsApproval?: unknown;
}

type Needs = (context: unknown, input: object, ...rest: unknown[]) => Promise<boolean>;

/**
 * The same tool, which runs only when its agent may run it; a refusal is its answer.
 * @throws TypeError for a tool without `invoke`: what another program runs never passes here
 */
export function guardTool<T extends FunctionTool>(agent: Agent, tool: T, options: GuardOptions = {}): T {
  if (typeof tool.invoke !== 'function')
    throw new TypeError(`The tool ${tool.name} has no invoke: it is run elsewhere, and cannot be guarded here.`);
  const asks = tool.needsApproval;
  return {
    ...tool,
    invoke: async (context: never, input: string, ...rest: never[]): Promise<unknown> => {
      try {
        // Written anew from what was verified: of a member that stands there twice, the tool could read the other one.
        const own = (verified: object): Promise<unknown> => tool.invoke(context, JSON.stringify(verified), ...rest);
        return await guardedCall(agent, tool.name, argumentsIn(input), options, own, signalIn(...rest));
      } catch (error) {
        const text = refusalText(error);
        if (text === null) throw error;
        return text;
      }
    },
    needsApproval: async (context: unknown, input: object, ...rest: unknown[]): Promise<boolean> =>
      (typeof asks === 'function' && (await (asks as Needs)(context, input, ...rest))) ||
      needsPerson(agent, tool.name, input, options),
  };
}

function argumentsIn(input: string): object {
  const value: unknown = input === '' ? {} : JSON.parse(input);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('The arguments of a tool are an object.');
  return value;
}
