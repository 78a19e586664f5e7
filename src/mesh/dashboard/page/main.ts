import { agents, type AgentRow } from './agents.js';
import { backoff } from '../../../protocol/backoff.js';
import type { PageWindow } from './browser.js';
import { calls } from './calls.js';
import { freshness } from './freshness.js';
import { inbox } from './inbox.js';
import { kit as kitOf } from './kit.js';
import { live } from './live.js';
import { revoke } from './revoke.js';
import { summary } from './summary.js';
import { verifiers } from './verifiers.js';

/** Keys live in these variables only: closing or locking the page forgets them. */
export function runPage(window: PageWindow): void {
  const { document } = window;
  const kit = kitOf(window);
  const { byId, say } = kit;
  const mesh = calls(window);
  const dialog = revoke(kit, mesh, () => void refresh());
  const table = agents(window, kit, (agentId, action) => dialog.open(agentId, action));
  const feed = live(window, kit);
  const crowd = verifiers(kit);
  const figures = summary(kit);
  const fresh = freshness(window, kit);
  const waiting = inbox(window, kit, mesh, () => key);

  let key = '';
  /** Changes when the page is locked: what was asked for with an earlier key is then ignored. */
  let session = new AbortController();
  let timer: number | null = null;

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
    figures.clear();
    fresh.clear();
    byId('open').hidden = true;
    byId('gate').hidden = false;
    byId('lock').hidden = true;
    fresh.stream('locked', 'dim');
    say(byId('gate-problem'), why);
    byId('key').focus();
  };

  /** Of the answers on the page: one that was asked for before them says less than they do. */
  let [turns, shown] = [0, 0];
  const refresh = async (): Promise<number> => {
    const { signal } = session;
    const turn = ++turns;
    const find = encodeURIComponent(byId('find').value.trim());
    const [fleet, status, asked] = await Promise.all([
      mesh.ask(`/v1/mesh/fleet?find=${find}`, key),
      mesh.ask('/v1/mesh/status', key),
      mesh.ask('/v1/mesh/approvals', key),
    ]);
    if (signal.aborted || turn < shown) return 200;
    shown = turn;
    const bad = [fleet.status, status.status].find((each) => each !== 200);
    if (bad !== undefined) {
      if (bad === 401) lock(problem(401));
      else if (!byId('open').hidden) fresh.lost(bad);
      return bad;
    }
    if (asked.status === 200) waiting.show(asked.json['requests'] as never, asked.json['next'] !== null);
    else waiting.unknown();
    table.show(fleet.json['agents'] as readonly AgentRow[], Number(fleet.json['more']));
    const lag = crowd.show(status.json, fleet.json['logs'] as never);
    dialog.needSignature(status.json['require_signed_commands'] === true);
    figures.show(fleet.json, status.json, lag);
    fresh.heard(status.json);
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
    let failures = 0;
    /** The place to continue from; empty until the mesh has told the newest entries. */
    let after = '';
    const start = async (): Promise<number> => {
      const { status, json } = await mesh.ask('/v1/logs?last=50', key);
      if (signal.aborted || status !== 200) return status;
      after = String(json['next']);
      for (const entry of json['entries'] as readonly Record<string, unknown>[]) feed.show(entry);
      return status;
    };
    const stream = (): Promise<number> =>
      mesh.follow(
        key,
        {
          after,
          open: () => {
            failures = 0;
            fresh.stream('live', 'ok');
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
    while (!signal.aborted) {
      let ended = after === '' ? await start() : 200;
      if (after !== '') ended = await stream();
      if (signal.aborted) return;
      if (ended === 401) return lock('This key is not accepted any more.');
      // A server in another region streams no entries, and passes on to home who asks for them.
      if (ended === 404) {
        const { status: told, json: page } = await mesh.ask(`/v1/logs?after=${encodeURIComponent(after)}&wait=8s`, key);
        if (signal.aborted) return;
        if (told === 200) {
          failures = 0;
          fresh.stream('live', 'ok');
          after = String(page['next']);
          for (const entry of page['entries'] as readonly Record<string, unknown>[]) feed.show(entry);
          // Of a busy fleet each answer comes at once.
          await wait(250);
          continue;
        }
        ended = told;
      }
      // Another mesh answers here, or an older copy of this one: its log begins anew for this page.
      if (ended === 409) {
        after = '';
        feed.gap(null);
      }
      failures += 1;
      const ms = Math.round(backoff(failures, Math.random(), { firstMs: 250, mostMs: 10_000 })) + 100;
      fresh.stream(`reconnecting in ${Math.ceil(ms / 1000)} s`, 'warning');
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
    fresh.stream('connecting', 'dim');
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

/** Why the mesh did not let the page in; 0 where it did not answer. */
function problem(status: number): string {
  if (status === 0) return 'The mesh did not answer.';
  if (status === 401) return 'This key is not accepted.';
  if (status === 429) return 'Too many wrong keys from this address; wait a moment.';
  return `The mesh answered ${status}.`;
}
