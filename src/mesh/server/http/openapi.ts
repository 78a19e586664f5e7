/** The OpenAPI 3.1 document, made from the endpoint table. */
import { ENDPOINTS, type Endpoint } from './endpoints.js';
import { SCHEMAS } from '../../schemas.js';
import { REFUSALS } from '../../refusal.js';
import { API_VERSION } from './api-version.js';

const SIGNED_COMMANDS = [
  'Commands, and the making and revoking of keys, may carry the signature of the operator whose public key is registered with the',
  'API key, and must where the server requires it: `Content-Digest: sha-256=:<base64>:` (RFC 9530), and an Ed25519 signature',
  '(RFC 9421) that covers `("@method" "@path" "content-digest")` with `created`, a `nonce` of 16 to 128 characters, and if wanted',
  '`expires`, `keyid` and `alg="ed25519"`. It counts once, and for five minutes.',
].join(' ');

let text: string | null = null;

/** The document as JSON text. */
export function meshOpenApi(): string {
  text ??= `${JSON.stringify(document())}\n`;
  return text;
}

function document() {
  const paths: Record<string, Record<string, unknown>> = {
    '/healthz': { get: open('Whether the store can be read and written', 'Health') },
    '/openapi.json': { get: open('This document', 'Any') },
  };
  for (const endpoint of ENDPOINTS) {
    (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AIP mesh',
      version: API_VERSION,
      description: `Revokes, suspends and reinstates agents everywhere at once.\n\n${SIGNED_COMMANDS}`,
    },
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'aipm_<role>_<keyid>_<secret>' },
      },
      schemas: SCHEMAS,
    },
  };
}

function open(summary: string, schema: string) {
  return {
    summary,
    tags: ['operations'],
    security: [],
    responses: { '200': { description: 'Done', content: content('application/json', schema) } },
  };
}

function operation(endpoint: Endpoint) {
  const { method, path, summary, tag, role, query, body, answer } = endpoint;
  const names = [...path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1]!);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(query ?? {}).map(([name, description]) => ({
      name,
      in: 'query',
      description,
      schema: { type: 'string' },
    })),
  ];
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z]+(.)?/g, (_, c: string | undefined) => (c ?? '').toUpperCase())}`,
    summary,
    description: `Needs the role ${role} or more.`,
    tags: [tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: content('application/json', body) } }),
    responses: {
      [String(answer.status ?? 200)]: { description: 'Done', content: content(answer.type, answer.schema) },
      ...(answer.repeats === true
        ? { '200': { description: 'Done before', content: content(answer.type, answer.schema) } }
        : {}),
      default: {
        description: `Refused: ${Object.keys(REFUSALS).join(', ')}`,
        content: content('application/json', 'Refusal'),
      },
    },
  };
}

function content(type: string, schema: string | undefined) {
  return { [type]: { schema: schema === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${schema}` } } };
}
