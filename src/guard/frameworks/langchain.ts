/** LangChain 1.x. `guardTool` wraps a tool behind its schema; the middleware guards every tool of an agent that is called through it. */
import { guardedCall, refusalText, signalIn, type Agent, type GuardOptions } from './guarding.js';
import { madeBySchema } from './schema-values.js';

/** What of a tool is used: `func` of the tools that `tool()` makes, `_call` of classes. */
interface LangChainTool {
  readonly name: string;
  /** `content_and_artifact`: its answers are pairs. */
  readonly responseFormat?: string;
}

type Call = (input: unknown, ...rest: unknown[]) => unknown;

/** The same tool, which runs only when its agent may run it; a refusal is its answer. @throws TypeError for what is no tool */
export function guardTool<T extends LangChainTool>(agent: Agent, tool: T, options: GuardOptions = {}): T {
  const own = tool as unknown as Readonly<Record<string, unknown>>;
  const members = ['func', '_call'].filter((member) => typeof own[member] === 'function');
  if (members.length === 0) throw new TypeError(`${tool.name} has neither func nor _call.`);
  const guarded = Object.assign(Object.create(Object.getPrototypeOf(tool) as object) as T, tool);
  // A class may have a func that its _call does not go through.
  for (const member of members) {
    const run = own[member] as Call;
    const value = async (input: unknown, ...rest: unknown[]): Promise<unknown> => {
      // A tool of one text gets it bare; its schema, and so the model, call it `input`.
      const bare = typeof input !== 'object';
      const params = bare ? { input } : (input as { readonly input?: unknown });
      try {
        // On the tool itself: private members of its class are not of a copy.
        const verifiedRun = (verified: typeof params): unknown =>
          run.call(tool, bare ? verified.input : verified, ...rest);
        return await guardedCall(agent, tool.name, params, options, verifiedRun, signalIn(...rest));
      } catch (error) {
        const text = refusalText(error);
        if (text === null) throw error;
        return tool.responseFormat === 'content_and_artifact' ? [text, null] : text;
      }
    };
    Object.defineProperty(guarded, member, { value, enumerable: true, configurable: true, writable: true });
  }
  return guarded;
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
      try {
        const made = await madeBySchema(request.tool, args);
        // The tool's schema reads them once more, and makes of them what was verified.
        const own = (verified: object): A | Promise<A> =>
          next({
            ...request,
            toolCall: { ...request.toolCall, args: made === null ? structuredClone(verified) : args },
          });
        return await guardedCall(agent, name, made ?? args, options, own, signalIn(request.runtime));
      } catch (error) {
        const content = refusalText(error);
        if (content === null) throw error;
        const { ToolMessage } = (await import(PEER)) as { ToolMessage: new (fields: object) => A };
        return new ToolMessage({ content, name, tool_call_id: id ?? '', status: 'error' });
      }
    },
  };
}

/** Of the application, which has it wherever LangChain is. */
const PEER = '@langchain/core/messages';
