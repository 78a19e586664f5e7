/** LangChain 1.x. `guardTool` wraps a tool behind its schema; the middleware guards every tool of an agent that is called through it. */
import { guardedCall, refusalText, signalIn, unsayableIn, type Agent, type GuardOptions } from './guarding.js';
import { madeBySchema, withLeftOut } from './schema-values.js';

/** What of a tool is used: `func` of the tools that `tool()` makes, `_call` of classes. */
interface LangChainTool {
  readonly name: string;
  /** `content_and_artifact`: its answers are pairs. */
  readonly responseFormat?: string;
}

type Call = (input: unknown, ...rest: unknown[]) => unknown;

/**
 * The same tool, which runs only when its agent may run it; a refusal is its answer. An `invoke` that its class has in the place of
 * LangChain's need not reach `_call`: it is judged itself, on the arguments and what the schema makes of them.
 * @throws TypeError for what is no tool
 */
export function guardTool<T extends LangChainTool>(agent: Agent, tool: T, options: GuardOptions = {}): T {
  const own = tool as unknown as Readonly<Record<string, unknown>>;
  const members = ['func', '_call'].filter((member) => typeof own[member] === 'function');
  if (members.length === 0) throw new TypeError(`${tool.name} has neither func nor _call.`);
  const guarded = Object.assign(Object.create(Object.getPrototypeOf(tool) as object) as T, tool);
  // A class may have a func that its _call does not go through.
  for (const member of hasInvokeOfItsOwn(tool) ? [...members, 'invoke'] : members) {
    const run = own[member] as Call;
    const value = async (given: unknown, ...rest: unknown[]): Promise<unknown> => {
      const call = member === 'invoke' && isCall(given) ? given : null;
      const input = call === null ? given : call.args;
      // A tool of one text gets it bare; its schema, and so the model, call it `input`.
      const bare = typeof input !== 'object';
      const params = bare ? { input } : (input as { readonly input?: unknown });
      try {
        const made = member === 'invoke' ? await madeBySchema(tool, params) : null;
        const judged = made === null ? params : withLeftOut(made, params);
        // On the tool itself: private members of its class are not of a copy.
        const verifiedRun = (verified: typeof params): unknown => {
          const args = made !== null ? input : bare ? verified.input : verified;
          return run.call(tool, call === null ? args : { ...call, args }, ...rest);
        };
        return await guardedCall(agent, tool.name, judged, { options, signal: signalIn(...rest) }, verifiedRun);
      } catch (error) {
        const text = refusalText(error);
        if (text === null) throw error;
        return member !== 'invoke' && tool.responseFormat === 'content_and_artifact' ? [text, null] : text;
      }
    };
    Object.defineProperty(guarded, member, { value, enumerable: true, configurable: true, writable: true });
  }
  return guarded;
}

/** True where a class has put an `invoke` before the one that it has from LangChain. */
function hasInvokeOfItsOwn(tool: object): boolean {
  const chain: object[] = [];
  for (let at: object | null = tool; at !== null; at = Object.getPrototypeOf(at) as object | null) chain.push(at);
  return chain.filter((each) => Object.hasOwn(each, 'invoke')).length > 1;
}

function isCall(given: unknown): given is { readonly args: unknown } {
  return (given as { readonly type?: unknown } | null)?.type === 'tool_call';
}

/** What a middleware is asked. */
export interface ToolRequest {
  readonly toolCall: { readonly name: string; readonly id?: string; readonly args: object };
  /** The tool, where the framework knows it. */
  readonly tool?: unknown;
  readonly runtime?: unknown;
}

/** For `createAgent({middleware: [createMiddleware(aipMiddleware(agent))]})`. */
export function aipMiddleware(agent: Agent, options: GuardOptions = {}) {
  return {
    name: 'aip',
    async wrapToolCall<R extends ToolRequest, A>(request: R, next: (request: R) => A | Promise<A>): Promise<A> {
      const { name, id } = request.toolCall;
      const args = structuredClone(request.toolCall.args);
      let judged = args;
      try {
        const made = await madeBySchema(request.tool, args);
        // The tool's schema reads them once more, and makes of them what was verified.
        const own = (verified: object): A | Promise<A> =>
          next({
            ...request,
            toolCall: { ...request.toolCall, args: made === null ? structuredClone(verified) : args },
          });
        judged = made ?? args;
        return await guardedCall(agent, name, judged, { options, signal: signalIn(request.runtime) }, own);
      } catch (error) {
        const content = refusalText(error) ?? unsayableIn(judged);
        if (content === null) throw error;
        // Of the application, which has it wherever LangChain is. By its name here, so that a bundler puts it in.
        // @ts-expect-error: it is not installed here
        const peer: unknown = await import('@langchain/core/messages');
        const { ToolMessage } = peer as { ToolMessage: new (fields: object) => A };
        return new ToolMessage({ content, name, tool_call_id: id ?? '', status: 'error' });
      }
    },
  };
}
