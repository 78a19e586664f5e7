/** The inbox as a person meets it: all that is approved is seen, and the key that signs never leaves the browser. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readActionApproval } from '../../src/protocol/approvals/approval.js';
import { verifyKeyOf, verifySignature } from '../../src/protocol/ed25519/verify.js';
import { parsePublicKey } from '../../src/protocol/identity/keys.js';
import { changeAnswers, CHROMIUM, openPage, type Page, type PageOptions } from '../kit/browser.js';
import { CAROL, keyOf, OTHER, PERSON, request, seedOf } from '../kit/mesh/approvals.js';
import { network, type NetworkMesh } from '../kit/mesh/network.js';
import { privateKeyOf } from '../kit/keyring/ed25519.js';

const PASSPHRASE = 'correct horse battery staple';
const FORGED = `<img src=x onerror="document.title='pwned'">`;

/** The private key in the form that `aip init --key-store file` and OpenSSL write. */
function pem(n: number, passphrase: string | null): string {
  const form = { type: 'pkcs8', format: 'pem' } as const;
  return String(
    privateKeyOf(seedOf(n)).export(passphrase === null ? form : { ...form, cipher: 'aes-256-cbc', passphrase }),
  );
}

interface Scene {
  readonly net: NetworkMesh;
  readonly page: Page;
  readonly id: string;
}

const PARAMS = {
  amount: 10_000,
  recipient: 'pay@p\u0430ypal.com',
  note: `${FORGED} \u202e dlrow`,
  lines: Array.from({ length: 40 }, (_, i) => ({ sku: `item-${i}`, text: 'x'.repeat(60) })),
  last: 'the end',
};

/** A mesh on a socket with one request of a verifier, and a page with the key of an approver. */
async function scene(options: PageOptions = {}, link = ''): Promise<Scene> {
  const net = await network();
  onTestFinished(() => net.close());
  const now = Date.now();
  const document = request(1, {
    params: PARAMS,
    requested_at: new Date(now).toISOString(),
    expires_at: new Date(now + 3_000_000).toISOString(),
  });
  expect((await net.post('verifier', '/v1/mesh/approvals', document)).status).toBe(201);
  const page = await openPage(options);
  await page.goto(`${net.url}/${link.replace('ID', document.request_id)}`);
  await page.until('document.activeElement.id === "key"');
  await page.type(net.mesh.keys.approver.text);
  await page.press('Enter');
  await page.until('!document.getElementById("open").hidden');
  return { net, page, id: document.request_id };
}

const text = (page: Page, id: string) => page.evaluate<string>(`document.getElementById('${id}').innerText`);

async function look(page: Page): Promise<void> {
  await page.evaluate(`document.querySelector('#requests button').click()`);
  await page.until(`document.getElementById('approval-approve').disabled === false`);
}

/** Picks a key file, as a person does in the dialog of the system. */
async function pick(page: Page, key: string, passphrase: string): Promise<void> {
  await page.evaluate(`(() => {
    const files = new DataTransfer();
    files.items.add(new File([${JSON.stringify(key)}], 'carol.pem'));
    document.getElementById('approval-file').files = files.files;
    document.getElementById('approval-passphrase').value = ${JSON.stringify(passphrase)};
  })()`);
}

const answered = (page: Page) =>
  page.until(`document.getElementById('approval-result').className.length > 7 &&
    document.getElementById('approval-result').innerText !== 'Signing…'`);

async function pictured(page: Page, name: string): Promise<void> {
  const folder = process.env['AIP_TEST_SCREENSHOTS'];
  const picture = await page.screenshot();
  if (folder !== undefined) writeFileSync(join(folder, name), picture);
}

describe.skipIf(CHROMIUM === null)('the inbox', { timeout: 60_000 }, () => {
  test('shows every param whole, marks what deceives the eye, and makes no markup of it', async () => {
    const found = await scene();
    const { page } = found;
    expect(await text(page, 'requests')).toContain('issue_refund');
    await look(page);
    const shown = await text(page, 'approval-params');
    for (const each of [
      '"amount": 10000',
      'p\u0430[U+0430]ypal',
      '\\u202e',
      FORGED.replaceAll('"', '\\"'),
      'item-39',
      'the end',
    ])
      expect(shown).toContain(each);
    expect(await page.evaluate<number>(`document.querySelectorAll('#approval img').length`)).toBe(0);
    // Nothing is behind a scroll bar of its own.
    const cut = `(() => { const pre = document.getElementById('approval-params'); return pre.scrollHeight > pre.clientHeight + 1 })()`;
    expect(await page.evaluate<boolean>(cut)).toBe(false);
    expect(await text(page, 'approval-command')).toBe(`aip approvals approve ${found.id}`);
    expect(page.problems).toEqual([]);
    await pictured(page, 'inbox-desktop.png');
  });

  test('counts what waits for a person, and says when there is more than it shows', async () => {
    const { page } = await scene();
    await page.until('document.getElementById("t-waiting").textContent === "1"');
    await changeAnswers(
      page,
      '/v1/mesh/approvals',
      `const [first] = json.requests;
       json.requests = [first, { ...first, status: 'approved', approved_by: ['did:web:acme.com'] }];
       json.next = window.more ?? null`,
    );
    await page.until('document.querySelectorAll("#requests li").length === 2');
    expect(await text(page, 't-waiting')).toBe('1');
    expect(await text(page, 'requests')).toMatch(/1 of 1 approved, not used yet/);
    expect(await text(page, 'more-requests')).toBe('');
    await page.evaluate('window.more = "0".repeat(32)');
    await page.until('document.getElementById("t-waiting").textContent === "1 or more"');
    expect(await text(page, 'more-requests')).toContain('aip approvals list');
  });

  test('does not take what it showed for what waits now, once the mesh does not tell it', async () => {
    const { page } = await scene();
    await page.until('document.getElementById("t-waiting").textContent === "1"');
    await changeAnswers(page, '/v1/mesh/approvals', `if (window.away) return new Response('{}', { status: 503 })`);
    await page.evaluate('window.away = true');
    await page.until('document.getElementById("more-requests").textContent !== ""');
    expect(await text(page, 'more-requests')).toMatch(/does not tell now what waits for a person/);
    await page.evaluate('window.away = false');
    await page.until('document.getElementById("more-requests").textContent === ""');
  });

  test('signs with a key that its owner opens there; the mesh gets the answer, and never the key or its passphrase', async () => {
    const found = await scene({}, '#approval=ID');
    const { net, page, id } = found;
    await page.until(`document.getElementById('approval-approve').disabled === false`);
    await pick(page, pem(PERSON, PASSPHRASE), 'wrong');
    await page.evaluate(`document.getElementById('approval-approve').click()`);
    await answered(page);
    expect(await text(page, 'approval-result')).toContain('passphrase');
    await pick(page, pem(PERSON, PASSPHRASE), PASSPHRASE);
    await page.evaluate(`document.getElementById('approval-approve').click()`);
    await page.until(`document.getElementById('approval-result').innerText.startsWith('Approved')`);
    const { answers } = (await net.mesh.ask('GET', `/v1/mesh/approvals/${id}/answers`, 'admin')).json<{
      answers: object[];
    }>();
    const answer = readActionApproval(JSON.stringify(answers[0]));
    expect(answer.document).toMatchObject({ approver: CAROL, decision: 'approve', request_id: id });
    const key = verifyKeyOf(parsePublicKey(keyOf(PERSON))!)!;
    expect(verifySignature(key, answer.signedBytes, answer.signature)).toBe(true);
    expect(await page.evaluate<string>(`document.getElementById('approval-passphrase').value`)).toBe('');
    expect(page.requests.filter((url) => !url.startsWith(net.url))).toEqual([]);
    expect(page.problems).toEqual([]);
  });

  test.each<[string, string, string, string]>([
    ["somebody else's key", pem(OTHER, null), '', 'none of those who may answer'],
    ['a file that is no key', 'hello', '', 'use the command'],
    ['no key at all', '', '', 'no key'],
  ])('denies nothing and approves nothing with %s', async (_, key, passphrase, sentence) => {
    const found = await scene({ width: 390, height: 780 });
    const { net, page, id } = found;
    await look(page);
    if (key !== '') await pick(page, key, passphrase);
    await page.evaluate(`document.getElementById('approval-deny').click()`);
    await answered(page);
    expect(await text(page, 'approval-result')).toMatch(key === '' ? /Pick the file/ : new RegExp(sentence));
    const told = await net.mesh.ask('GET', `/v1/mesh/approvals/${id}/answers`, 'admin');
    expect(told.json()).toMatchObject({ status: 'pending', answers: [] });
    const wide = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
    expect(await page.evaluate<boolean>(wide)).toBe(true);
    await pictured(page, 'inbox-390.png');
  });

  test('does not let a request be answered that is not what its hash says', async () => {
    const found = await scene();
    const { net, page, id } = found;
    // A server that shows another amount than was hashed.
    const { papers } = net.mesh.store;
    const kept = (await papers.get('approval-request', id))!;
    await papers.put('approval-request', { ...kept, version: 2, text: kept.text.replace('10000', '10') });
    await page.evaluate(`document.querySelector('#requests button').click()`);
    await page.until(`document.getElementById('approval-result').innerText.includes('do not answer')`);
    expect(await page.evaluate<boolean>(`document.getElementById('approval-approve').disabled`)).toBe(true);
  });

  test('says why it does not sign in a page that came over plain http', async () => {
    const { page } = await scene();
    await page.evaluate(`{
      Object.defineProperty(window, 'isSecureContext', { value: false });
      Object.defineProperty(window.crypto, 'subtle', { value: undefined });
    }`);
    await page.evaluate(`document.querySelector('#requests button').click()`);
    await page.until(`document.getElementById('approval').open`);
    await page.until(`document.getElementById('approval-result').innerText !== ''`);
    expect(await text(page, 'approval-result')).toMatch(/plain http.*use the command/);
    expect(await text(page, 'approval-params')).toContain('the end');
    expect(await page.evaluate(`document.getElementById('approval-approve').disabled`)).toBe(true);
    expect(page.problems).toEqual([]);
  });

  test('shows no request that was asked for before the page was locked', async () => {
    const { page } = await scene();
    await page.evaluate(`(() => {
      const { fetch } = window;
      window.late = null;
      window.fetch = (path, init) =>
        /approvals\\/[0-9a-f]{32}$/.test(path)
          ? new Promise((resolve) => { window.late = () => resolve(fetch(path, init)); })
          : fetch(path, init);
    })()`);
    await page.evaluate(`document.querySelector('#requests button').click()`);
    await page.until('window.late !== null');
    await page.evaluate(`document.getElementById('lock').click()`);
    await page.evaluate(`(async () => { window.late(); await new Promise((done) => setTimeout(done, 500)); })()`);
    expect(await page.evaluate<boolean>(`document.getElementById('approval').open`)).toBe(false);
    expect(await text(page, 'approval-facts')).toBe('');
  });
});
