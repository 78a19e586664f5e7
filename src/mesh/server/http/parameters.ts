/** Texts that stand in the address of a request. */
import { ShapeError } from '../../../protocol/json/shape.js';
import type { Endpoint } from './endpoint.js';

/** A parameter of the path, unescaped. @throws ShapeError for what is no percent-encoded UTF-8 (RFC 3986, 2.1), and for a NUL */
export function pathParam(text: string | undefined): string {
  try {
    return withoutNul(decodeURIComponent(text ?? ''), 'the path');
  } catch (error) {
    if (error instanceof ShapeError) throw error;
    throw new ShapeError('the path is not percent-encoded UTF-8');
  }
}

/** The text itself. PostgreSQL takes no NUL in one and fails, as a store does that is down. @throws ShapeError */
export function withoutNul(text: string, what: string): string {
  if (text.includes('\0')) throw new ShapeError(`${what} holds a NUL`);
  return text;
}

/**
 * Refuses a query with a parameter that the endpoint does not have. `?kye=K` on the removal of a principal would remove all its keys,
 * and `?dry_run=1` on a command would not hold it back. @throws ShapeError
 */
export function knownQuery(asked: URLSearchParams, { path, query = {} }: Pick<Endpoint, 'path' | 'query'>): void {
  for (const name of asked.keys()) {
    if (!Object.hasOwn(query, name))
      throw new ShapeError(`${path} has no parameter ${JSON.stringify(name.slice(0, 64))}`);
  }
}
