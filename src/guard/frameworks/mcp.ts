/** A client of the MCP SDK, version 1 or 2, in front of one server. */
import { guardedCall, refusalText, signalIn, type Agent, type GuardOptions } from './guarding.js';

/** What of a client is used. */
interface McpClient {
  readonly callTool: (params: never, ...rest: never[]) => Promise<unknown>;
}

interface CallParams {
  readonly name: string;
  readonly arguments?: object;
}

type Member = (...given: unknown[]) => unknown;

/** Members that take the params of a call; others take a request, which may be one of `tools/call`. */
const TAKES_PARAMS = new Set<unknown>(['callTool', 'callToolStream']);
/** Where version 1 has members that call tools in parts. */
const INNER = new Set<unknown>(['experimental', 'tasks']);

/**
 * The same client, whose calls of tools ask first: `callTool`, a request of `tools/call`, and their streams. The action is `<server>.<tool>`,
 * unless `action` says otherwise; a refusal is a result with `isError`, whose text begins with the code.
 */
export function guardClient<C extends McpClient>(
  agent: Agent,
  server: string,
  client: C,
  options: GuardOptions = {},
): C {
  const { action = (tool: string) => `${server}.${tool}` } = options;
  const asked = { target: `mcp:${server}`, ...options, action };
  const guardedMember =
    (member: unknown, own: Member): Member =>
    (first, ...rest) => {
      const takesParams = TAKES_PARAMS.has(member);
      const request = first as { readonly method?: unknown; readonly params?: CallParams } | undefined;
      const inner = request?.method === 'tools/call' ? request.params : undefined;
      const given = takesParams ? (first as CallParams | undefined) : inner;
      if (given === undefined) return own(first, ...rest);
      // The caller may change its own object while a person is asked.
      const params = { ...given };
      const send = (verified: object): unknown => {
        const sent = { ...params, arguments: verified };
        return own(takesParams ? sent : { ...request, method: 'tools/call', params: sent }, ...rest);
      };
      const judged = async (): Promise<unknown> => {
        try {
          const guarding = { options: asked, signal: signalIn(...rest) };
          return await guardedCall(agent, params.name, params.arguments ?? {}, guarding, send);
        } catch (error) {
          const text = refusalText(error);
          if (text === null) throw error;
          return { content: [{ type: 'text', text }], isError: true };
        }
      };
      return String(member).endsWith('Stream') ? inParts(judged) : judged();
    };
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member, target);
        if (typeof value === 'function') return guardedMember(member, value.bind(target) as Member);
        return INNER.has(member) && value !== undefined ? guarded(value as object) : value;
      },
    });
  return guarded(client);
}

/** Of a refusal too, whose result is the only part. */
async function* inParts(judged: () => Promise<unknown>): AsyncGenerator {
  const given = await judged();
  if (Symbol.asyncIterator in (given as object)) yield* given as AsyncIterable<unknown>;
  else yield { type: 'result', result: given };
}
