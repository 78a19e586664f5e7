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

/**
 * The same client, whose `callTool` asks first. The action is `<server>.<tool>`, unless `action` says otherwise; a refusal is a result with
 * `isError`, whose text begins with the code.
 */
export function guardClient<C extends McpClient>(
  agent: Agent,
  server: string,
  client: C,
  options: GuardOptions = {},
): C {
  const { action = (tool: string) => `${server}.${tool}` } = options;
  const callTool = async (params: CallParams, ...rest: never[]): Promise<unknown> => {
    const { name, arguments: given = {} } = params;
    try {
      const own = (verified: object): Promise<unknown> =>
        client.callTool({ ...params, arguments: verified } as never, ...rest);
      const asked = { target: `mcp:${server}`, ...options, action };
      return await guardedCall(agent, name, given, asked, own, signalIn(...rest));
    } catch (error) {
      const text = refusalText(error);
      if (text === null) throw error;
      return { content: [{ type: 'text', text }], isError: true };
    }
  };
  return new Proxy(client, {
    get(target, member) {
      if (member === 'callTool') return callTool;
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
