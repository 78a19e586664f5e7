/** Asks a witness of C2SP tlog-witness: bounded in time and size, no redirects. */
import { Failure } from '../../app/failure.js';
import { HttpClient, Unreachable } from './client.js';
import type { ProxyEnvironment } from './proxy.js';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** What `<url>/add-checkpoint` answers. @throws Failure NETWORK, USAGE */
export async function addCheckpoint(
  url: string,
  body: string,
  options: { readonly env: ProxyEnvironment; readonly ca: string | null },
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new Failure('USAGE', `"${url.slice(0, 80)}" is no address of a witness.`, {
      hint: '--witness https://witness.example/prefix',
    });
  const http = new HttpClient(url, { ...options, kept: 0 });
  try {
    const answer = await http.ask({
      method: 'POST',
      path: `${http.url.pathname.replace(/\/$/, '')}/add-checkpoint`,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      body: Buffer.from(body),
      ...{ timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES },
    });
    const type = (answer.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    return { status: answer.status, type, body: Buffer.from(answer.body).toString('utf8') };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw new Failure('NETWORK', `The witness ${url} cannot be asked: ${error.message}.`, {
      retryable: true,
      cause: error,
    });
  } finally {
    http.close();
  }
}
