import type { Kit } from './kit.js';

interface Connected {
  readonly verifier: string | null;
  readonly key_id: string;
  readonly mode: string;
  readonly seq: number;
  readonly last_seen_ms: number;
}

interface ShippedLog {
  readonly verifier: string;
  readonly seq: number;
  readonly last_shipped_ms: number;
}

interface Confirmed {
  readonly verifier: string;
  readonly seq: number;
  readonly at: string;
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
      for (const { verifier, seq, at: seen } of status['last_confirmed'] as readonly Confirmed[]) {
        Object.assign(at(verifier), { seq, heard: ago(now - Date.parse(seen)) });
      }
      for (const { verifier, key_id, mode, seq, last_seen_ms } of status['verifiers'] as readonly Connected[]) {
        const heard = mode === 'poll' ? ago(last_seen_ms) : 'connected';
        Object.assign(at(verifier ?? `(no name) key ${key_id}`), { mode, seq, heard, connected: true });
      }
      for (const { verifier, seq, last_shipped_ms } of logs) {
        at(verifier).log = `${seq} entries, ${ago(last_shipped_ms)}`;
      }
      let largest = 0;
      const rows = [...known]
        .sort(([a, one], [b, other]) => Number(other.connected) - Number(one.connected) || (a < b ? -1 : 1))
        .slice(0, 200)
        .map(([name, { mode, seq, heard, log, connected }]) => {
          const lag = seq === null ? null : Math.max(0, head - seq);
          if (connected && lag !== null) largest = Math.max(largest, lag);
          const title = el('th', 'who', el('bdi', 'name', clean(name)));
          title.setAttribute('scope', 'row');
          const cells: [string, string, string][] = [
            ['Connection', mode === 'not connected' ? mode : `${mode}`, connected ? 'ok' : 'dim'],
            [
              'Lag',
              lag === null ? '–' : lag === 0 ? 'none' : `${lag} ${lag === 1 ? 'event' : 'events'}`,
              lag ? 'warning' : '',
            ],
            ['Heard', heard === '' ? '–' : heard, ''],
            ['Own log', log === '' ? '–' : log, ''],
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
