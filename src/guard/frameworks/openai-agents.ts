/** OpenAI Agents SDK for TypeScript. */
import { guardedCall, needsPerson, refusalText, signalIn, unsayableIn } from './guarding.js';
import type { Agent, GuardOptions } from './guarding.js';
import { madeBySchema, missingIn, withDefaults } from './schema-values.js';

/** What of a function tool is used. The arguments arrive as the text of an object. */
interface FunctionTool {
  readonly name: string;
  readonly invoke: (context: never, input: string, ...rest: never[]) => Promise<unknown>;
  /** Its JSON Schema. */
  readonly parameters?: unknown;
  readonly needsApproval?: unknown;
}

/** What `tool()` of the SDK is made of, before it is made. */
interface ToolOptions {
  readonly name?: string;
  /** Its JSON Schema, or the schema of a library. */
  readonly parameters?: unknown;
  readonly execute: (input: never, ...rest: never[]) => unknown;
  readonly needsApproval?: unknown;
}

type Execute = (input: unknown, ...rest: unknown[]) => unknown;
type Needs = (context: unknown, input: object, ...rest: unknown[]) => Promise<boolean>;

/**
 * The same tool, which runs only when its agent may run it; a refusal is its answer. Of a tool that `tool()` has made, the arguments are judged
 * as the model gives them, with the defaults of its JSON Schema, and the model is told what they lack that it requires. A schema that changes
 * values (`preprocess`, `catch`) is behind the verdict.
 * `tool(guardTool(agent, {name, parameters, execute}))` judges exactly what `execute` gets.
 * @throws TypeError for a tool without `invoke` or `execute`: what another program runs never passes here
 */
export function guardTool<T extends FunctionTool | ToolOptions>(agent: Agent, tool: T, options: GuardOptions = {}): T {
  const own = tool as Partial<FunctionTool & ToolOptions>;
  const { execute, invoke, parameters, needsApproval: asks } = own;
  const name = own.name ?? execute?.name ?? '';
  const call = async (
    input: object,
    run: (verified: object) => unknown,
    rest: readonly unknown[],
  ): Promise<unknown> => {
    try {
      return await guardedCall(agent, name, input, { options, signal: signalIn(...rest) }, run);
    } catch (error) {
      const text = refusalText(error);
      if (text === null) throw error;
      return text;
    }
  };
  const judged = async (input: object): Promise<object> =>
    invoke === undefined
      ? ((await madeBySchema({ schema: parameters }, input)) ?? input)
      : withDefaults(input, parameters);
  const guarded = {
    ...tool,
    needsApproval: async (context: unknown, input: object, ...rest: unknown[]): Promise<boolean> =>
      asks === true ||
      (typeof asks === 'function' && (await (asks as Needs)(context, input, ...rest))) ||
      needsPerson(agent, name, await judged(input), options),
  };
  if (typeof invoke === 'function')
    return {
      ...guarded,
      // Written anew from what was verified: of a member that stands there twice, the tool could read the other one.
      invoke: async (context: never, input: string, ...rest: never[]) => {
        const asked = withDefaults(argumentsIn(input), parameters);
        const missing = missingIn(asked, parameters);
        if (missing !== null) return `${name} was not run: its schema requires ${missing}, which is missing.`;
        const unsayable = unsayableIn(asked);
        if (unsayable !== null) return `${name} was not run: ${unsayable}`;
        const run = (verified: object): unknown =>
          (invoke as Execute).call(tool, context, JSON.stringify(verified), ...rest);
        return call(asked, run, rest);
      },
    };
  if (typeof execute === 'function')
    return {
      ...guarded,
      execute: async (input: object, ...rest: never[]) =>
        call(input, (verified) => (execute as Execute).call(tool, verified, ...rest), rest),
    };
  throw new TypeError(`The tool ${name} has no invoke: it is run elsewhere, and cannot be guarded here.`);
}

function argumentsIn(input: string): object {
  const value: unknown = input === '' ? {} : JSON.parse(input);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('The arguments of a tool are an object.');
  return value;
}
