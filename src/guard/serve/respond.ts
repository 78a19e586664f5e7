/** The decision service: requests in, replies out. It holds state, passports and keys open, and no sockets. */
import type { Desk } from '../../app/guarding/desk.js';
import type { WebReply, WebRequest, WebRequestHead } from '../../app/ports/web.js';
import { Failure } from '../../app/failure.js';
import { CircuitOpen } from '../../app/verification/fleet/circuit.js';
import type { OutcomeAnswer, OutcomeReport } from '../../app/outcomes/report.js';
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import { isBlankLine, linesIn } from '../../protocol/framing/lines.js';
import type { Decision } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import { answerHook, whyFailed, type HookDeps, type HookRules, type HookTally } from '../hook/decide.js';
import { failureAnswer, type HookOutput } from '../hook/call.js';
import { HOOK_CLIENTS, type HookClient } from '../hook/clients.js';
import { agrees, authzenAnswer, configuration, evaluationIn, unsignedAnswer } from './authzen.js';
import { admit, type AdmittedCaller, type GateRules } from './gate.js';
import { metricsText, type ServiceCounters } from './metrics.js';
import { serviceOpenApi } from './openapi.js';
import { readOutcome } from './outcome.js';
import { bad, jsonWebReply, bodyObject, RequestRefused, refusalReply, textWebReply } from './replies.js';

/** The most that a body may hold, in bytes. */
export const MAX_BODY = 64 * 1024;

/** What the service stands on. */
export interface ServiceDeps {
  readonly gate: GateRules;
  /** The agents that it signs for. */
  readonly desks: ReadonlyMap<string, Desk>;
  /** Verifies a document of any agent. `dryRun` commits nothing. */
  readonly verify: (document: Uint8Array | string, dryRun: boolean) => Promise<Judgement>;
  readonly hook: Omit<HookDeps, 'desk' | 'rules' | 'tally' | 'folder'>;
  /** Writes down what became of a yes of `agentId`, or of any where that is null. @throws Failure */
  readonly outcome: (report: OutcomeReport, agentId: string | null) => Promise<OutcomeAnswer>;
  readonly tally: ServiceCounters;
  /** Where others reach it. */
  readonly url: () => string;
  readonly version: string;
}

type Endpoint = (deps: ServiceDeps, request: WebRequest, caller: AdmittedCaller) => Promise<WebReply> | WebReply;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['GET /healthz', () => jsonWebReply(200, { status: 'ok' })],
  ['GET /metrics', ({ tally }) => textWebReply(200, 'text/plain; version=0.0.4', metricsText(tally))],
  ['GET /openapi.json', ({ version }) => jsonWebReply(200, serviceOpenApi(version))],
  ['GET /.well-known/authzen-configuration', ({ url }) => jsonWebReply(200, configuration(url()))],
  ['POST /v1/verify', verify],
  ['POST /v1/sign', sign],
  ['POST /v1/guard', guard],
  ['POST /v1/outcome', outcome],
  ['POST /access/v1/evaluation', evaluation],
  ...Object.values(HOOK_CLIENTS).map((client): [string, Endpoint] => [
    `POST /v1/hooks/${client.name}`,
    (deps, request, caller) => hook(deps, request, caller, client),
  ]),
]);
/** The methods of a path. A HEAD is a GET whose body stays away (RFC 9110, 9.3.2). */
function methodsOf(path: string): string[] {
  const named = ['GET', 'POST'].filter((method) => ENDPOINTS.has(`${method} ${path}`));
  return named.includes('GET') ? [...named, 'HEAD'] : named;
}

/** Answers one request. What fails is 4xx or 5xx, which no caller may take for a yes. */
export async function respond(deps: ServiceDeps, request: WebRequest): Promise<WebReply> {
  const reply = replyTo(request, await answered(deps, request));
  deps.tally.replied(reply.status);
  return reply;
}

/** A reply as its request wants it: with its id (AuthZEN 1.0, X-Request-ID), and never a yes to a hook. */
export function replyTo(head: WebRequestHead, reply: WebReply): WebReply {
  const safe = hookSafe(head, reply);
  const id = head.headers['x-request-id'];
  if (id === undefined || !/^[\x20-\x7e]{1,256}$/.test(id)) return safe;
  return { ...safe, headers: { ...safe.headers, 'x-request-id': id } };
}

async function answered(deps: ServiceDeps, request: WebRequest): Promise<WebReply> {
  try {
    const caller = admit(deps.gate, request);
    const { method, path, query, headers } = request;
    // What stands there could mean a limit to its sender, as a member of the body could.
    if (method === 'POST' && query.size > 0 && !path.startsWith('/v1/hooks/'))
      throw bad('Nothing is asked in the query here; all of it stands in the body.');
    // Its bytes would be judged as an intent that is malformed, which its sender's is not (RFC 9110, 15.5.16).
    if (!isAsWritten(headers))
      throw new RequestRefused(415, 'UNSUPPORTED_ENCODING', 'A body is read as it is, not compressed.', {
        'accept-encoding': 'identity',
      });
    const endpoint = ENDPOINTS.get(`${method === 'HEAD' ? 'GET' : method} ${path}`);
    if (endpoint !== undefined) return await endpoint(deps, request, caller);
    const allow = methodsOf(path).join(', ');
    if (allow !== '')
      throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', `${path} is not asked with this method.`, { allow });
    throw new RequestRefused(404, 'NOT_FOUND', 'There is no such endpoint; /openapi.json lists them.');
  } catch (error) {
    if (error instanceof RequestRefused) return refusalReply(error);
    if (!(error instanceof Failure)) throw error;
    if (error instanceof CircuitOpen) deps.tally.circuitOpen();
    // Nothing was decided. What the caller sent wrongly is its own; all else is this side's.
    return jsonWebReply(STATUS_OF.get(error.code) ?? 503, {
      code: error.code,
      message: error.message,
      hint: error.hint,
    });
  }
}

function isAsWritten(headers: WebRequestHead['headers']): boolean {
  const coding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  const framing = (headers['transfer-encoding'] ?? 'chunked').toLowerCase();
  return coding === 'identity' && framing === 'chunked';
}

const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['USAGE', 400],
  ['FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['EXISTS', 409],
]);

async function verify(deps: ServiceDeps, { body, headers }: WebRequest): Promise<WebReply> {
  const [type] = (headers['content-type'] ?? '').split(';');
  if (type!.trim().toLowerCase() !== 'application/x-ndjson') {
    if (body.length === 0) throw bad('There is no intent in the body.');
    return jsonWebReply(200, decided(deps, await deps.verify(body, false)));
  }
  // As bytes: what is no UTF-8 is refused by the reader of the document, not mended here.
  const lines = [...linesIn(body)].filter((line) => !isBlankLine(line));
  if (lines.length === 0) throw bad('There is no intent in the body.');
  const decisions = await Promise.all(lines.map(async (line) => decided(deps, await deps.verify(line, false))));
  const text = decisions.map((decision) => `${JSON.stringify(decision)}\n`).join('');
  return textWebReply(200, 'application/x-ndjson', text);
}

async function sign(deps: ServiceDeps, { body }: WebRequest, caller: AdmittedCaller): Promise<WebReply> {
  const asked = callIn(body, []);
  const desk = deskFor(deps, caller, asked.agentId);
  return jsonWebReply(200, await desk.sign(asked));
}

async function guard(deps: ServiceDeps, { body }: WebRequest, caller: AdmittedCaller): Promise<WebReply> {
  const { agentId, ...call } = callIn(body, ['approval_request']);
  const judgement = await deskFor(deps, caller, agentId).decide(call);
  return jsonWebReply(200, decided(deps, judgement));
}

async function outcome(deps: ServiceDeps, { body }: WebRequest, caller: AdmittedCaller): Promise<WebReply> {
  // Without a token of an agent, the outcome's own token tells whose it is: of any intent that was verified here.
  const agentId = caller.byToken ? caller.agentId : null;
  return jsonWebReply(200, await deps.outcome(readOutcome(bodyObject(body)), agentId));
}

async function evaluation(deps: ServiceDeps, { body }: WebRequest, caller: AdmittedCaller): Promise<WebReply> {
  const asked = evaluationIn(bodyObject(body));
  const { agentId, call, dryRun, intent } = asked;
  const no = (sentence: string, code = 'AIP-E101'): WebReply => {
    deps.tally.decided(code);
    return jsonWebReply(200, unsignedAnswer(code, sentence, agentId, dryRun));
  };
  if (asked.subjectType !== 'agent') return no('The subject is no agent.', 'AIP-E102');
  if (caller.byToken && caller.agentId !== agentId) return no('The token is of another agent than the subject.');
  if (intent !== null) {
    if (!agrees(asked, intent)) return no('The request does not say what the intent says that was signed.');
    const judgement = await deps.verify(JSON.stringify(intent), dryRun);
    return jsonWebReply(200, authzenAnswer(decided(deps, judgement), dryRun));
  }
  const desk = caller.agentId === agentId ? deps.desks.get(agentId) : undefined;
  if (desk === undefined) return no(`Nobody has signed this request. ${whyNotFor(deps, caller)}`);
  // The words of AuthZEN name no request: what a person has approved is found by the action.
  const judgement = await desk.decide({ ...call, dryRun, findRequest: true });
  return jsonWebReply(200, authzenAnswer(decided(deps, judgement), dryRun));
}

/** Asked for by the hook's own client, which turns it into its streams and its end. */
const HOOK_ANSWER = 'application/vnd.aip.hook+json';
const MOST_OWN = 16;

/**
 * The reply to a request that was not answered with a decision. An agent that posts its event here by itself takes every status but 200 for
 * "go on", so that it gets its deny; the hook's own client ends by itself.
 */
function hookSafe({ method, path, headers }: WebRequestHead, reply: WebReply): WebReply {
  const client = Object.values(HOOK_CLIENTS).find(({ name }) => path === `/v1/hooks/${name}`);
  if (client === undefined || method !== 'POST' || reply.status === 200 || headers.accept === HOOK_ANSWER) return reply;
  const { message } = JSON.parse(reply.body) as { readonly message: string };
  return textWebReply(200, 'application/json', denyOf(client, failureAnswer(message).stderr));
}

/** The hook's own client is told how to end. */
async function hook(
  deps: ServiceDeps,
  { body, headers, query }: WebRequest,
  { agentId }: AdmittedCaller,
  client: HookClient,
): Promise<WebReply> {
  const own = headers.accept === HOOK_ANSWER;
  const said = (answer: HookOutput): WebReply => {
    if (own) return jsonWebReply(200, answer, { 'content-type': HOOK_ANSWER });
    const text = answer.exitCode === 0 ? answer.stdout : denyOf(client, answer.stderr);
    return textWebReply(200, 'application/json', text);
  };
  const desk = agentId === null ? undefined : deps.desks.get(agentId);
  if (desk === undefined) {
    if (own) throw new RequestRefused(403, 'OTHER_AGENT', 'This service does not decide for one agent here.');
    return said(failureAnswer('the service does not know whose call this is; give the token of one agent.'));
  }
  const wanted = query.get('agent');
  if (wanted !== null && wanted !== agentId && (await desk.passport()).agent.name !== wanted)
    throw new RequestRefused(403, 'OTHER_AGENT', 'This service decides for another agent.');
  try {
    const ownPlaces = [...deps.hook.ownPlaces, ...ownIn(query, deps.hook.files)];
    const tally = hookTally(deps.tally);
    const rules = rulesIn(query);
    const hookDeps = { ...deps.hook, ownPlaces, desk, rules, tally, folder: query.get('folder') };
    return said(await answerHook(client, body, hookDeps));
  } catch (error) {
    return said(failureAnswer(whyFailed(error)));
  }
}

/** A no in an agent's words is an answer as a yes is: the code tells them apart. */
function hookTally(tally: ServiceCounters): HookTally {
  return {
    decided: (code, warnings) => tally.decided(code, warnings),
    failed: (error) => {
      tally.decided('HOOK_FAILED');
      if (error instanceof CircuitOpen) tally.circuitOpen();
    },
  };
}

function denyOf(client: HookClient, stderr: string): string {
  const event: JsonObject = client.name === 'copilot' ? {} : { hook_event_name: 'PreToolUse' };
  return client.answer({ result: 'deny', reason: stderr.trim() }, event).stdout;
}

function rulesIn(query: URLSearchParams): HookRules {
  const map = query.getAll('map').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1) throw bad('A map is written tool=action.');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { grant: query.get('grant') === '1', ask: query.get('ask') === '1', map: new Map(map) };
}

/** Further files of hooks, which only the caller's environment tells: it takes nothing away. */
function ownIn(query: URLSearchParams, { followed }: HookDeps['files']): string[] {
  const files = query.getAll('own');
  if (files.length > MOST_OWN) throw bad(`At most ${MOST_OWN} files are named as own.`);
  return files.flatMap((file) => [file, followed(file)]);
}

interface AskedCall {
  readonly agentId: string;
  readonly action: string;
  readonly params: JsonObject;
  readonly target: string | null;
  readonly approvalRequest?: string;
}

/** The call in a body. A member that is not known could mean a limit to its sender. */
function callIn(body: Uint8Array, more: readonly string[]): AskedCall {
  const object = bodyObject(body);
  const known = ['agent_id', 'action', 'params', 'target', ...more];
  const stranger = Object.keys(object).find((name) => !known.includes(name));
  if (stranger !== undefined) throw bad(`Unknown member ${JSON.stringify(stranger.slice(0, 64))}.`);
  const { agent_id: agentId, action, params = {}, target = null, approval_request: approvalRequest = null } = object;
  if (typeof agentId !== 'string') throw bad('"agent_id" is not a text.');
  if (typeof action !== 'string' || action === '') throw bad('"action" is not a text.');
  if (!isObject(params)) throw bad('"params" is not an object.');
  if (target !== null && typeof target !== 'string') throw bad('"target" is not a text.');
  if (approvalRequest !== null && typeof approvalRequest !== 'string') throw bad('"approval_request" is not a text.');
  return { agentId, action, params, target, ...(approvalRequest === null ? {} : { approvalRequest }) };
}

/** @throws Refusal 403 where the caller may not act for that agent */
function deskFor(deps: ServiceDeps, caller: AdmittedCaller, agentId: string): Desk {
  const desk = caller.agentId === agentId ? deps.desks.get(agentId) : undefined;
  if (desk !== undefined) return desk;
  throw new RequestRefused(403, 'OTHER_AGENT', whyNotFor(deps, caller));
}

/** Why the service signs for no such agent, or not for this caller. */
function whyNotFor({ desks }: ServiceDeps, { agentId }: AdmittedCaller): string {
  if (agentId !== null)
    return 'This caller may not act for that agent here: it is named by the whole id of the one that aip serve --as names.';
  if (desks.size === 0) return 'This service signs for no agent: aip serve --as <agent> does.';
  return 'No token of an agent was sent, and this service acts for each by its own: Authorization: Bearer, with what is in the file of --as <agent>=<token file>.';
}

function decided({ tally }: ServiceDeps, { decision }: Judgement): Decision {
  tally.decided(decision.error_code, decision.warnings);
  return decision;
}
