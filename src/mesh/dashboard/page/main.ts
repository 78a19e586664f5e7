import { agents, type AgentRow } from './agents.js';
import { backoff } from '../../../protocol/backoff.js';
import type { PageWindow } from './browser.js';
import { calls } from './calls.js';
import { inbox } from './inbox.js';
import { kit as kitOf } from './kit.js';
import { live } from './live.js';
import { revoke } from './revoke.js';
import { verifiers } from './verifiers.js';

/** Keys live in these variables only: closing or locking the page forgets them. */
export function runPage(window: PageWindow): void {
  const { document } = window;
  const kit = kitOf(window);
  const { byId, clean, el, percent, say } = kit;
  const mesh = calls(window);
  const dialog = revoke(kit, mesh, () => void refresh());
  const table = agents(window, kit, (agentId, action) => dialog.open(agentId, action));
  const feed = live(window, kit);
  const crowd = verifiers(kit);
  const waiting = inbox(window, kit, mesh, () => key);

  let key = '';
  /** Changes when the page is locked: what was asked for with an earlier key is then ignored. */
  let session = new AbortController();
  let timer: number | null = null;

  const state = (text: string, look: string): void => {
    byId('state').className = `status ${look}`;
    say(byId('state'), text);
  };

  const lock = (why: string): void => {
    session.abort();
    session = new AbortController();
    key = '';
    if (timer !== null) window.clearTimeout(timer);
    dialog.forget();
    table.clear();
    waiting.clear();
    feed.clear();
    byId('verifiers').replaceChildren();
    byId('above').replaceChildren();
    byId('open').hidden = true;
    byId('gate').hidden = false;
    byId('lock').hidden = true;
    state('locked', 'dim');
    say(byId('gate-problem'), why);
    byId('key').focus();
  };

  const problem = (status: number): string =>
    status === 0
      ? 'The mesh did not answer.'
      : status === 401
        ? 'This key is not accepted.'
        : status === 429
          ? 'Too many wrong keys from this address; wait a moment.'
          : `The mesh answered ${status}.`;

  const refresh = async (): Promise<number> => {
    const { signal } = session;
    const find = encodeURIComponent(byId('find').value.trim());
    const [fleet, status, asked] = await Promise.all([
      mesh.ask(`/v1/mesh/fleet?find=${find}`, key),
      mesh.ask('/v1/mesh/status', key),
      mesh.ask('/v1/mesh/approvals', key),
    ]);
    if (signal.aborted) return 200;
    const bad = [fleet.status, status.status].find((each) => each !== 200);
    if (bad !== undefined) {
      if (bad === 401) lock(problem(401));
      return bad;
    }
    if (asked.status === 200) waiting.show(asked.json['requests'] as never);
    const list = fleet.json['agents'] as readonly AgentRow[];
    table.show(list, Number(fleet.json['more']));
    const lag = crowd.show(status.json, fleet.json['logs'] as never);
    dialog.needSignature(status.json['require_signed_commands'] === true);
    let [accepted, refused] = [0, 0];
    for (const { hours } of list) {
      for (const [ok, not] of hours) {
        accepted += ok;
        refused += not;
      }
    }
    const stopped = list.filter((agent) => agent.status !== 'active').length;
    const total = list.length + Number(fleet.json['more']);
    say(byId('t-agents'), String(total));
    say(byId('t-stopped'), stopped === 0 ? 'none stopped' : `${stopped} stopped`);
    say(byId('t-day'), String(accepted + refused));
    say(
      byId('t-rate'),
      accepted + refused === 0 ? 'nothing logged' : `${percent(refused / (accepted + refused))} refused`,
    );
    const absent = (status.json['absent'] as readonly unknown[]).length;
    const roster = Number(status.json['roster']);
    say(byId('t-verifiers'), roster === 0 ? String(status.json['connected']) : `${roster - absent} of ${roster}`);
    say(byId('t-lag'), absent > 0 ? `${absent} absent` : lag === 0 ? 'no lag' : `up to ${lag} behind`);
    const drill = status.json['last_drill'] as { at: string; p99_ms: number | null; can_halt: string } | null;
    say(byId('t-drill'), drill === null ? 'never' : clean(drill.can_halt, 10));
    say(
      byId('t-drilled'),
      drill === null
        ? 'aip mesh drill'
        : `can halt; p99 ${drill.p99_ms ?? '–'} ms, ${kit.ago(Date.parse(String(status.json['time'])) - Date.parse(drill.at))}`,
    );
    say(byId('t-head'), String(status.json['head']));
    say(byId('t-entries'), `${String(fleet.json['entries'])} entries shipped`);
    const above = fleet.json['above'] as readonly {
      subject: string;
      key_of?: string | null;
      status: string;
      reason: string | null;
    }[];
    byId('above').replaceChildren(
      ...above.map(({ subject, key_of, status: word, reason }) => {
        const isKey = subject.startsWith('ed25519:') || subject.includes('#key-');
        const what =
          subject === '*'
            ? 'The whole mesh'
            : isKey
              ? `The key ${key_of ? `${clean(key_of)}, ` : ''}${clean(subject)}`
              : `Every agent of ${clean(subject)}`;
        return el('li', '', `${what} is ${word.toUpperCase()}: ${clean(reason ?? 'no reason given')}`);
      }),
    );
    return 200;
  };

  const poll = async (): Promise<void> => {
    const { signal } = session;
    if (!document.hidden) await refresh();
    if (!signal.aborted) timer = window.setTimeout(() => void poll(), 3_000);
  };

  const follow = async (): Promise<void> => {
    const { signal } = session;
    const wait = (ms: number) => new Promise<void>((resolve) => void window.setTimeout(resolve, ms));
    const { status, json } = await mesh.ask('/v1/logs?last=50', key);
    if (signal.aborted) return;
    let after = String(json['next'] ?? '');
    if (status === 200) for (const entry of json['entries'] as readonly Record<string, unknown>[]) feed.show(entry);
    for (let failures = 0; !signal.aborted;) {
      const ended = await mesh.follow(
        key,
        {
          after,
          open: () => {
            failures = 0;
            state('live', 'ok');
          },
          frame: (event, id, data) => {
            if (signal.aborted) return;
            if (id !== null) after = id;
            if (event === 'entry') feed.entry(data);
            else if (event === 'gap') {
              const { from, to } = JSON.parse(data) as { from: number; to: number };
              feed.gap(to - from + 1);
            }
          },
        },
        signal,
      );
      if (signal.aborted) return;
      if (ended === 401) return lock('This key is not accepted any more.');
      // Another mesh answers here, or an older copy of this one: its log begins anew for this page.
      if (ended === 409) {
        const { json: now } = await mesh.ask('/v1/logs?last=50', key);
        after = String(now['next'] ?? '');
        feed.gap(null);
      }
      failures += 1;
      const ms = Math.round(backoff(failures, Math.random(), { firstMs: 250, mostMs: 10_000 })) + 100;
      state(`reconnecting in ${Math.ceil(ms / 1000)} s`, 'warning');
      await wait(ms);
    }
  };

  byId('gate-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = byId('key').value.trim();
    if (typed === '') return;
    key = typed;
    byId('key').value = '';
    // aipm_<role>_<id>_<secret>: what is offered goes by the role, what is done by what the mesh says.
    const role = key.split('_')[1] ?? '';
    table.offer(role);
    dialog.own(role === 'operator' || role === 'admin' ? key : '');
    say(byId('gate-problem'), '');
    state('connecting', 'dim');
    const { signal } = session;
    void refresh().then((status) => {
      if (signal.aborted) return;
      if (status !== 200) return lock(problem(status));
      byId('gate').hidden = true;
      byId('open').hidden = false;
      byId('lock').hidden = false;
      byId('agents-title').focus();
      timer = window.setTimeout(() => void poll(), 3_000);
      void follow();
    });
  });
  byId('lock').addEventListener('click', () => lock(''));
  byId('revoke-other').addEventListener('click', () => dialog.open(null, 'revoke'));
  byId('find').addEventListener('input', () => void refresh());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && key !== '') void refresh();
  });
  byId('key').focus();
}
