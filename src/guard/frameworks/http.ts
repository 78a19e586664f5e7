/** A server that takes signed intents: a WHATWG Request in, the Response of a refusal or null out. */
import { verifyIntent } from '../../library/default-workspace.js';
import type { VerifyIntentOptions } from '../../library/options/verification.js';
import type { Workspace } from '../../library/workspace.js';
import type { Decision } from '../../verify/decision.js';
import { refusalOf, refusalLine } from '../refusal.js';

/** What a request must say. */
export interface HttpGuardOptions {
  /** The action that the handler behind carries out: an intent for another one is no yes to it. */
  readonly action: string | ((request: Request) => string);
  /** What the handler acts on. Default: the JSON body, an empty object where there is none. It must be the params of the intent. */
  readonly params?: (request: Request) => object | Promise<object>;
  /** How to verify. A dry run is no yes that a handler may run on. */
  readonly verify?: Omit<VerifyIntentOptions, 'dryRun'>;
  /** The workspace that decides. Default: this machine's own. */
  readonly workspace?: Pick<Workspace, 'verifyIntent'>;
}

const OPTIONS: ReadonlySet<string> = new Set(['action', 'params', 'verify', 'workspace']);

/**
 * Null lets the handler run. The intent is in the header `AIP-Intent`, as base64url of its JSON. The request's body stays readable.
 * @throws TypeError for options that cannot be used, for a request of another kind, such as Express's, and where the body was read before
 *   and `params` does not say what it was; Failure when the world fails
 */
export async function guardRequest(request: Request, options: HttpGuardOptions): Promise<Response | null> {
  const { action, params = bodyOf, verify, workspace = { verifyIntent } } = options;
  // An error of the server, which no client mends; as are those below.
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) throw new TypeError(`guardRequest has no option "${unknown}".`);
  const { dryRun = false }: VerifyIntentOptions = verify ?? {};
  if (dryRun) throw new TypeError('guardRequest makes no dry run: the handler runs.');
  if (typeof (request.headers as Partial<Headers>).get !== 'function')
    throw new TypeError(
      'This is no WHATWG Request: make one of what Express or Fastify gives (aip help guard, Frameworks).',
    );
  const header = request.headers.get('aip-intent');
  // Empty where a handler of another framework has passed on that there was none.
  if (header === null || header === '')
    return answer(401, 'AIP-E101', 'AIP-E101 INVALID_SIGNATURE: the request carries no signed intent.');
  if (params === bodyOf && request.bodyUsed)
    throw new TypeError('The body was read before: say by params what it was, or guard the request first.');
  const bytes = Buffer.from(header, 'base64url');
  let same = false;
  try {
    const said = JSON.parse(bytes.toString('utf8')) as { action?: unknown; params?: unknown };
    const wanted = typeof action === 'function' ? action(request) : action;
    same = said.action === wanted && canonical(said.params) === canonical(await params(request));
  } catch {
    // What is no JSON says nothing that could be the same.
  }
  if (!same) return answer(422, 'AIP-E211', 'AIP-E211 PARAMS_INVALID: the request is not what its intent says.');
  const decision = await workspace.verifyIntent(bytes, verify);
  if (decision.success) return null;
  return answer(statusOf(decision), decision.error_code!, refusalLine(refusalOf(decision)));
}

function statusOf({ error_code: code }: Decision): number {
  if (code === 'AIP-E205' || code === 'AIP-E212') return 429;
  if (code === 'AIP-E301') return 409;
  if (code === 'AIP-E209' || code === 'AIP-E216') return 403;
  const concern = /^AIP-E([1234])/.exec(code ?? '')?.[1];
  return { '1': 401, '2': 422, '3': 401, '4': 403 }[concern ?? '4'] ?? 403;
}

function answer(status: number, code: string, message: string): Response {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return new Response(`${JSON.stringify({ error_code: code, message })}\n`, { status, headers });
}

async function bodyOf(request: Request): Promise<object> {
  const text = await request.clone().text();
  return text === '' ? {} : (JSON.parse(text) as object);
}

/** One text for one value, whatever the order of its members. @throws RangeError for a number that JSON cannot hold: it would read as null */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'number' && !Number.isFinite(member)) throw new RangeError('a number that JSON cannot hold');
    return typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member;
  });
}
