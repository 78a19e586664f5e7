/** did:web documents over HTTPS (W3C did:web, "Read"): bounded in time and size, no redirects, no plain HTTP. */
import { Failure } from '../../app/failure.js';
import { didDocumentUrl } from '../../protocol/identity/did.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import { HttpClient, Unreachable, type HttpAnswer } from './client.js';
import type { ProxyEnvironment } from './proxy.js';

const TIMEOUT_MS = 5000;

/** The bytes of a DID's document. The certificate is checked against the authorities that Node believes. @throws Failure NETWORK */
export async function fetchDidDocument(did: string, env: ProxyEnvironment): Promise<Uint8Array> {
  const url = didDocumentUrl(did);
  const failure = (why: string, cause?: unknown): Failure =>
    new Failure('NETWORK', `${url} ${why}.`, {
      hint: `check that the domain serves its DID document, or pin the key by hand: aip principal add ${did} --public-key <key>`,
      retryable: true,
      cause,
    });
  const http = new HttpClient(url, { env, kept: 0 });
  let answer: HttpAnswer;
  try {
    answer = await http.ask({
      method: 'GET',
      path: http.url.pathname,
      headers: { accept: 'application/did+json, application/json' },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_DOCUMENT_BYTES,
    });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw failure(wordsFor(error), error);
  } finally {
    http.close();
  }
  const { status, headers, body } = answer;
  if (status === 200) return body;
  if (status < 300 || status > 399) throw failure(`answered with status ${status}`);
  // did:web names the host that vouches; another host's word is not its word.
  const to = headers.location === undefined ? 'elsewhere' : `to ${headers.location.slice(0, 200)}`;
  throw failure(
    `redirects ${to} (status ${status}), and redirects are not followed: a did:web is what its own host says`,
  );
}

function wordsFor({ kind, code, message }: Unreachable): string {
  if (kind === 'silent') return `did not answer within ${TIMEOUT_MS / 1000} s`;
  if (kind === 'too-large') return `is longer than ${MAX_DOCUMENT_BYTES} bytes`;
  if (kind === 'broken') return 'broke off';
  return `cannot be reached (${code ?? message})`;
}
