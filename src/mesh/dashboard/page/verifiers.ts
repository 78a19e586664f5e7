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
  readonly label: string;
  readonly seq: number;
  readonly last_seen: string;
  readonly on_stale: string | null;
  readonly refuses_since: string | null;
}

interface Known {
  mode: string;
  seq: number | null;
  heard: string;
  log: string;
  connected: boolean;
}

/** Who follows the mesh, how far behind its log they are, and how far their own logs have come. Returns the largest lag. */
export function verifiers(kit: Kit) {
  const { ago, byId, clean, el, say } = kit;
  /** Those who may still accept what was stopped come first. */
  const rank = ({ mode, connected }: Known): number => (mode.startsWith('absent') ? 0 : connected ? 1 : 2);

  return {
    show(status: Record<string, unknown>, logs: readonly ShippedLog[]): number {
      const head = Number(status['head']);
      const now = Date.parse(String(status['time']));
      const known = new Map<string, Known>();
      const at = (name: string): Known => {
        const found = known.get(name) ?? { mode: 'not connected', seq: null, heard: '', log: '', connected: false };
        known.set(name, found);
        return found;
      };
      for (const { label, seq, at: seen } of status['last_confirmed'] as readonly Confirmed[]) {
        Object.assign(at(label), { seq, heard: ago(now - Date.parse(seen)) });
      }
      for (const { label, seq, last_seen, on_stale, refuses_since } of status['absent'] as readonly Absent[]) {
        const means =
          refuses_since !== null
            ? refuses_since <= String(status['time'])
              ? 'absent, refuses'
              : 'absent, will refuse'
            : on_stale === null
              ? 'absent, older version'
              : 'absent, may still accept';
        Object.assign(at(label), { mode: means, seq, heard: ago(now - Date.parse(last_seen)) });
      }
      for (const { verifier, label, key_id, mode, seq, last_seen_ms } of status['verifiers'] as readonly Connected[]) {
        const heard = mode === 'poll' ? ago(last_seen_ms) : 'connected';
        Object.assign(at(label ?? verifier ?? `(no name) key ${key_id}`), { mode, seq, heard, connected: true });
      }
      // The one that shipped last comes first.
      for (const { label, seq, last_shipped_ms } of logs) at(label).log ||= `${seq} entries, ${ago(last_shipped_ms)}`;
      let largest = 0;
      const rows = [...known]
        .sort(([a, one], [b, other]) => rank(one) - rank(other) || (a < b ? -1 : 1))
        .slice(0, 200)
        .map(([name, { mode, seq, heard, log, connected }]) => {
          const lag = seq === null ? null : Math.max(0, head - seq);
          if (connected && lag !== null) largest = Math.max(largest, lag);
          const title = el('th', 'who', el('bdi', 'name', clean(name)));
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
      say(byId('more-verifiers'), Number(status['more']) > 0 ? `${status['more']} more are connected.` : '');
      return largest;
    },
  };
}
