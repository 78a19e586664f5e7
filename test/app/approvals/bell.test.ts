/** Bells for requests that wait: a link and a text, signed, bounded, and never a word that approves. */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Bell, bellBody } from '../../../src/app/approvals/bell.js';
import type { Delivery, Notice } from '../../../src/app/ports/monitor.js';
import { newRequest, type KeptRequest } from '../../../src/mesh/approvals/kept.js';
import { readApprovalRequest } from '../../../src/protocol/approvals/request.js';
import { NOW, request } from '../../kit/mesh/approvals.js';

const KEY = Buffer.from('k'.repeat(24));
const PAGE = 'https://mesh.acme.com/';

const kept = (n: number, fields: Partial<KeptRequest> = {}): KeptRequest => ({
  ...newRequest(readApprovalRequest(JSON.stringify(request(n))), 'key', NOW),
  ...fields,
});

function bell(post: (notice: Notice) => Promise<Delivery>) {
  const troubles: string[] = [];
  const made = new Bell({
    url: 'https://hooks.example/x',
    key: KEY,
    page: () => PAGE,
    post,
    onTrouble: (sentence) => troubles.push(sentence),
  });
  return { made, troubles };
}

test('a notice names the request, leads to the page, holds no params, and is signed', async () => {
  const sent: Notice[] = [];
  const { made, troubles } = bell(async (notice) => {
    sent.push(notice);
    return { kind: 'delivered' };
  });
  made.ring(kept(1));
  await made.settled();
  const [notice] = sent;
  const { request_id: id } = request(1);
  const body = JSON.parse(notice!.body) as Record<string, unknown>;
  expect(body).toMatchObject({
    event: 'approval_requested',
    request_id: id,
    link: `${PAGE}#approval=${id}`,
    needed: 1,
  });
  expect(Object.keys(body)).not.toContain('params');
  expect(notice!.body).not.toContain('10000');
  const headers = notice!.headers(NOW);
  const mac = createHmac('sha256', KEY)
    .update(`${id}.${Math.floor(NOW / 1000)}.${notice!.body}`)
    .digest('base64');
  expect(headers).toMatchObject({ 'webhook-id': id, 'webhook-signature': `v1,${mac}` });
  expect(troubles).toEqual([]);
});

test.each([
  ['a link of its own', 'did:web:a.com:agents:x', 'pay https://evil.example/approve?now=1'],
  ['markup of a chat', 'did:web:a.com:agents:<!channel>', '*bold* <https://evil.example|Approve>'],
  ['text that is turned round, and lines', 'did:web:a.com:agents:\u202eevil', 'a\nb\u2028c\u0000'],
  ['more text than anybody reads', `did:web:a.com:agents:${'x'.repeat(900)}`, 'y'.repeat(900)],
])('what a stranger wrote cannot be %s', (_, agent_id, action) => {
  const { link, text } = JSON.parse(bellBody(kept(1, { agent_id, action }), PAGE)) as { link: string; text: string };
  expect(text.split(link)).toHaveLength(2);
  const rest = text.replace(link, '');
  expect(rest).not.toMatch(/[<>|*`\n\u2028\u202e\u0000]|:\/\//);
  expect(rest.length).toBeLessThan(600);
});

test('a receiver that is down costs no memory and is named once', async () => {
  let open: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (open = resolve));
  let tries = 0;
  const { made, troubles } = bell(async () => {
    tries++;
    await first;
    return { kind: 'failed', reason: 'it answered 503', waitMs: 0 };
  });
  for (let n = 0; n < 500; n++) made.ring(kept(n));
  open();
  await made.settled();
  expect(tries).toBeLessThanOrEqual(102);
  expect(troubles).toEqual([
    expect.stringContaining('come faster than they are told of'),
    expect.stringContaining('it answered 503'),
  ]);
});
