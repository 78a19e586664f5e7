import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { post, type PostOptions } from '../../../src/adapters/http/webhook.js';
import { webhookKey, webhookNotice } from '../../../src/app/monitor/messages.js';
import type { Notice } from '../../../src/app/ports/monitor.js';
import { T0 } from '../../kit/state/drafts.js';
import { alert } from '../../kit/alerts.js';
import { receiver } from '../../kit/servers/receiver.js';

const notice = (url: string): Notice => ({ url, body: '{"a":"é"}', headers: () => ({}) });
const options = (changes: Partial<PostOptions> = {}): PostOptions => ({
  clock: () => T0,
  random: (n) => new Uint8Array(n),
  signal: new AbortController().signal,
  ...changes,
});

describe('a notice', () => {
  test('is posted as JSON with its length', async () => {
    const at = await receiver();
    expect(await post(notice(at.url('/x?y=1')), options())).toEqual({ kind: 'delivered' });
    expect(at.calls).toHaveLength(1);
    expect(at.calls[0]).toMatchObject({ method: 'POST', path: '/x?y=1', body: '{"a":"é"}' });
    expect(at.calls[0]!.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '10' });
  });

  test.each([408, 425, 429, 500, 502, 503, 599])('is tried again after %i', async (status) => {
    const at = await receiver();
    at.answer((_, n) => ({ status: n < 3 ? status : 204 }));
    expect(await post(notice(at.url('/')), options())).toEqual({ kind: 'delivered' });
    expect(at.calls).toHaveLength(3);
  });

  test.each([400, 401, 403, 404, 410, 413, 418])('is not tried again after %i', async (status) => {
    const at = await receiver();
    at.answer(() => ({ status }));
    expect(await post(notice(at.url('/')), options())).toEqual({ kind: 'refused', reason: `it answered ${status}` });
    expect(at.calls).toHaveLength(1);
  });

  test.each([301, 302, 303, 307, 308])('does not follow %i to somebody else', async (status) => {
    const [at, other] = await Promise.all([receiver(), receiver()]);
    at.answer(() => ({ status, headers: { location: other.url('/') } }));
    expect(await post(notice(at.url('/')), options())).toMatchObject({ kind: 'refused' });
    expect([at.calls.length, other.calls.length]).toEqual([1, 0]);
  });

  test('is given up after four tries', async () => {
    const at = await receiver();
    at.answer(() => ({ status: 503 }));
    expect(await post(notice(at.url('/')), options())).toEqual({
      kind: 'failed',
      reason: 'it answered 503',
      waitMs: 0,
    });
    expect(at.calls).toHaveLength(4);
  });

  test.each([
    ['3600', 3_600_000],
    [new Date(T0 + 90_000).toUTCString(), 90_000],
  ])('a Retry-After of %s is left to a later round', async (after, waitMs) => {
    const at = await receiver();
    at.answer(() => ({ status: 429, headers: { 'retry-after': after } }));
    expect(await post(notice(at.url('/')), options())).toEqual({ kind: 'failed', reason: 'it answered 429', waitMs });
    expect(at.calls).toHaveLength(1);
  });

  test.each(['soon', '-5', '1e9', '99999999999', new Date(T0 - 1000).toUTCString()])(
    'a Retry-After of %s is no reason to wait',
    async (after) => {
      const at = await receiver();
      at.answer((_, n) => ({ status: n === 1 ? 429 : 200, headers: { 'retry-after': after } }));
      expect(await post(notice(at.url('/')), options())).toEqual({ kind: 'delivered' });
    },
  );

  test('an endless answer is not read', async () => {
    const at = await receiver();
    at.answer(() => ({ status: 200, endless: true }));
    expect(await post(notice(at.url('/')), options())).toEqual({ kind: 'delivered' });
  });

  test('no answer ends each try', async () => {
    const at = await receiver();
    at.answer(() => null);
    const delivery = await post(notice(at.url('/')), options({ timeoutMs: 40, tries: 2 }));
    expect(delivery).toEqual({ kind: 'failed', reason: 'no answer within 40 ms', waitMs: 0 });
    expect(at.calls).toHaveLength(2);
  });

  test('nobody there is a reason that names no URL', async () => {
    const delivery = await post(notice('http://127.0.0.1:9/secret'), options({ tries: 1 }));
    expect(delivery).toEqual({ kind: 'failed', reason: 'nothing listens there', waitMs: 0 });
  });

  test('stops at once when the monitor does', async () => {
    const at = await receiver();
    at.answer(() => null);
    const stop = new AbortController();
    const delivery = post(notice(at.url('/')), options({ signal: stop.signal, timeoutMs: 60_000 }));
    while (at.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await delivery).toMatchObject({ kind: 'failed' });
    expect(at.calls).toHaveLength(1);
  });
});

describe('a signature', () => {
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

  test('is over id, time and body, and of the try that carries it', async () => {
    const at = await receiver();
    at.answer((_, n) => ({ status: n === 1 ? 500 : 200 }));
    let now = T0;
    const event = alert();
    await post(webhookNotice(event, at.url('/'), webhookKey(SECRET)!), options({ clock: () => (now += 1000) }));
    const times = at.calls.map(({ headers, body }) => {
      const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = headers;
      const key = Buffer.from(SECRET.slice(6), 'base64');
      const mac = createHmac('sha256', key)
        .update(`${String(id)}.${String(time)}.${body}`)
        .digest('base64');
      expect([id, signature]).toEqual([event.id, `v1,${mac}`]);
      return Number(time);
    });
    expect(times[1]).toBeGreaterThan(times[0]!);
  });

  test.each([
    '',
    'short',
    'x'.repeat(23),
    'whsec_',
    'whsec_c2hvcnQ=',
    'whsec_!!!!',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_',
  ])('%j is no secret', (secret) => {
    expect(webhookKey(secret)).toBe(null);
  });

  test('text of 24 characters is one', () => {
    expect(Buffer.from(webhookKey('x'.repeat(24))!).toString()).toBe('x'.repeat(24));
  });

  // The example of the Standard Webhooks specification.
  test('agrees with the published example', () => {
    const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!;
    const mac = createHmac('sha256', key)
      .update('msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')
      .digest('base64');
    expect(mac).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});
