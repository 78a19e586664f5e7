import type { Kit } from './kit.js';

interface Connected {
  readonly verifier: string | null;
  /** What people call it. */
  readonly label: string | null;
  readonly key_id: string;
  readonly mode: string;
  readonly seq: number;
  readonly last_seen_ms: number;
}

interface ShippedLog {
  /** What people call the verifier. */
  readonly label: string;
  readonly seq: number;
  readonly last_shipped_ms: number;
}

interface Confirmed {
  readonly verifier: string;
  readonly label: string;
  readonly seq: number;
  readonly at: string;
}

interface Absent {
  readonly verifier: string;
  readonly label: string;
  readonly seq: number;
  readonly last_seen: string;
  readonly on_stale: string | null;
  readonly refuses_since: string | null;
}

interface Older {
  readonly verifier: string;
  readonly label: string;
}

interface Known {
  readonly label: string;
  mode: string;
  seq: number | null;
  heard: string;
  log: string;
  connected: boolean;
}

const MOST_ROWS = 200;

/** Who follows the mesh, how far behind its log they are, and how far their own logs have come. Returns the largest lag. */
export function verifiers(kit: Kit) {
  const { ago, byId, clean, count, el, say } = kit;
  /** Those who may still accept what was stopped come first. */
  const rank = ({ mode, connected }: Known): number => (mode.startsWith('absent') ? 0 : connected ? 1 : 2);

  return {
    show(status: Record<string, unknown>, logs: readonly ShippedLog[]): number {
      const head = Number(status['head']);
      const now = Date.parse(String(status['time']));
      const absent = status['absent'] as readonly Absent[];
      const unlisted = Number(status['more']) + Number(status['absent_total']) - absent.length;
      const known = new Map<string, Known>();
      // By its key: of two with one label, the one that listens must not hide the one that is absent.
      const at = (id: string, label: string): Known => {
        const found = known.get(id) ?? {
          label,
          mode: unlisted > 0 ? 'not told' : 'not connected',
          seq: null,
          heard: '',
          log: '',
          connected: false,
        };
        known.set(id, found);
        return found;
      };
      const keyless = new Map((status['older'] as readonly Older[]).map(({ verifier, label }) => [verifier, label]));
      for (const { verifier, label, seq, at: seen } of status['last_confirmed'] as readonly Confirmed[]) {
        Object.assign(at(verifier, label), { seq, heard: ago(now - Date.parse(seen)) });
      }
      for (const { verifier, label, seq, last_seen, on_stale, refuses_since } of absent) {
        const means =
          refuses_since !== null
            ? refuses_since <= String(status['time'])
              ? 'absent, refuses'
              : 'absent, will refuse'
            : on_stale === null
              ? 'absent, older version'
              : 'absent, may still accept';
        const id = keyless.get(verifier) ?? verifier;
        Object.assign(at(id, label), { mode: means, seq, heard: ago(now - Date.parse(last_seen)) });
      }
      for (const { verifier, label, key_id, mode, seq, last_seen_ms } of status['verifiers'] as readonly Connected[]) {
        const heard = mode === 'poll' ? ago(last_seen_ms) : 'connected';
        const name = label ?? verifier ?? `(no name) key ${key_id}`;
        Object.assign(at(verifier ?? name, name), { mode, seq, heard, connected: true });
      }
      // The one that shipped last comes first.
      for (const { label, seq, last_shipped_ms } of logs) {
        const [named, ...others] = [...known].filter(([, each]) => each.label === label);
        const id = named === undefined || others.length > 0 ? `log of ${label}` : named[0];
        at(id, label).log ||= `${count(seq, 'entry', 'entries')}, ${ago(last_shipped_ms)}`;
      }
      const behind = ({ seq }: Known): number | null => (seq === null ? null : Math.max(0, head - seq));
      const largest = Math.max(0, ...[...known.values()].map((each) => (each.connected ? (behind(each) ?? 0) : 0)));
      const rows = [...known]
        .sort(([, one], [, other]) => rank(one) - rank(other) || (one.label < other.label ? -1 : 1))
        .slice(0, MOST_ROWS)
        .map(([id, each]) => {
          const { label: name, mode, heard, log, connected } = each;
          const lag = behind(each);
          const isShared = [...known.values()].filter(({ label }) => label === name).length > 1;
          const title = el(
            'th',
            'who',
            el('bdi', 'name', clean(name)),
            ...(isShared ? [el('bdi', 'domain', clean(id))] : []),
          );
          title.setAttribute('scope', 'row');
          const cells: [string, string, string][] = [
            ['Connection', mode, connected ? 'ok' : mode.startsWith('absent') ? 'critical' : 'dim'],
            [
              'Lag',
              lag === null ? '–' : lag === 0 ? 'none' : `${lag} ${lag === 1 ? 'event' : 'events'}`,
              lag ? 'warning' : '',
            ],
            ['Heard', heard === '' ? '–' : heard, ''],
            ['Its log', log === '' ? '–' : log, ''],
          ];
          return el(
            'tr',
            '',
            title,
            ...cells.map(([label, text, look]) => {
              const made = el('td', look, text);
              made.setAttribute('data-label', label);
              return made;
            }),
          );
        });
      byId('verifiers').replaceChildren(...rows);
      byId('no-verifiers').hidden = rows.length > 0;
      const more = known.size - rows.length + unlisted;
      say(byId('more-verifiers'), more > 0 ? `${count(more, 'more is', 'more are')} not shown.` : '');
      return largest;
    },
  };
}
