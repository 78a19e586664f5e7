/** The mesh's OpenAPI document as a check: what is accepted and answered must be what it says. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ENDPOINTS } from '../../../src/mesh/server/http/endpoints.js';
import { SCHEMAS } from '../../../src/mesh/schemas.js';

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
ajv.addSchema({ $id: 'mesh', components: { schemas: JSON.parse(localRefs(SCHEMAS)) as object } });
const compiled = new Map<string, ValidateFunction>();

function localRefs(schemas: object): string {
  return JSON.stringify(schemas).replaceAll('"#/components', '"mesh#/components');
}

function wrong(schema: string, value: unknown, what: string): string | null {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile({ $ref: `mesh#/components/schemas/${schema}` });
    compiled.set(schema, validate);
  }
  if (validate(value)) return null;
  const why = validate.errors!.map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(' '),
  );
  return `${what} is no ${schema}: ${why.slice(0, 4).join('; ')}`;
}

/** Why a request that was accepted, or its answer, is not as documented; null where it is. */
export function undocumented(
  method: string,
  path: string,
  body: unknown,
  status: number,
  answer: string,
): string | null {
  const endpoint = ENDPOINTS.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  if (endpoint === undefined || status >= 400) return null;
  const what = `${method} ${path}`;
  const documented = [endpoint.answer.status ?? 200, ...(endpoint.answer.repeats === true ? [200] : [])];
  if (!documented.includes(status)) return `${what} answers ${status}`;
  if (endpoint.body !== undefined && body !== undefined) {
    const json: unknown = typeof body === 'string' ? JSON.parse(body) : JSON.parse(JSON.stringify(body));
    const problem = wrong(endpoint.body, json, `the body of ${what}`);
    if (problem !== null) return problem;
  }
  if (endpoint.answer.schema === undefined) return null;
  return wrong(endpoint.answer.schema, JSON.parse(answer), `the answer to ${what}`);
}
