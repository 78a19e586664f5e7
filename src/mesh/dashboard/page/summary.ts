import type { Kit } from './kit.js';

type Answer = Readonly<Record<string, unknown>>;

interface Totals {
  readonly agents: number;
  readonly stopped: number;
  readonly accepted: number;
  readonly refused: number;
}

/** A subject whose stop holds for more than one agent, or for one key. */
interface Above {
  readonly subject: string;
  readonly key_of?: string | null;
  readonly status: string;
  readonly reason: string | null;
}

/** What stands above the table of agents: the figures of the mesh, and what is stopped beyond one agent. */
export function summary({ ago, byId, clean, count, el, percent, say }: Kit) {
  const tile = (id: string, figure: string, beside: string, text: string): void => {
    say(byId(id), figure);
    say(byId(beside), text);
  };

  /** Of the whole fleet: the list is what was looked for, and its first page. A home of an earlier version does not count it. */
  const agents = ({ agents: all, stopped, accepted, refused }: Totals): void => {
    tile('t-agents', String(all), 't-stopped', stopped === 0 ? 'none stopped' : `${stopped} stopped`);
    const day = accepted + refused;
    tile('t-day', String(day), 't-rate', day === 0 ? 'nothing logged' : `${percent(refused / day)} refused`);
  };

  const verifiers = (status: Answer, lag: number): void => {
    const absent = Number(status['absent_total']);
    const roster = Number(status['roster']);
    const connected = Number(status['connected']);
    const behind = roster + connected === 0 ? 'aip mesh follow' : lag === 0 ? 'no lag' : `up to ${lag} behind`;
    tile(
      't-verifiers',
      roster === 0 ? String(connected) : `${roster - absent} of ${roster}`,
      't-lag',
      absent > 0 ? `${absent} absent` : behind,
    );
  };

  const drill = (status: Answer): void => {
    const last = status['last_drill'] as { at: string; p99_ms: number | null; can_halt: string } | null;
    if (last === null) return tile('t-drill', 'never', 't-drilled', 'aip mesh drill');
    const when = ago(Date.parse(String(status['time'])) - Date.parse(last.at));
    tile('t-drill', clean(last.can_halt, 10), 't-drilled', `can halt; p99 ${last.p99_ms ?? '–'} ms, ${when}`);
  };

  const what = ({ subject, key_of }: Above): string => {
    if (subject === '*') return 'The whole mesh';
    const isKey = subject.startsWith('ed25519:') || subject.includes('#key-');
    if (!isKey) return `Every agent of ${clean(subject)}`;
    return `The key ${key_of ? `${clean(key_of)}, ` : ''}${clean(subject)}`;
  };

  /** Within an alert: what did not change must not be read out again. */
  let alerted = '';
  const above = (list: readonly Above[]): void => {
    const lines = list.map(
      (each) => `${what(each)} is ${each.status.toUpperCase()}: ${clean(each.reason ?? 'no reason given')}`,
    );
    if (lines.join('\n') === alerted) return;
    alerted = lines.join('\n');
    byId('above').replaceChildren(...lines.map((line) => el('li', '', line)));
  };

  return {
    /** The answers of `fleet` and `status`; `lag` is how many events the slowest verifier is behind. */
    show(fleet: Answer, status: Answer, lag: number): void {
      if (fleet['totals'] !== undefined) agents(fleet['totals'] as Totals);
      verifiers(status, lag);
      drill(status);
      tile(
        't-head',
        String(status['head']),
        't-entries',
        `${count(Number(fleet['entries']), 'entry', 'entries')} shipped`,
      );
      above(fleet['above'] as readonly Above[]);
    },
    clear(): void {
      above([]);
    },
  };
}
