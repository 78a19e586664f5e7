/**
 * One client and one server, with the rules between them. Messages go in, messages come out; no sockets, no timers, no clock. What reaches
 * the server was written anew from the value that was verified, and nothing that is not understood passes.
 */
import type { JsonObject } from '../../protocol/json/values.js';
import { refusalLine, type CallRefusal } from '../refusal.js';
import { actionOfCall, callIn, forwardedIn, passingAnswer, readIn, versionIn, type RpcRequest } from './calls.js';
import { namedQuestion, namedQuestions, openingParams, passingError, passingParams } from './capabilities.js';
import { sessionMemory, type SessionMemory } from './memory.js';
import { answeredBy, asOneLine, errorFor, readClientMessage, readServerMessage, writeMessage } from './message.js';
import { RPC, RpcError, SERVER_BOUNDS, type RpcId, type RpcMessage } from './message.js';
import { ownMeta, withoutGuardKeys } from './meta.js';
import { CLIENT_NOTIFICATIONS, clientRule, SERVER_NOTIFICATIONS, SERVER_REQUESTS } from './methods.js';
import type { DeclaredRule } from './methods.js';
import { shownResult } from './offers.js';
import { OpenRequests, outcomeOf, type Pending } from './open-requests.js';
import type { SessionRoute, SessionPorts, ToolCall } from './ports.js';
import { inputRefusal, listChanged, refusalAnswer, toolChanged } from './refusal.js';
import { shownPage, toolsIn, type ListedTool } from './tools.js';

type Line = Uint8Array | string;

/** The rules between one client and one server. */
export class McpSession {
  readonly #ports: SessionPorts;
  readonly #memory: SessionMemory;
  readonly #open: OpenRequests;
  /** Requests of the server that the client has not answered. */
  readonly #serverAsked = new Set<RpcId>();
  /** Of the newest request that has it: in the later era the guard's own requests must carry it as well. */
  #meta: JsonObject = {};
  /** Why the guard's own list was not had last. */
  #unlisted: string | null = null;
  #cut: CallRefusal | null = null;

  constructor(ports: SessionPorts, memory: SessionMemory = sessionMemory(ports)) {
    this.#ports = ports;
    this.#memory = memory;
    this.#open = new OpenRequests(ports.outcome);
  }

  /** One line of the client. Resolves when it was forwarded, answered or refused. */
  async fromClient(line: Line): Promise<void> {
    try {
      await this.accept(readClientMessage(line));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#answer(this.#ports, errorFor(error));
    }
  }

  /** One message of the client, read strictly. Answers go to `route`, and what it asks the server for goes there as well. */
  async accept(message: RpcMessage, route: SessionRoute = this.#ports): Promise<void> {
    try {
      const asked = 'params' in message ? { ...message, params: passingParams(message.params, this.#ports) } : message;
      if (asked.kind === 'request') await this.#request(asked, route);
      else if (asked.kind === 'notification') this.#notification(asked, route);
      else if (asked.id !== null && this.#serverAsked.delete(asked.id))
        this.#toServer(route, passingAnswer(asked, this.#ports, this.#cut));
    } catch (error) {
      if (error instanceof RpcError) return this.#answer(route, errorFor(error));
      // Nothing of the client's is left to run into the guard's own failure without an answer.
      const why = `the guard failed: ${error instanceof Error ? error.message : 'unknown failure'}`;
      this.#ports.note(why);
      if (message.kind === 'request') this.#answer(route, errorFor(new RpcError(RPC.internal, why, message.id)));
    }
  }

  /**
   * One line of the server.
   * @param route where goes what belongs to no request
   * @param answers the request whose own stream this came in: an error without an id is its answer
   */
  fromServer(line: Line, route: SessionRoute = this.#ports, answers: RpcId | null = null): void {
    try {
      const { message, verbatim } = readServerMessage(line);
      const named = message.kind === 'error' && message.id === null ? { ...message, id: answers } : message;
      this.#serverMessage(named, verbatim, route);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#ports.note(`${this.#ports.server} sent what is no message of MCP (${error.message}); it was dropped`);
      // Nothing of a line that was cut says which call it answers.
      const asked = line.length > SERVER_BOUNDS.bytes ? this.#open.onlyAsked() : null;
      const id = answeredBy(line, answers ?? asked);
      if (id !== null) this.lost(id, `the server answered with no message of MCP (${error.message})`);
    }
  }

  /** No answer to this request will come: what it did is not known. */
  lost(id: RpcId, why: string): void {
    const pending = this.#open.settle(id, 'unknown');
    if (pending === null) return;
    // A server that was started anew says nothing of what it lists now.
    this.#memory.listing.changed();
    if (pending.own === null) return this.#answer(pending.route, errorFor(new RpcError(RPC.internal, why, id)));
    this.#unlisted = why;
    this.#ports.note(why);
  }

  /** The client takes no answer to this request any more. A call that waits for its verdict does not run. */
  abandon(id: RpcId): void {
    if (!this.#open.release(id)) this.#open.settle(id, 'unknown');
  }

  /** True while the server's answer to this request is waited for. */
  readonly waitsFor = (id: RpcId): boolean => this.#open.asked(id);

  /** A tool as the server listed it last; null for one that it did not. */
  readonly tool = (name: string): JsonObject | null => this.#memory.listing.tool(name)?.tool ?? null;

  /** The tool that a call names, as the server lists it; the list is read where it is not known yet. */
  async listed({ params }: RpcRequest, route: SessionRoute): Promise<JsonObject | null> {
    const { name, _meta: meta } = passingParams(params, this.#ports);
    if (typeof name !== 'string' || this.#cut !== null) return null;
    if (meta !== undefined) this.#meta = { _meta: ownMeta(meta) };
    await this.#memory.listing.stateOf(name, (cursor) => this.#ownPage(cursor, route));
    return this.tool(name);
  }

  /** The agent was stopped: pending calls are answered with the refusal, tasks end, the list becomes empty and says so, later calls are refused. */
  cut(refusal: CallRefusal): void {
    if (this.#cut !== null) return;
    this.#cut = refusal;
    for (const [id, { method, modern, route }] of this.#open.ofClient()) {
      this.#open.settle(id, 'unknown');
      this.#toServer(route, { kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } });
      if (method === 'subscriptions/listen') this.#answer(route, listChanged(id));
      this.#answer(route, refusalAnswer(id, method, modern, refusal));
    }
    this.#tasks({});
    this.#answer(this.#ports, listChanged());
  }

  /** The agent was reinstated. */
  resume(): void {
    if (this.#cut === null) return;
    this.#cut = null;
    this.#answer(this.#ports, listChanged());
  }

  /** The connection is over: what was allowed and not answered has an unknown end, and callers that wait are told. */
  close(why = 'the server has ended'): void {
    for (const [id, { route }] of this.#open.clear())
      this.#answer(route, errorFor(new RpcError(RPC.internal, why, id)));
  }

  async #request(message: RpcRequest, route: SessionRoute): Promise<void> {
    const { id, method, params } = message;
    if (this.#open.has(id)) throw new RpcError(RPC.invalidRequest, 'a request with this id is still open');
    const rule = clientRule(method, params);
    if (rule === undefined) throw new RpcError(RPC.unknownMethod, `${method} does not pass this guard`, id);
    if (this.#cut !== null && method !== 'ping' && method !== 'initialize')
      return this.#answer(route, refusalAnswer(id, method, versionIn(params) !== null, this.#cut));
    if (params._meta !== undefined) this.#meta = { _meta: ownMeta(params._meta) };
    switch (rule.rule) {
      case 'forward':
        return this.#ask(forwardedIn(message, this.#ports), route);
      case 'list':
        return this.#list(message, route);
      case 'open':
        return this.#ask({ ...message, params: openingParams(params, this.#ports.allowElicitation) }, route);
      case 'call':
        return this.#call(message, route);
      case 'declared':
        return this.#declared(message, rule, route);
    }
  }

  /** What the client is shown first is what is pinned: between this and its first call the server may become another. */
  async #list(message: RpcRequest, route: SessionRoute): Promise<void> {
    const { id, method, params } = message;
    await this.#open.hold(id, async (held) => {
      await this.#memory.listing.firstSight((cursor) => this.#ownPage(cursor, route));
      if (!held()) return;
      if (this.#cut !== null) this.#answer(route, refusalAnswer(id, method, versionIn(params) !== null, this.#cut));
      else this.#ask(message, route);
    });
  }

  /** Lists and subscriptions pass where what they name is declared; what is read is decided and logged as a call is. */
  async #declared(message: RpcRequest, rule: DeclaredRule, route: SessionRoute): Promise<void> {
    const { observe, note } = this.#ports;
    const read = readIn(message, rule, this.#ports, this.#memory.continuations);
    if (read === null) return this.#ask(message, route);
    const [{ id }, { call, key }] = [message, read];
    await this.#open.hold(id, async (held) => {
      const verdict = await this.#verdict(id, call);
      const accepted = 'code' in verdict ? null : verdict.intentHash;
      const refusal = this.#cut ?? ('code' in verdict ? verdict : null);
      if (accepted !== null && (!held() || (refusal !== null && !observe))) this.#ports.outcome(accepted, 'unknown');
      if (!held()) return;
      if (refusal !== null && !observe) throw new RpcError(RPC.invalidParams, refusalLine(refusal), id);
      if (refusal !== null) note(`would be refused: ${refusal.code} ${refusal.name} (${call.action})`);
      this.#ask(message, route, accepted, refusal === null ? key : null);
    });
  }

  async #call(message: RpcRequest, route: SessionRoute): Promise<void> {
    const { id, params } = message;
    const { name, given, beside, key } = callIn(message);
    const call: ToolCall = {
      tool: name,
      action: actionOfCall(this.#ports, name),
      params: given,
      beside,
      target: `mcp:${this.#ports.server}`,
      continues: this.#memory.continuations.take(key, params),
    };
    await this.#open.hold(id, async (held) => {
      const verdict = (await this.#pinRefusal(id, name, call, route)) ?? (await this.#verdict(id, call));
      const accepted = 'code' in verdict ? null : verdict.intentHash;
      // Its server may have said meanwhile that its list is another one.
      const changed = accepted === null ? null : await this.#pinRefusal(id, name, call, route, accepted);
      const refusal = this.#cut ?? ('code' in verdict ? verdict : changed);
      // A cancel may have ended it meanwhile.
      if (accepted !== null && (!held() || (refusal !== null && !this.#ports.observe)))
        this.#ports.outcome(accepted, 'unknown');
      if (!held()) return;
      if (refusal !== null && !this.#ports.observe)
        return this.#answer(route, refusalAnswer(id, 'tools/call', versionIn(params) !== null, refusal));
      if (refusal !== null) this.#ports.note(`would be refused: ${refusal.code} ${refusal.name} (${name})`);
      const passed = { ...message, params: { ...params, arguments: given } };
      this.#ask(passed, route, verdict.intentHash, refusal === null ? key : null);
    });
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
  async #pinRefusal(id: RpcId, name: string, call: ToolCall, route: SessionRoute, accepted: string | null = null) {
    const state = await this.#memory.listing.stateOf(name, (cursor) => this.#ownPage(cursor, route));
    if (state === 'same') return null;
    if (state === null && !this.#ports.observe) {
      if (accepted !== null) this.#ports.outcome(accepted, 'unknown');
      throw new RpcError(RPC.internal, `the call did not run: ${this.#unlisted ?? 'the server gave no list'}`, id);
    }
    const refusal = toolChanged(this.#ports.server, name, state ?? 'new', this.#memory.listing.lists(name));
    this.#ports.refused(call, refusal);
    return refusal;
  }

  /** One page of the list, asked for by the guard itself under an id of its own. */
  #ownPage(cursor: string | null, route: SessionRoute): Promise<JsonObject | null> {
    const id = this.#open.ownId();
    const params = { ...this.#meta, ...(cursor === null ? {} : { cursor }) };
    this.#unlisted = null;
    return new Promise((resolve) => {
      this.#open.ask(id, { method: 'tools/list', modern: false, intentHash: null, call: null, own: resolve, route });
      this.#toServer(route, { kind: 'request', id, method: 'tools/list', params });
    });
  }

  #notification(message: RpcMessage & { kind: 'notification' }, route: SessionRoute): void {
    if (!CLIENT_NOTIFICATIONS.has(message.method)) return;
    if (message.method === 'notifications/cancelled') {
      const id = message.params.requestId as RpcId;
      // The server has not seen it: forwarded now, the cancel would come before the call, which then runs.
      if (this.#open.release(id) || !this.#open.asked(id)) return;
    }
    this.#toServer(route, message);
  }

  #serverMessage(message: RpcMessage, verbatim: Line | null, route: SessionRoute): void {
    switch (message.kind) {
      case 'request':
        return this.#serverRequest(withoutGuardKeys(message), route);
      case 'notification':
        if (!SERVER_NOTIFICATIONS.has(message.method) || inputRefusal(this.#ports, message.params) !== null) return;
        if (message.method === 'notifications/tools/list_changed') this.#memory.listing.changed();
        if (message.method === 'notifications/tasks/status') this.#tasks(message.params);
        if (this.#cut === null) this.#answer(route, withoutGuardKeys(message));
        return;
      case 'error': {
        const pending = message.id === null ? null : this.#open.settle(message.id, 'error');
        if (pending?.own === null) this.#answer(pending.route, passingError(message, pending, this.#ports));
        return;
      }
      case 'result': {
        // Also of a call that was cut, and of which nothing is passed on any more.
        this.#tasks(message.result);
        const pending = this.#open.settle(message.id, outcomeOf(message.result), message.result);
        if (pending?.own === null) this.#result(pending, message, verbatim);
      }
    }
  }

  /** Keeps what the server says of a task. While the agent is stopped, those that run end. */
  #tasks(said: JsonObject): void {
    this.#memory.tasks.told(said, this.#meta);
    if (this.#cut === null) return;
    for (const params of this.#memory.tasks.take())
      this.#toServer(this.#ports, { kind: 'request', id: this.#open.ownId(), method: 'tasks/cancel', params });
  }

  #result(pending: Pending, message: RpcMessage & { kind: 'result' }, verbatim: Line | null): void {
    const [{ method, modern, call, intentHash, route }, { id }] = [pending, message];
    // A page is held against its pins as it came.
    if (method === 'tools/list')
      return this.#answer(route, { kind: 'result', id, result: withoutGuardKeys(this.#page(message.result)) });
    const result = shownResult(method, withoutGuardKeys(message.result), this.#ports);
    const refusal = inputRefusal(this.#ports, result);
    if (refusal !== null) return this.#answer(route, refusalAnswer(id, method, modern, refusal));
    if (call !== null && intentHash !== null) this.#memory.continuations.opened(call, result, intentHash);
    // A number that a double cannot hold keeps its digits: the line goes on as it came.
    const named = namedQuestions(result, this.#ports.server);
    if (verbatim === null || named !== message.result) this.#answer(route, { ...message, result: named });
    else route.toClient(asOneLine(verbatim), message);
  }

  #serverRequest(message: RpcRequest, route: SessionRoute): void {
    const { id, method } = message;
    const rule = SERVER_REQUESTS.get(method) ?? 'refuse';
    const passes = rule === 'forward' || (rule === 'elicitation' && this.#ports.allowElicitation);
    if (!passes || this.#cut !== null)
      return this.#toServer(route, errorFor(new RpcError(RPC.unknownMethod, `${method} does not pass this guard`, id)));
    this.#serverAsked.add(id);
    this.#answer(route, rule === 'elicitation' ? namedQuestion(message, this.#ports.server) : message);
  }

  #page(result: JsonObject): JsonObject {
    const { observe, declares, maxTtlMs } = this.#ports;
    const listed = toolsIn(result);
    const isOffered = ({ name }: ListedTool): boolean => observe || declares(actionOfCall(this.#ports, name));
    this.#memory.listed(listed.length, listed.some(isOffered), result.nextCursor !== undefined);
    return shownPage(result, this.#memory.listing.shown(listed, observe).filter(isOffered), maxTtlMs);
  }

  #ask(message: RpcRequest, route: SessionRoute, intentHash: string | null = null, call: string | null = null): void {
    const { id, method, params } = message;
    this.#open.ask(id, { method, modern: versionIn(params) !== null, intentHash, call, own: null, route });
    this.#toServer(route, message);
  }

  #toServer(route: SessionRoute, message: RpcMessage): void {
    route.toServer(writeMessage(message), message);
  }

  #answer(route: SessionRoute, message: RpcMessage): void {
    route.toClient(writeMessage(message), message);
  }
}
