/** The service described in OpenAPI 3.1, as `GET /openapi.json` serves it. */
import { HOOK_CLIENTS } from '../hook/clients.js';

const TEXT = { type: 'string' };
const ANY = { type: 'object' };
const DECISION = {
  type: 'object',
  required: ['success', 'error_code', 'error_message', 'details', 'intent_hash'],
  properties: {
    success: { type: 'boolean' },
    error_code: { type: ['string', 'null'] },
    error_message: { type: ['string', 'null'] },
    details: { type: ['object', 'null'] },
    intent_hash: { type: ['string', 'null'] },
  },
};

function call(...more: readonly string[]): object {
  return {
    type: 'object',
    required: ['agent_id', 'action'],
    additionalProperties: false,
    properties: {
      agent_id: TEXT,
      action: TEXT,
      params: ANY,
      target: TEXT,
      ...Object.fromEntries(more.map((name) => [name, TEXT])),
    },
  };
}

const EVALUATION = {
  type: 'object',
  required: ['subject', 'action', 'resource'],
  properties: {
    subject: { type: 'object', required: ['type', 'id'] },
    action: { type: 'object', required: ['name'] },
    resource: { type: 'object', required: ['type', 'id'] },
    context: { type: 'object', properties: { dry_run: { type: 'boolean' }, aip_intent: ANY } },
  },
};

function operation(summary: string, body: object | null, answer: object): object {
  const json = (schema: object): object => ({ content: { 'application/json': { schema } } });
  return {
    summary,
    ...(body === null ? {} : { requestBody: { required: true, ...json(body) } }),
    responses: {
      '200': { description: 'the answer', ...json(answer) },
      default: { description: 'nothing was decided', ...json(ANY) },
    },
  };
}

/** The description for this version of the program. */
export function serviceOpenApi(version: string): object {
  const post = (summary: string, body: object, answer: object): object => ({ post: operation(summary, body, answer) });
  const get = (summary: string): object => ({ get: operation(summary, null, ANY) });
  const hooks = Object.values(HOOK_CLIENTS).map(({ name, title }): [string, object] => [
    `/v1/hooks/${name}`,
    post(`Answer a pre-tool event of ${title}`, ANY, ANY),
  ]);
  return {
    openapi: '3.1.0',
    info: { title: 'aip serve', version },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
    paths: {
      '/v1/verify': post('Judge a signed intent', ANY, DECISION),
      '/v1/sign': post('Sign an intent of the caller’s agent', call(), ANY),
      '/v1/guard': post('Sign, verify and log a call', call('approval_request'), DECISION),
      '/v1/outcome': post('Say what happened after a yes', ANY, ANY),
      '/access/v1/evaluation': post('AuthZEN 1.0 access evaluation', EVALUATION, ANY),
      '/.well-known/authzen-configuration': get('AuthZEN configuration'),
      ...Object.fromEntries(hooks),
      '/healthz': get('Whether it serves'),
      '/metrics': get('Counters for Prometheus'),
      '/openapi.json': get('This description'),
    },
  };
}
