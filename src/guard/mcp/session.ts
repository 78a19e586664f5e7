/**
 * One client and one server, with the rules between them. Messages go in, messages come out; no sockets, no timers, no clock. What reaches
 * the server was written anew from the value that was verified, and nothing that is not understood passes.
 */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { openedResult, openingParams } from './capabilities.js';
import { Continuations } from './continuations.js';
import { ToolListing } from './listing.js';
import { CLIENT_BOUNDS, errorFor, readMessage, RPC, RpcError, SERVER_BOUNDS, writeMessage } from './message.js';
import type { RpcId, RpcMessage } from './message.js';
import {
  CALL_MEMBERS,
  CLIENT_NOTIFICATIONS,
  CLIENT_REQUESTS,
  resourceCovered,
  SERVER_NOTIFICATIONS,
  SERVER_REQUESTS,
  type ClientRule,
} from './methods.js';
import { refusalLine, type CallRefusal } from '../refusal.js';
import type { CallOutcome, SessionPorts, ToolCall } from './ports.js';
import { inputRefusal, notDeclared, refusalResult, toolChanged } from './refusal.js';
import { shownPage, toolsIn } from './tools.js';

type Request = RpcMessage & { readonly kind: 'request' };
type Line = Uint8Array | string;

/** A request that the server has not answered. */
interface Pending {
  readonly method: string;
  /** What its outcome is written under; null where nothing was signed for it. */
  readonly intentHash: string | null;
  /** How a call may go on: the hash of its name and arguments. */
  readonly call: string | null;
  /** A page that the guard itself asked for. */
  readonly own: ((result: JsonObject | null) => void) | null;
}

/** The rules between one client and one server. */
export class McpSession {
  readonly #ports: SessionPorts;
  readonly #listing: ToolListing;
  readonly #asked = new Map<RpcId, Pending>();
  /** Calls that wait for their verdict, by id; a cancel takes them out, and they end here. */
  readonly #held = new Set<RpcId>();
  /** Requests of the server that the client has not answered. */
  readonly #serverAsked = new Set<RpcId>();
  readonly #continuations = new Continuations();
  /** Of the newest request of the later era: what the guard's own requests must carry as well. */
  #meta: Json | undefined;
  #own = 0;
  #cut: CallRefusal | null = null;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
    const said = (count: number): void => ports.note(`pinned the ${count} tools of ${ports.server} as they are now`);
    this.#listing = new ToolListing(ports.pins, ports.requirePins, (cursor) => this.#ownPage(cursor), said);
  }

  /** One line of the client. Resolves when it was forwarded, answered or refused. */
  async fromClient(line: Line): Promise<void> {
    try {
      const { message, rounded } = readMessage(line, CLIENT_BOUNDS);
      const id = 'id' in message ? message.id : null;
      if (rounded) throw new RpcError(RPC.invalidParams, 'a number has more digits than can be read exactly', id);
      if (message.kind === 'request') await this.#request(message);
      else if (message.kind === 'notification') this.#notification(message);
      else if (message.id !== null && this.#serverAsked.delete(message.id)) this.#toServer(message);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#answer(errorFor(error));
    }
  }

  /** One line of the server. */
  fromServer(line: Line): void {
    try {
      const { message, rounded } = readMessage(line, SERVER_BOUNDS);
      this.#serverMessage(message, rounded ? line : null);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#ports.note(`${this.#ports.server} sent what is no message of MCP (${error.message}); it was dropped`);
      if (error.id === null || !this.#asked.has(error.id)) return;
      this.#settle(error.id, 'unknown');
      this.#answer(errorFor(new RpcError(RPC.internal, 'the server answered with no message of MCP', error.id)));
    }
  }

  /** The agent was stopped: pending calls are answered with the refusal, the list becomes empty and says so, later calls are refused. */
  cut(refusal: CallRefusal): void {
    if (this.#cut !== null) return;
    this.#cut = refusal;
    for (const [id, { method, own }] of this.#asked) {
      if (own !== null) continue;
      this.#settle(id, 'unknown');
      this.#refuse(id, method, refusal);
      this.#toServer({ kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } });
    }
    this.#answer({ kind: 'notification', method: 'notifications/tools/list_changed', params: {} });
  }

  /** The agent was reinstated. */
  resume(): void {
    if (this.#cut === null) return;
    this.#cut = null;
    this.#answer({ kind: 'notification', method: 'notifications/tools/list_changed', params: {} });
  }

  /** The connection is over: what was allowed and not answered has an unknown end, and callers that wait are told. */
  close(): void {
    for (const [id, { own }] of this.#asked) {
      this.#settle(id, 'unknown');
      if (own === null) this.#answer(errorFor(new RpcError(RPC.internal, 'the server has ended', id)));
    }
    this.#held.clear();
  }

  async #request(message: Request): Promise<void> {
    const { id, method, params } = message;
    if (this.#asked.has(id) || this.#held.has(id))
      throw new RpcError(RPC.invalidRequest, 'a request with this id is still open');
    const rule = CLIENT_REQUESTS.get(method);
    if (rule === undefined) throw new RpcError(RPC.unknownMethod, `${method} does not pass this guard`, id);
    if (this.#cut !== null && method !== 'ping' && method !== 'initialize') {
      this.#refuse(id, method, this.#cut);
      return;
    }
    if (params._meta !== undefined) this.#meta = params._meta;
    switch (rule.rule) {
      case 'forward':
      case 'list':
        return this.#ask(message);
      case 'open':
        return this.#ask({ ...message, params: openingParams(params, this.#ports.allowElicitation) });
      case 'call':
        return this.#call(message);
      case 'declared':
        return this.#declared(message, rule);
    }
  }

  /** Lists and subscriptions pass where what they name is declared; what is read is decided and logged as a call is. */
  async #declared(message: Request, { kind, names, reads }: ClientRule & { rule: 'declared' }): Promise<void> {
    const { id, method, params } = message;
    const { server } = this.#ports;
    const patterns = this.#ports.patterns(kind);
    if (patterns.length === 0)
      throw new RpcError(RPC.unknownMethod, `the passport declares no ${kind}: ${method} does not pass`, id);
    if (names === null) return this.#ask(message);
    const name = names(params);
    if (name === null) throw new RpcError(RPC.invalidParams, `the ${kind} is not named`, id);
    const pattern = patterns.find((each) => (kind === 'resource' ? resourceCovered(each, name) : each === name));
    if (pattern === undefined)
      throw new RpcError(RPC.invalidParams, refusalLine(notDeclared(`${kind}:${name}`, server)), id);
    if (!reads) return this.#ask(message);
    const call = {
      tool: null,
      action: `${kind}:${pattern}`,
      params: { [kind]: name },
      target: `mcp:${server}`,
      counted: true,
    };
    await this.#whileHeld(id, async () => {
      const verdict = await this.#verdict(id, call);
      if (!this.#held.has(id)) return;
      const refusal = this.#cut ?? ('code' in verdict ? verdict : null);
      if (refusal !== null) throw new RpcError(RPC.invalidParams, refusalLine(refusal), id);
      this.#ask(message, 'code' in verdict ? null : verdict.intentHash);
    });
  }

  async #call(message: Request): Promise<void> {
    const { id, params } = message;
    const { name } = params;
    const given = params.arguments ?? {};
    const stranger = Object.keys(params).find((member) => !CALL_MEMBERS.has(member));
    if (stranger !== undefined)
      throw new RpcError(RPC.invalidParams, `unknown member ${JSON.stringify(stranger.slice(0, 64))}`, id);
    if (typeof name !== 'string' || name === '') throw new RpcError(RPC.invalidParams, '"name" is not a text', id);
    if (!isObject(given)) throw new RpcError(RPC.invalidParams, '"arguments" is not an object', id);
    const key = sha256Hex(canonicalize({ name, arguments: given }));
    const { requestState: state } = params;
    const call: ToolCall = {
      tool: name,
      action: this.#actionOf(name),
      params: given,
      target: `mcp:${this.#ports.server}`,
      counted: state === undefined || !this.#continuations.take(key, state),
    };
    await this.#whileHeld(id, async () => {
      const verdict = (await this.#pinRefusal(name, call)) ?? (await this.#verdict(id, call));
      // A cancel ended it meanwhile.
      if (!this.#held.has(id)) return;
      const refusal = this.#cut ?? ('code' in verdict ? verdict : null);
      if (refusal !== null && !this.#ports.observe) {
        this.#refuse(id, 'tools/call', refusal);
        return;
      }
      if (refusal !== null) this.#ports.note(`would be refused: ${refusal.code} ${refusal.name} (${name})`);
      this.#asked.set(id, { method: 'tools/call', intentHash: verdict.intentHash, call: key, own: null });
      this.#toServer({ ...message, params: { ...params, arguments: given } });
    });
  }

  /** Keeps `id` among the calls that wait while `work` lasts. */
  async #whileHeld(id: RpcId, work: () => Promise<void>): Promise<void> {
    this.#held.add(id);
    try {
      await work();
    } finally {
      this.#held.delete(id);
    }
  }

  /** The refusal, or what the acceptance is remembered by. A failure of the guard is an error, and the call does not run. */
  async #verdict(id: RpcId, call: ToolCall): Promise<CallRefusal | { readonly intentHash: string }> {
    try {
      const verdict = await this.#ports.decide(call);
      return verdict.allowed ? { intentHash: verdict.intentHash } : verdict;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown failure';
      throw new RpcError(RPC.internal, `the guard could not decide, and the call did not run: ${why}`, id);
    }
  }

  /** A tool that is not what it was pinned as is not asked about: it does not run. */
  async #pinRefusal(name: string, call: ToolCall): Promise<CallRefusal | null> {
    const state = await this.#listing.stateOf(name);
    if (state === 'same') return null;
    const refusal = toolChanged(this.#ports.server, name, state);
    this.#ports.refused(call, refusal);
    return refusal;
  }

  /** One page of the list, asked for by the guard itself under an id of its own. */
  #ownPage(cursor: string | null): Promise<JsonObject | null> {
    const id = `aip:${(this.#own += 1)}`;
    const params: Record<string, Json> = {};
    if (this.#meta !== undefined) params._meta = this.#meta;
    if (cursor !== null) params.cursor = cursor;
    return new Promise((resolve) => {
      this.#asked.set(id, { method: 'tools/list', intentHash: null, call: null, own: resolve });
      this.#toServer({ kind: 'request', id, method: 'tools/list', params });
    });
  }

  #notification(message: RpcMessage & { kind: 'notification' }): void {
    if (!CLIENT_NOTIFICATIONS.has(message.method)) return;
    if (message.method === 'notifications/cancelled') {
      const id = message.params.requestId as RpcId;
      // The server has not seen it: forwarded now, the cancel would come before the call, which then runs.
      if (this.#held.delete(id) || !this.#asked.has(id)) return;
    }
    this.#toServer(message);
  }

  #serverMessage(message: RpcMessage, rounded: Line | null): void {
    switch (message.kind) {
      case 'request':
        return this.#serverRequest(message);
      case 'notification':
        if (!SERVER_NOTIFICATIONS.has(message.method)) return;
        if (message.method === 'notifications/tools/list_changed') this.#listing.changed();
        if (this.#cut === null) this.#answer(message);
        return;
      case 'error':
        if (message.id !== null && this.#settle(message.id, 'error')?.own === null) this.#answer(message);
        return;
      case 'result': {
        const pending = this.#settle(message.id, message.result.isError === true ? 'error' : 'ok', message.result);
        if (pending?.own === null) this.#result(pending, message.id, message.result, rounded);
        return;
      }
    }
  }

  #result({ method, call }: Pending, id: RpcId, result: JsonObject, rounded: Line | null): void {
    if (method === 'tools/list') return this.#answer({ kind: 'result', id, result: this.#page(result) });
    if (method === 'initialize' || method === 'server/discover')
      return this.#answer({ kind: 'result', id, result: openedResult(result, this.#ports.patterns) });
    const refusal = inputRefusal(this.#ports.server, result, this.#ports.allowElicitation);
    if (refusal !== null) return this.#refuse(id, 'tools/call', refusal);
    if (call !== null && result.resultType === 'input_required' && result.requestState !== undefined)
      this.#continuations.opened(call, result.requestState);
    // A number that a double cannot hold keeps its digits: the line goes on as it came.
    if (rounded === null) this.#answer({ kind: 'result', id, result });
    else this.#ports.toClient(typeof rounded === 'string' ? rounded : Buffer.from(rounded).toString());
  }

  /** Takes an answered request out of those that are open; null for an id that was not asked, whose answer is dropped. */
  #settle(id: RpcId, outcome: CallOutcome, result: JsonObject | null = null): Pending | null {
    const pending = this.#asked.get(id);
    if (pending === undefined) return null;
    this.#asked.delete(id);
    pending.own?.(result);
    if (pending.intentHash !== null) this.#ports.outcome(pending.intentHash, outcome);
    return pending;
  }

  #serverRequest(message: Request): void {
    const { id, method, params } = message;
    const rule = SERVER_REQUESTS.get(method) ?? 'refuse';
    const passes = rule === 'forward' || (rule === 'elicitation' && this.#ports.allowElicitation);
    if (!passes || this.#cut !== null || this.#serverAsked.has(id))
      return this.#toServer(errorFor(new RpcError(RPC.unknownMethod, `${method} does not pass this guard`, id)));
    this.#serverAsked.add(id);
    // With the server's name in front, a form cannot pass for the user's own program.
    const named = `[${this.#ports.server}] ${typeof params.message === 'string' ? params.message : ''}`;
    this.#answer(rule === 'elicitation' ? { ...message, params: { ...params, message: named } } : message);
  }

  #page(result: JsonObject): JsonObject {
    const { observe, declares, maxTtlMs } = this.#ports;
    const offered = this.#cut === null ? this.#listing.shown(toolsIn(result), observe) : [];
    return shownPage(
      result,
      observe ? offered : offered.filter(({ name }) => declares(this.#actionOf(name))),
      maxTtlMs,
    );
  }

  #actionOf(tool: string): string {
    const mapped = this.#ports.mapped(tool);
    if (mapped !== null) return mapped;
    const whole = `${this.#ports.server}.${tool}`;
    return this.#ports.declares(whole) ? whole : tool;
  }

  #refuse(id: RpcId, method: string, refusal: CallRefusal): void {
    if (method === 'tools/list') return this.#answer({ kind: 'result', id, result: { tools: [] } });
    if (method === 'tools/call') return this.#answer({ kind: 'result', id, result: refusalResult(refusal) });
    this.#answer({ kind: 'error', id, error: { code: RPC.invalidRequest, message: refusalLine(refusal) } });
  }

  #ask(message: Request, intentHash: string | null = null): void {
    this.#asked.set(message.id, { method: message.method, intentHash, call: null, own: null });
    this.#toServer(message);
  }

  #toServer(message: RpcMessage): void {
    this.#ports.toServer(writeMessage(message));
  }

  #answer(message: RpcMessage): void {
    this.#ports.toClient(writeMessage(message));
  }
}
