/** Posts a notice: bounded in time, tries and size. Follows no redirect and says no URL: both could hand a secret to somebody else. */
import type { Delivery, Notice } from '../../app/ports/monitor.js';
import type { Clock, Random } from '../../app/ports/state.js';
import { backoff } from '../../protocol/backoff.js';
import { pause } from '../files/streams/follow-file.js';
import { HttpClient, Unreachable } from './client.js';
import type { ProxyEnvironment } from './proxy.js';

export interface PostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Where HTTPS_PROXY and its like are looked for. */
  readonly env?: ProxyEnvironment;
  /** Of each try, ms. */
  readonly timeoutMs?: number;
  readonly tries?: number;
}

/** The first pause is up to so long, each next one up to twice that, ms. */
const FIRST_PAUSE = 500;
/** No pause is longer, whatever Retry-After says, ms. */
const LONGEST_PAUSE = 30_000;

interface Try {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
}

export async function post(notice: Notice, options: PostOptions): Promise<Delivery> {
  const { clock, random, signal, env, timeoutMs = 5_000, tries = 4 } = options;
  const http = new HttpClient(notice.url, { env, kept: 0 });
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    let wanted = 0;
    try {
      const { status, retryAfter } = await once(http, notice, clock(), { timeoutMs, signal });
      if (status >= 200 && status < 300) return { kind: 'delivered' };
      reason = `it answered ${status}`;
      if (status !== 408 && status !== 425 && status !== 429 && status < 500) return { kind: 'refused', reason };
      wanted = waitIn(retryAfter, clock());
    } catch (error) {
      reason = reasonOf(error);
    }
    // A longer wait is left to the next round.
    if (attempt >= tries || signal.aborted || wanted > LONGEST_PAUSE) return { kind: 'failed', reason, waitMs: wanted };
    // Full jitter: many monitors that lost the same receiver must not come back together.
    const ms = backoff(attempt - 1, fraction(random), { firstMs: FIRST_PAUSE, mostMs: LONGEST_PAUSE });
    await pause(Math.max(wanted, ms), signal);
    if (signal.aborted) return { kind: 'failed', reason, waitMs: wanted };
  }
}

async function once(http: HttpClient, notice: Notice, now: number, { timeoutMs, signal }: Try): Promise<Answer> {
  const { status, headers } = await http.ask({
    method: 'POST',
    path: http.url.pathname + http.url.search,
    headers: { 'content-type': 'application/json', 'user-agent': 'aip-monitor', ...notice.headers(now) },
    body: Buffer.from(notice.body, 'utf8'),
    timeoutMs,
    // What it says beyond its status is not needed, however long it is.
    maxBytes: 0,
    signal,
  });
  return { status, retryAfter: headers['retry-after'] ?? null };
}

/** ms that a Retry-After asks for: seconds, or a date; 0 when it says nothing that can be read. */
function waitIn(header: string | null, now: number): number {
  if (header === null) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}

function fraction(random: Random): number {
  const [a, b] = random(2) as unknown as [number, number];
  return (a * 256 + b) / 65_536;
}

/** Never with the address: what the system says of a failed connection holds it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Unreachable)) throw error;
  const { kind, code, message } = error;
  if (kind === 'given-up') return 'the monitor was stopped';
  return code === null || !message.includes(code) ? message : code;
}
