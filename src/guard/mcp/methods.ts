/** Which messages pass, and which become an intent first. What is not listed does not pass: a later revision may mean anything by it. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { ReadKind } from './ports.js';

/** What happens to a client's request. */
export type ClientRule =
  /** Nothing in it reaches a tool. */
  | { readonly rule: 'forward' }
  | { readonly rule: 'call' }
  | { readonly rule: 'list' }
  | { readonly rule: 'open' }
  | DeclaredRule;

/**
 * Only where the passport declares something of the kind, and all that `names` finds in the params is covered by it; a request that names
 * an empty list asks for nothing of the kind. `reads`: an intent is signed for the one that it names as well.
 */
export interface DeclaredRule {
  readonly rule: 'declared';
  readonly kind: ReadKind;
  readonly names: ((params: JsonObject) => readonly string[] | null) | null;
  readonly reads: boolean;
}

const FORWARD: ClientRule = { rule: 'forward' };

const text = (value: Json | undefined): [string] | null => (typeof value === 'string' && value !== '' ? [value] : null);
const uriIn = (params: JsonObject): [string] | null => text(params.uri);
const nameIn = (params: JsonObject): [string] | null => text(params.name);

/** The resources whose changes a client of the later era wants to hear of: it has no `resources/subscribe`. */
function subscribedIn({ notifications }: JsonObject): readonly string[] | null {
  const asked = isObject(notifications) ? Object.entries(notifications) : [];
  // Servers in Python take the name in their own spelling as well.
  const lists = asked.filter(([name]) => /^resource_?subscriptions$/i.test(name)).map(([, list]) => list);
  const uris = lists.flatMap((list) => (Array.isArray(list) ? (list as readonly Json[]).map(text) : [null]));
  return uris.includes(null) ? null : uris.flatMap((uri) => uri ?? []);
}

function declared(kind: ReadKind, names: DeclaredRule['names'], reads = false): DeclaredRule {
  return { rule: 'declared', kind, names, reads };
}

/** Requests of a client, both eras: exactly those of the contract (guard, section 2). */
const CLIENT_REQUESTS: ReadonlyMap<string, ClientRule> = new Map<string, ClientRule>([
  ['initialize', { rule: 'open' }],
  ['server/discover', { rule: 'open' }],
  ['ping', FORWARD],
  ['tools/list', { rule: 'list' }],
  ['tools/call', { rule: 'call' }],
  ['tasks/get', FORWARD],
  ['tasks/update', FORWARD],
  ['tasks/result', FORWARD],
  ['tasks/list', FORWARD],
  ['tasks/cancel', FORWARD],
  ['subscriptions/listen', declared('resource', subscribedIn)],
  ['resources/list', declared('resource', null)],
  ['resources/templates/list', declared('resource', null)],
  ['resources/read', declared('resource', uriIn, true)],
  ['resources/subscribe', declared('resource', uriIn)],
  ['resources/unsubscribe', declared('resource', uriIn)],
  ['prompts/list', declared('prompt', null)],
  ['prompts/get', declared('prompt', nameIn, true)],
]);

const PROMPT_REF = declared('prompt', ({ ref }) => (isObject(ref) ? text(ref.name) : null));
const RESOURCE_REF = declared('resource', ({ ref }) => (isObject(ref) ? text(ref.uri) : null));

/** What happens to a request; undefined for one that does not pass. A completion is of the prompt or resource that it names. */
export function clientRule(method: string, { ref }: JsonObject): ClientRule | undefined {
  if (method !== 'completion/complete') return CLIENT_REQUESTS.get(method);
  return isObject(ref) && ref.type === 'ref/prompt' ? PROMPT_REF : RESOURCE_REF;
}

/** Notifications of a client. */
export const CLIENT_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
]);

/** Requests of a server (legacy era). Sampling spends the user's model and roots tell folders: both are answered with an error. */
export const SERVER_REQUESTS: ReadonlyMap<string, 'forward' | 'elicitation' | 'refuse'> = new Map([
  ['ping', 'forward'],
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'refuse'],
  ['roots/list', 'refuse'],
] as const);

/** Notifications of a server. */
export const SERVER_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
  'notifications/cancelled',
  'notifications/tools/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/prompts/list_changed',
  'notifications/elicitation/complete',
  'notifications/tasks/status',
  'notifications/subscriptions/acknowledged',
]);

/** The members that a tools/call may have: a further one could mean another call to the server. */
export const CALL_MEMBERS: ReadonlySet<string> = new Set([
  'name',
  'arguments',
  '_meta',
  'task',
  'inputResponses',
  'requestState',
]);
