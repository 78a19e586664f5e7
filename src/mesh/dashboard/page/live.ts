import { tellsRevocation } from '../../../protocol/log/told.js';
import type { Elem, PageWindow } from './browser.js';
import type { Kit } from './kit.js';

type Entry = Readonly<Record<string, unknown>>;

/** The live entries, newest first. */
export function live(window: PageWindow, kit: Kit) {
  const { byId, clean, el, nameOf, say } = kit;
  const most = 200;
  const list = byId('entries');
  const pause = byId('pause');
  const fresh = byId('fresh');
  let queue: Elem[] = [];
  let dropped = 0;
  let paused = false;
  let timer: number | null = null;

  const gap = (count: number | null): Elem =>
    el(
      'li',
      'gap',
      count === null ? 'gap: the log began anew' : `gap of ${count} ${count === 1 ? 'entry' : 'entries'}`,
    );

  const flush = (): void => {
    timer = null;
    if (paused) return say(fresh, queue.length + dropped === 0 ? '' : `${queue.length + dropped} new`);
    say(fresh, '');
    if (dropped > 0) queue.unshift(gap(dropped));
    list.prepend(...queue.reverse());
    queue = [];
    dropped = 0;
    while (list.childElementCount > most) list.lastElementChild?.remove();
    byId('no-entries').hidden = list.childElementCount > 0;
  };

  const add = (item: Elem): void => {
    queue.push(item);
    if (queue.length > most) {
      queue.shift();
      dropped += 1;
    }
    // In batches: a thousand entries a second must not become a thousand layouts.
    timer ??= window.setTimeout(flush, 80);
  };

  /** In UTC; of another day than today with month and day, or the last refusal of a quiet week would read as one of now. */
  const clock = (stamp: string): string => {
    const at = Date.parse(stamp);
    if (Number.isNaN(at)) return '';
    const utc = new Date(at).toISOString();
    const day = utc.slice(0, 10) === new Date().toISOString().slice(0, 10) ? '' : `${utc.slice(5, 10)} `;
    return `${day}${utc.slice(11, 19)}`;
  };

  const isDecision = (entry: Entry): boolean => (entry['type'] ?? 'verification') === 'verification';

  const verdict = (entry: Entry): [string, string] => {
    // What became of a decision is no decision, and an outcome must not look like a refusal.
    if (!isDecision(entry)) return [clean(entry['type'], 12), 'other'];
    if (entry['status'] === 'success') return ['ok', 'ok'];
    if (entry['observed'] === true) return ['OBSERVED', 'other'];
    return [tellsRevocation(entry) ? 'REVOKED' : 'REFUSED', 'bad'];
  };

  const subject = (entry: Entry): string => {
    if (isDecision(entry)) return clean(entry['action'] ?? 'no action', 80);
    if (entry['type'] !== 'outcome') return '';
    const whose = entry['claimed'] === false ? '' : ', claimed';
    return `${clean(entry['status'], 8)}: entry ${clean(entry['of'], 16)}${whose}`;
  };

  const item = (entry: Entry): Elem => {
    const [word, look] = verdict(entry);
    const stamp = clean(entry['timestamp'], 40);
    const time = el('time', '', clock(stamp));
    time.setAttribute('title', stamp);
    const { name, domain } = nameOf(String(entry['agent_id']));
    const code =
      !isDecision(entry) || entry['error_code'] === null
        ? ''
        : `${clean(entry['error_code'], 40)} ${clean(entry['error_message'] ?? '', 120)}`;
    const summary = el(
      'summary',
      '',
      time,
      el('span', `word ${look}`, word),
      el('bdi', 'agent', name),
      el('span', 'action', el('bdi', '', subject(entry)), ...(domain === '' ? [] : [' · ', el('bdi', '', domain)])),
      el('bdi', 'code', code),
    );
    const body = el('pre', '');
    const details = el('details', '', summary, body);
    details.addEventListener('toggle', () => {
      if (details.open && body.textContent === '') body.textContent = pretty(entry);
    });
    return el('li', look, details);
  };

  const pretty = (entry: Entry): string =>
    JSON.stringify(entry, null, 2)
      .split('\n')
      .map((line) => clean(line, 600))
      .join('\n');

  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    flush();
  });
  byId('only-failed').addEventListener('change', () => {
    list.className = byId('only-failed').checked ? 'entries only-failed' : 'entries';
  });

  return {
    entry(text: string): void {
      try {
        add(item(JSON.parse(text) as Entry));
      } catch {
        add(gap(1));
      }
    },
    show(entry: Entry): void {
      add(item(entry));
    },
    gap(count: number | null): void {
      add(gap(count));
    },
    clear(): void {
      queue = [];
      dropped = 0;
      list.replaceChildren();
    },
  };
}
