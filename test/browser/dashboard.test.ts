/** The dashboard as an operator meets it: a real mesh on a real socket, in headless Chromium. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fleetConduct } from '../../src/app/conduct/fleet-conduct.js';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import { changeAnswers, CHROMIUM, openPage, type Page, type PageOptions } from '../kit/browser.js';
import { TestVerifier, type Told } from '../kit/mesh/fleet.js';
import { serveBuiltPage } from '../kit/mesh/built-page.js';
import { network, type NetworkMesh } from '../kit/mesh/network.js';
import { LOG_ID } from '../kit/mesh/server.js';
import { AGENT, OTHER } from '../kit/state/drafts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REPORT = 'did:web:northwind.example:agents:report-writer-v3';
const HOSTILE = `did:web:evil.com:agents:x"><img src=x onerror="document.title='pwned'">`;
const SCRIPT = `</script><script>document.title='pwned'</script>`;
const REGISTERED = {
  did: 'did:web:northwind.example',
  publicKey: `ed25519:${'cd'.repeat(32)}`,
  addedAt: 0,
  addedBy: 'admin',
};

interface Scene {
  readonly net: NetworkMesh;
  readonly east: TestVerifier;
  readonly page: Page;
  ship(verifier: TestVerifier, after?: number): Promise<void>;
}

type SceneOptions = PageOptions & { readonly past?: boolean; readonly built?: boolean };

/** Two verifiers' worth of the last day, one of them connected; and a page at the gate. */
async function scene(options: SceneOptions = {}): Promise<Scene> {
  const store = new MemoryMeshStore(LOG_ID);
  const conduct = fleetConduct({ logs: store.logs, pause: () => Promise.resolve() });
  const net = await network({ store, conduct });
  onTestFinished(() => net.close());
  const ship = async (verifier: TestVerifier, after = 0): Promise<void> => {
    for (let at = after; at < verifier.entries.length; at += 200) {
      const body = verifier.shipment(at, verifier.entries.slice(at, at + 200));
      const { status, json } = await net.post('verifier', '/v1/logs', body);
      expect([status, json['code']]).toEqual([200, undefined]);
    }
  };
  const east = new TestVerifier('eu-west-1');
  const west = new TestVerifier('us-east-2');
  if (options.past !== false) {
    const now = Date.now();
    const day = (agent_id: string, perHour: number, more: (i: number) => Told): Told[] =>
      Array.from({ length: perHour * 24 }, (_, i) => ({
        agent_id,
        at: Math.round(now - 24 * HOUR + (i * HOUR) / perHour),
        ...more(i),
      }));
    east.log(
      ...day(AGENT, 6, (i) => (i % 40 === 7 ? { error_code: 'AIP-E202', error_message: 'Boundary exceeded' } : {})),
      ...day(OTHER, 2, (i) =>
        i > 30 && i % 2 === 0
          ? { error_code: 'AIP-E203', error_message: 'Action not allowed', action: 'wire_funds' }
          : {},
      ),
    );
    west.log(
      ...day(REPORT, 3, () => ({ action: 'read_report', params: { quarter: 'Q3' } })),
      {
        agent_id: HOSTILE,
        error_code: 'AIP-E100',
        action: '<b>bold</b>',
        params: { [SCRIPT]: SCRIPT },
        at: now,
      },
      { agent_id: `did:web:acme.com:agents:support\u202eagent`, error_code: 'AIP-E100', at: now },
    );
    // Entry 1 and 2 are of the first agent, and accepted.
    east.outcome(1, 'ok');
    east.outcome(2, 'error');
    await ship(east);
    await ship(west);
    const follow = net.follow({ verifier: 'eu-west-1' });
    follow.start();
    await net.revoke('did:web:northwind.example:agents:mailer', { reason: `Leaked key <img src=x onerror=alert(1)>` });
  }
  const page = await openPage(options);
  const front = options.built === true ? await serveBuiltPage(net.url) : null;
  if (front !== null) onTestFinished(() => front.close());
  await page.goto(`${front?.url ?? net.url}/`);
  return { net, east, page, ship };
}

async function unlock(page: Page, key: string): Promise<void> {
  await page.until('document.activeElement.id === "key"');
  await page.type(key);
  await page.press('Enter');
}

/** The page once it has been given an API key of this role. */
async function unlocked(role: 'observer' | 'operator' = 'observer', options: SceneOptions = {}): Promise<Scene> {
  const opened = await scene(options);
  await unlock(opened.page, opened.net.mesh.keys[role].text);
  return opened;
}

const LIVE = 'document.getElementById("state").textContent === "live"';

const text = (page: Page, selector: string) =>
  page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).innerText`);

/** Opens the dialog on an agent's own button. */
async function startRevoking(page: Page, name: string): Promise<void> {
  await page.evaluate(`document.querySelector('[aria-label^="Revoke ${name}"]').click()`);
  await page.until('document.activeElement.id === "reason"');
}

async function shot(page: Page, name: string): Promise<void> {
  const bytes = await page.screenshot();
  expect(bytes.length).toBeGreaterThan(20_000);
  const folder = process.env['AIP_TEST_SHOTS'];
  if (folder !== undefined) writeFileSync(join(folder, `dashboard-${name}.png`), bytes);
}

describe.skipIf(CHROMIUM === null)('the dashboard', () => {
  test('shows agents, verifiers and entries as they come, and asks nobody else for anything', async () => {
    const { page, net, east, ship } = await scene({ width: 1440, height: 1000 });
    await shot(page, 'gate');
    await unlock(page, net.mesh.keys.observer.text);
    await page.until(LIVE);
    await page.until('document.querySelectorAll("#entries li").length >= 50');
    const table = await text(page, '#agents');
    for (const shown of ['support-agent-v1', 'acme.com', 'trader', 'report-writer-v3', 'mailer', 'REVOKED']) {
      expect(table).toContain(shown);
    }
    // 144 entries of which i = 7, 47, 87 and 127 are refused.
    expect(await text(page, '#agents tr:has([aria-label^="Revoke support-agent-v1"]) .rate')).toMatch(
      /2\.8%\s*4 of 144\s*ended: 1 ok, 1 error, 138 unknown/,
    );
    expect(await text(page, '#verifiers')).toMatch(/eu-west-1[\s\S]*stream[\s\S]*none[\s\S]*194 entries/);
    await shot(page, 'desktop');

    east.log({
      agent_id: AGENT,
      at: Date.now(),
      action: 'brand_new_action',
      error_code: 'AIP-E401',
      error_message: 'Agent revoked',
    });
    await ship(east, 194);
    await page.until('document.querySelector("#entries li .action bdi").textContent === "brand_new_action"');
    expect(await text(page, '#entries li')).toContain('REVOKED');

    // The outcome of a yes is no refusal.
    east.outcome(3, 'ok');
    await ship(east, 195);
    await page.until('document.querySelector("#entries li .action bdi").textContent === "ok: entry 3"');
    expect(await text(page, '#entries li')).toMatch(/outcome(?![\s\S]*REFUSED)/);

    // Nor is what a guard only looked on at.
    east.log({ agent_id: AGENT, at: Date.now(), action: 'looked_on', error_code: 'AIP-E202', observed: true });
    await ship(east, 196);
    await page.until('document.querySelector("#entries li .action bdi").textContent === "looked_on"');
    expect(await text(page, '#entries li')).toContain('OBSERVED');

    expect(page.problems).toEqual([]);
    expect(page.requests.filter((url) => !url.startsWith(net.url) && !url.startsWith('data:'))).toEqual([]);
    expect(page.requests.filter((url) => url.includes('aipm_'))).toEqual([]);
    expect(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length')).toBe(0);
  });

  test('its figures stay those of the fleet while an agent is looked for', async () => {
    const { page } = await unlocked();
    await page.until('document.getElementById("t-stopped").textContent === "1 stopped"');
    const figures = () => Promise.all(['t-agents', 't-stopped', 't-day', 't-rate'].map((id) => text(page, `#${id}`)));
    const before = await figures();
    await page.evaluate('document.getElementById("find").focus()');
    await page.type('TRADER');
    await page.until('document.querySelectorAll("#agents tr").length === 1');
    expect(before.slice(0, 2)).toEqual(['6', '1 stopped']);
    expect(await figures()).toEqual(before);
  });

  test('of two verifiers with one label, the one that listens does not hide the one that is absent', async () => {
    const { page } = await unlocked();
    await page.until('document.querySelectorAll("#verifiers tr").length === 2');
    await changeAnswers(
      page,
      '/v1/mesh/status',
      `const gone = { verifier: 'ed25519:${'ab'.repeat(32)}', label: 'eu-west-1', key_id: '0'.repeat(12), seq: 0 };
        json.absent.push({ ...gone, last_seen: json.time, on_stale: 'last-known', max_age_ms: 30000, refuses_since: null });`,
    );
    await page.until('document.querySelectorAll("#verifiers tr").length > 2');
    expect(await text(page, '#verifiers tr')).toMatch(/^eu-west-1\s+ed25519:(ab){32}\s+absent, may still accept/);
    expect(await text(page, '#verifiers tr:nth-child(2)')).toMatch(/^eu-west-1[\s\S]*stream/);
  });

  test('counts the lag of those as well that it does not list, and says how many they are', async () => {
    const { page } = await unlocked();
    await page.until('document.querySelectorAll("#verifiers tr").length === 2');
    await changeAnswers(
      page,
      '/v1/mesh/status',
      `const [one] = json.verifiers;
       for (let i = 100; i < 300; i++) json.verifiers.push({ ...one, verifier: 'v' + i, label: 'v' + i });
       json.verifiers.push({ ...one, verifier: 'zz', label: 'zz', seq: 0 });
       json.more = 7;
       json.absent_total = 2`,
    );
    await page.until('document.querySelectorAll("#verifiers tr").length === 200');
    expect(await text(page, '#more-verifiers')).toBe('12 more are not shown.');
    await changeAnswers(page, '/v1/mesh/status', 'json.absent_total = 0');
    await page.until('document.getElementById("t-lag").textContent === "up to 1 behind"');
  });

  test('does not call a verifier "not connected" that the mesh has left out of a long list', async () => {
    const { page } = await unlocked();
    await page.until('document.querySelectorAll("#verifiers tr").length === 2');
    expect(await text(page, '#verifiers')).toContain('not connected');
    await changeAnswers(
      page,
      '/v1/mesh/status',
      `json.last_confirmed.push({ verifier: 'v', label: 'crowded-out', seq: 1, at: json.time }); json.more = 1`,
    );
    await page.until('document.querySelectorAll("#verifiers tr").length === 3');
    expect(await text(page, '#verifiers')).toMatch(/crowded-out\s+not told/);
    expect(await text(page, '#verifiers')).not.toContain('not connected');
  });

  test('what is stopped beyond one agent is read out once, not with every answer', async () => {
    const { page, net } = await unlocked();
    await page.until('!document.getElementById("open").hidden');
    await net.revoke('did:web:acme.com', { reason: 'breach' });
    await page.until('document.getElementById("above").textContent.includes("breach")');
    await page.evaluate(`{
      const alert = document.querySelector('[role=alert]:has(#above), #above[role=alert]');
      window.told = 0;
      new MutationObserver(() => window.told++).observe(alert, { childList: true, subtree: true, characterData: true });
    }`);
    await changeAnswers(page, '/v1/mesh/fleet?find=', 'window.asked = (window.asked ?? 0) + 1');
    await page.until('window.asked >= 2');
    expect(await page.evaluate('window.told')).toBe(0);
    await net.revoke('*', { reason: 'all' });
    await page.until('window.told > 0');
    expect(await text(page, '#above')).toMatch(/The whole mesh is REVOKED: all/);
  });

  test('an entry of another day shows its day, in UTC', async () => {
    const { page, net, east, ship } = await scene({ past: false });
    east.log({ agent_id: AGENT, at: Date.parse('2026-02-18T14:23:45Z') }, { agent_id: AGENT, at: Date.now() });
    await ship(east);
    await unlock(page, net.mesh.keys.observer.text);
    await page.until('document.querySelectorAll("#entries li").length === 2');
    expect(await text(page, '#entries li:last-child time')).toMatch(/^02-18\s14:23:45$/);
    expect(await text(page, '#entries li:first-child time')).toMatch(/^\d\d:\d\d:\d\d$/);
  });

  test('one is counted as one, and with nobody listening the tile says what makes somebody', async () => {
    const { page, east, ship } = await unlocked('observer', { past: false });
    await page.until('document.querySelector("#t-lag").innerText === "aip mesh follow"');
    east.log({ agent_id: AGENT, at: Date.now() });
    await ship(east);
    await page.until('document.querySelector("#t-entries").innerText === "1 entry shipped"');
    expect(await text(page, '#verifiers')).toContain('1 entry, ');
  });

  test('strings of strangers stay text', async () => {
    const { page } = await unlocked();
    await page.until('document.querySelectorAll("#entries li").length >= 50');
    await page.evaluate('document.querySelectorAll("#entries details").forEach((each) => (each.open = true))');
    await page.until(`document.querySelector("#entries").innerText.includes("</script><script>")`);
    const shown = await text(page, 'main');
    for (const each of ['<b>bold</b>', 'onerror=', '<img src=x', 'support\ufffdagent']) expect(shown).toContain(each);
    expect(await page.evaluate('document.querySelectorAll("img, b b, main script").length')).toBe(0);
    expect(await page.evaluate('document.title')).toBe('AIP mesh');
    // Nobody can revoke what is no agent, and the id of a stranger is not offered.
    expect(await page.evaluate('document.querySelector(\'[aria-label*="onerror"]\').hidden')).toBe(true);
    expect(page.problems).toEqual([]);
  });

  test('an answer that comes late does not take the place of a newer one', async () => {
    const { page } = await unlocked('operator');
    await page.until(`document.querySelectorAll('#agents tr').length > 1`);
    await page.evaluate(`(() => {
      const { fetch } = window;
      window.late = null;
      window.fetch = (path, init) =>
        /find=$/.test(path) && window.late === null
          ? new Promise((resolve) => { const answer = fetch(path, init); window.late = () => resolve(answer); })
          : fetch(path, init);
    })()`);
    await page.until('window.late !== null');
    const narrowed = `document.querySelectorAll('#agents tr').length === 1`;
    await page.evaluate(`(() => {
      const find = document.getElementById('find');
      find.value = 'report-writer';
      find.dispatchEvent(new Event('input'));
    })()`);
    await page.until(narrowed);
    await page.evaluate(`(async () => { window.late(); await new Promise((done) => setTimeout(done, 300)); })()`);
    expect(await page.evaluate<boolean>(narrowed)).toBe(true);
  });

  test('its policy holds against a string that got in as markup or code', async () => {
    const { page } = await scene({ past: false });
    const blocked = (code: string) =>
      page.evaluate<string>(`(() => { try { ${code}; return 'ran' } catch (e) { return e.name } })()`);
    expect(await blocked('document.body.innerHTML = "<img src=x onerror=alert(1)>"')).toBe('TypeError');
    expect(await blocked('const s = document.createElement("script"); s.textContent = "window.ran = 1"')).toBe(
      'TypeError',
    );
    const fetched = await page.evaluate('fetch("http://127.0.0.1:9/").then(() => "went", (e) => e.name)');
    expect(fetched).toBe('TypeError');
    await page.evaluate(
      'new Promise((done) => { const i = new Image(); i.onerror = i.onload = done; i.src = "http://127.0.0.1:9/x.png" })',
    );
    expect(page.problems.filter((each) => each.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(2);
  });

  test('a wrong key opens nothing; locking forgets', async () => {
    const { page, net } = await scene();
    await unlock(page, `aipm_observer_${'0'.repeat(12)}_${'0'.repeat(64)}`);
    await page.until('document.getElementById("gate-problem").textContent === "This key is not accepted."');
    expect(await page.evaluate('document.getElementById("open").hidden')).toBe(true);
    await unlock(page, net.mesh.keys.observer.text);
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    await page.evaluate('document.getElementById("lock").click()');
    expect(await page.evaluate('document.querySelectorAll("#agents tr, #entries li, #verifiers tr").length')).toBe(0);
    expect(await page.evaluate('document.getElementById("key").value')).toBe('');
  });

  test('revokes with a reason and an operator key, by keyboard alone', async () => {
    const { page, net } = await unlocked();
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    for (let i = 0; i < 40; i++) {
      await page.press('Tab');
      if (await page.evaluate<boolean>('(document.activeElement.ariaLabel ?? "").startsWith("Revoke trader")')) break;
    }
    await page.press('Enter');
    await page.until('document.querySelector("dialog").open && document.activeElement.id === "reason"');
    expect(await page.evaluate('document.getElementById("revoke-agent").value')).toBe(OTHER);
    await page.type('moves money nobody asked for');
    await page.press('Tab');
    await page.type(net.mesh.keys.operator.text);
    await shot(page, 'revoke');
    await page.press('Enter');
    await page.until('document.getElementById("revoke-result").textContent.startsWith("Revoked")');
    expect(await text(page, '#revoke-result')).toMatch(/^Revoked: 1 of 1 verifier has it, after \d+ ms\.$/);
    expect(await page.evaluate('document.getElementById("operator-key").value')).toBe('');
    const standing = await net.mesh.store.standing(OTHER);
    expect(standing).toMatchObject({ status: 'revoked', reason: 'moves money nobody asked for' });
    await page.press('Enter');
    await page.until('!document.querySelector("dialog").open');
    await page.until('document.getElementById("agents").innerText.includes("moves money nobody asked for")');
    expect(page.requests.filter((url) => url.includes('aipm_'))).toEqual([]);
    expect(page.problems).toEqual([]);
  });

  test.each([
    ['an observer key', 'observer', 'takes an operator key'],
    ['a key that is none', 'none', 'is not accepted'],
  ] as const)('is refused a revocation with %s, and says that nothing was changed', async (_, role, said) => {
    const { page, net } = await unlocked();
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    await startRevoking(page, 'trader');
    await page.type('why not');
    await page.press('Tab');
    await page.type(role === 'none' ? `aipm_operator_${'1'.repeat(12)}_${'1'.repeat(64)}` : net.mesh.keys[role].text);
    await page.press('Enter');
    await page.until(`document.getElementById("revoke-result").textContent.includes(${JSON.stringify(said)})`);
    expect(await text(page, '#revoke-result')).toContain('Nothing was changed.');
    expect(await net.mesh.store.standing(OTHER)).toBeNull();
    // Escape leaves, and takes what was typed with it.
    await page.press('Escape');
    await page.until('!document.querySelector("dialog").open');
    // What was typed goes with the dialog's close event, which comes a task after the attribute.
    await page.until('document.getElementById("operator-key").value === ""');
  });

  test('with an admin key, a row is suspended and reinstated without typing the key again', async () => {
    const { page, net } = await scene();
    await net.revoke(`ed25519:${'ab'.repeat(32)}`, { reason: 'leaked' });
    await net.mesh.store.principals.add(REGISTERED);
    await net.revoke(REGISTERED.publicKey, { reason: 'lost' });
    await unlock(page, net.mesh.keys.admin.text);
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    expect(await text(page, '#above')).toContain(`The key ed25519:${'ab'.repeat(32)} is REVOKED: leaked`);
    expect(await text(page, '#above')).toContain(`The key ${REGISTERED.did}, ${REGISTERED.publicKey} is REVOKED: lost`);
    const order = async (button: string, reason: string, said: string) => {
      await page.evaluate(`document.querySelector('[aria-label^="${button} trader"]').click()`);
      await page.until('document.activeElement.id === "reason"');
      await page.type(reason);
      await page.evaluate('document.getElementById("revoke-form").requestSubmit()');
      await page.until(`document.getElementById("revoke-result").textContent.startsWith(${JSON.stringify(said)})`);
      await page.press('Enter');
      await page.until('!document.querySelector("dialog").open');
    };
    const shown = (button: string) =>
      page.evaluate<boolean>(`!document.querySelector('[aria-label^="${button} trader"]').hidden`);
    expect([await shown('Suspend'), await shown('Reinstate')]).toEqual([true, false]);
    await order('Suspend', 'looking into it', 'Suspended: ');
    await page.until(`!document.querySelector('[aria-label^="Reinstate trader"]').hidden`);
    expect([await shown('Suspend'), await shown('Revoke')]).toEqual([false, true]);
    await order('Reinstate', 'it was us', 'Active: ');
    expect(await net.mesh.store.standing(OTHER)).toMatchObject({ status: 'active', reason: 'it was us' });
    expect(page.problems).toEqual([]);
  });

  test('with an operator key nothing is reinstated, and the page does not offer it', async () => {
    const { page, net } = await scene();
    await net.revoke(OTHER);
    await unlock(page, net.mesh.keys.operator.text);
    await page.until(`document.querySelector('[aria-label^="Reinstate trader"]') !== null`);
    expect(
      await page.evaluate(`[...document.querySelectorAll('[aria-label^="Reinstate"]')].every((each) => each.hidden)`),
    ).toBe(true);
  });

  test('works as it is built, with every name made short', async () => {
    const { page, net, east, ship } = await unlocked('observer', { built: true });
    await page.until(LIVE);
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    await page.until('document.querySelectorAll("#entries li").length >= 50');
    await page.evaluate('document.querySelector("#entries details").open = true');
    await page.until('document.querySelector("#entries pre").textContent.includes("prev_hash")');
    await page.evaluate('document.getElementById("pause").click()');
    east.log({ agent_id: AGENT, at: Date.now(), action: 'while_paused' });
    await ship(east, 194);
    await page.until('document.getElementById("fresh").textContent === "1 new"');
    await page.evaluate('document.getElementById("pause").click()');
    await page.until('document.querySelector("#entries li .action bdi").textContent === "while_paused"');
    await startRevoking(page, 'trader');
    await page.type('built');
    await page.press('Tab');
    await page.type(net.mesh.keys.operator.text);
    await page.press('Enter');
    await page.until('document.getElementById("revoke-result").textContent.startsWith("Revoked")');
    await page.evaluate('document.getElementById("lock").click()');
    expect(page.problems).toEqual([]);
  });

  test('says that it reconnects while the mesh is away, and goes on by itself', async () => {
    const { page, net, east } = await unlocked();
    await page.until(LIVE);
    await net.listening.close();
    await page.until('document.getElementById("state").textContent.startsWith("reconnecting")');
    const again = await network({ store: net.mesh.store }, net.listening.port);
    onTestFinished(() => again.close());
    const entries = east.log({ agent_id: AGENT, at: Date.now(), action: 'while_away' });
    expect((await again.post('verifier', '/v1/logs', { ...east.shipment(), entries })).status).toBe(200);
    await page.until(LIVE);
    await page.until('document.querySelector("#entries li .action bdi").textContent === "while_away"');
    expect(await page.evaluate('document.querySelectorAll("#entries .gap").length')).toBe(0);
  });

  test('follows the entries of a mesh that was away when the newest were asked for', async () => {
    const { page, net } = await scene();
    await page.evaluate(`{
      const fetched = window.fetch;
      window.away = true;
      window.fetch = (path, init) =>
        path === '/v1/logs?last=50' && window.away ? Promise.resolve(new Response('{}', { status: 503 })) : fetched(path, init);
    }`);
    await unlock(page, net.mesh.keys.observer.text);
    await page.until('document.getElementById("state").textContent.startsWith("reconnecting")');
    await page.evaluate('window.away = false');
    await page.until(LIVE);
    await page.until('document.querySelectorAll("#entries li").length >= 50');
  });

  test('goes on with the entries of a log that began anew', async () => {
    const { page, net } = await scene();
    await page.evaluate(`{
      const fetched = window.fetch;
      window.fetch = (path, init) => {
        const isFirst = path.startsWith('/v1/logs/stream') && window.anew === undefined;
        if (!isFirst) return fetched(path, init);
        window.anew = true;
        return Promise.resolve(new Response('{}', { status: 409 }));
      };
    }`);
    await unlock(page, net.mesh.keys.observer.text);
    await page.until(LIVE);
    await page.until('document.querySelectorAll("#entries .gap ~ li").length >= 50');
    expect(await text(page, '#entries .gap')).toBe('gap: the log began anew');
    await page.until('document.querySelector("#entries li").className !== "gap"');
  });

  test('says of when its figures are once the mesh is lost, and takes it back', async () => {
    const { page, net } = await unlocked();
    await page.until(LIVE);
    expect(await text(page, '#doubt')).toBe('');
    await net.listening.close();
    await page.until('document.getElementById("doubt").textContent !== ""');
    expect(await text(page, '#doubt')).toMatch(
      /^No answer of the mesh: what stands below is of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./,
    );
    const again = await network({ store: net.mesh.store }, net.listening.port);
    onTestFinished(() => again.close());
    await page.until('document.getElementById("doubt").textContent === ""');
    await page.until(LIVE);
    await page.evaluate('document.getElementById("lock").click()');
    expect(await text(page, '#doubt')).toBe('');
  });

  test('does not blame the mesh for figures that grew old while the page was hidden', async () => {
    const { page } = await unlocked();
    await page.evaluate(`{
      window.away = true;
      Object.defineProperty(document, 'hidden', { get: () => window.away });
    }`);
    await page.until('document.getElementById("doubt").textContent !== ""');
    expect(await text(page, '#doubt')).toMatch(
      /^Nothing was asked while this page was hidden: what stands below is of /,
    );
    await page.evaluate('{ window.away = false; document.dispatchEvent(new Event("visibilitychange")); }');
    await page.until('document.getElementById("doubt").textContent === ""');
  });

  test.each([
    ['sealed', `json.sealed_by_term = 7`, /sealed: the log goes on elsewhere, in term 7\./],
    ['without proof', `json.checkpoint = null`, /cannot prove now that its log is the newest/],
    ['failing', `return new Response('{}', { status: 503 })`, /^The mesh answers 503: what stands below is of /],
  ])('does not call itself live before a mesh that is %s', async (_, change, said) => {
    const { page } = await unlocked();
    await page.until(LIVE);
    await changeAnswers(page, '/v1/mesh/status', change);
    await page.until('document.getElementById("doubt").textContent !== ""');
    expect(await text(page, '#doubt')).toMatch(said);
    expect(await page.evaluate('document.getElementById("state").className')).toBe('status critical');
    expect(await text(page, '#state')).toBe('out of date');
  });

  test('reads entries page by page from a server that streams none, as in another region', async () => {
    const { page, net, east, ship } = await scene();
    await page.evaluate(`{
      const fetched = window.fetch;
      window.fetch = (path, init) =>
        path.startsWith('/v1/logs/stream') ? Promise.resolve(new Response('{}', { status: 404 })) : fetched(path, init);
    }`);
    await unlock(page, net.mesh.keys.observer.text);
    await page.until('document.querySelectorAll("#entries li").length >= 50');
    east.log({ agent_id: AGENT, at: Date.now(), action: 'of_another_region' });
    await ship(east, 194);
    await page.until('document.querySelector("#entries li .action bdi")?.textContent === "of_another_region"');
    await page.until(LIVE);
  });

  test('needs a reason', async () => {
    const { page, net } = await unlocked();
    await page.until('document.querySelectorAll("#agents tr").length >= 4');
    await startRevoking(page, 'trader');
    await page.press('Tab');
    await page.type(net.mesh.keys.operator.text);
    await page.press('Enter');
    expect(await page.evaluate('document.getElementById("reason").validity.valueMissing')).toBe(true);
    expect(await net.mesh.store.standing(OTHER)).toBeNull();
  });

  test.each([
    ['light', false],
    ['dark', true],
  ])('fits a phone, %s', async (name, dark) => {
    const { page } = await unlocked('observer', { width: 390, height: 844, dark });
    await page.until('document.querySelectorAll("#entries li").length >= 50');
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(
      await page.evaluate(
        '[...document.querySelectorAll("#agents button:not([hidden])")].every((b) => b.getBoundingClientRect().height >= 40)',
      ),
    ).toBe(true);
    await page.evaluate('document.querySelectorAll("#entries li:nth-child(n+8)").forEach((each) => each.remove())');
    await shot(page, `phone-${name}`);
    if (dark) expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 22, 29)');
    await startRevoking(page, 'trader');
    await shot(page, `phone-${name}-revoke`);
  });
});
