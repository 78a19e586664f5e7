/** Posts a notice: bounded in time, tries and size. Follows no redirect and says no URL: both could hand a secret to somebody else. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Delivery, Notice } from '../../app/ports/monitor.js';
import type { Clock, Random } from '../../app/ports/state.js';
import { pause } from '../files/follow-file.js';

export interface PostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Of each try, ms. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** The first pause is up to so long, each next one up to twice that, ms. */
  readonly baseMs?: number;
}

/** No pause is longer, whatever Retry-After says, ms. */
const LONGEST_PAUSE = 30_000;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
}

export async function post(notice: Notice, options: PostOptions): Promise<Delivery> {
  const { clock, random, signal, timeoutMs = 5_000, tries = 4, baseMs = 500 } = options;
  const url = new URL(notice.url);
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    let wanted = 0;
    try {
      const { status, retryAfter } = await once(url, notice, clock(), timeoutMs, signal);
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
    const most = Math.min(LONGEST_PAUSE, baseMs * 2 ** (attempt - 1));
    await pause(Math.max(wanted, fraction(random) * most), signal);
    if (signal.aborted) return { kind: 'failed', reason, waitMs: wanted };
  }
}

function once(url: URL, notice: Notice, now: number, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = Buffer.from(notice.body, 'utf8');
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const answered = (incoming: IncomingMessage): void => {
      clearTimeout(timer);
      resolve({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] ?? null });
      // What it says beyond its status is not needed, however long it is.
      incoming.on('error', () => undefined);
      request.destroy();
    };
    const request = make(
      url,
      {
        method: 'POST',
        agent: false,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          'user-agent': 'aip-monitor',
          ...notice.headers(now),
        },
      },
      answered,
    );
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
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

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is unknown';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection broke';
  if (code === 'ABORT_ERR') return 'the monitor was stopped';
  return code === undefined ? message : code;
}
