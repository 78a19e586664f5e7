import type { Elem, PageWindow } from './browser.js';
import type { Kit } from './kit.js';

/** What a row offers to order. */
export type PageAction = 'revoke' | 'suspend' | 'reinstate';

/** An agent as its row shows it. */
export interface AgentRow {
  readonly agent_id: string;
  readonly revocable: boolean;
  readonly status: string;
  readonly reason: string | null;
  readonly status_of: string;
  readonly successful: number;
  readonly failed: number;
  readonly unattributed: number;
  /** How accepted actions ended; `unknown` without a final word so far. */
  readonly outcomes: { readonly ok: number; readonly error: number; readonly unknown: number };
  readonly failure_rate: number | null;
  /** Of its published passport. */
  readonly serial: number | null;
  readonly trust_score: number | null;
  readonly trust_meaningful: boolean;
  readonly last_at: string | null;
  readonly hours: readonly (readonly [number, number])[];
}

/** The table of agents. Rows are kept and changed in place, so that the keyboard's focus stays on its button. */
export function agents({ document }: PageWindow, kit: Kit, onOrder: (agentId: string, action: PageAction) => void) {
  const { bars, byId, clean, count, el, nameOf, percent, say } = kit;
  const body = byId('agents');
  const rows = new Map<string, { row: Elem; update: (agent: AgentRow) => void }>();
  /** Operators and verifiers may not reinstate; an observer may have an admin key to type. */
  let mayReinstate = true;

  const cell = (label: string, className: string, ...children: readonly Elem[]): Elem => {
    const made = el('td', className, ...children);
    made.setAttribute('data-label', label);
    return made;
  };

  const make = (id: string) => {
    const { name, domain } = nameOf(id);
    const word = el('span', 'status');
    const why = el('span', 'why');
    const number = el('b', '');
    const bar = el('span', 'meter');
    const few = el('span', 'few');
    const rate = el('b', '');
    const share = el('span', 'few');
    const ended = el('span', 'few');
    const chart = el('span', 'chart');
    const button = (action: PageAction, look: string, text: string): Elem => {
      const made = el('button', look, text);
      made.setAttribute('type', 'button');
      made.setAttribute('aria-label', `${text} ${name}${domain === '' ? '' : ` of ${domain}`}`);
      made.addEventListener('click', () => onOrder(id, action));
      return made;
    };
    const revoke = button('revoke', 'danger small', 'Revoke');
    const suspend = button('suspend', 'quiet', 'Suspend');
    const reinstate = button('reinstate', 'quiet', 'Reinstate');
    const issued = el('span', 'few');
    const title = el('th', 'who', el('bdi', 'name', name), el('bdi', 'domain', domain), issued);
    title.setAttribute('scope', 'row');
    title.setAttribute('title', clean(id, 600));
    const row = el(
      'tr',
      '',
      title,
      cell('Status', 'state', word, why),
      cell('Trust', 'trust', number, bar, few),
      cell('Failure rate', 'rate', rate, share, ended),
      cell('24 hours', 'day', chart),
      el('td', 'act', el('span', 'acts', revoke, suspend, reinstate)),
    );
    let drawn = '';
    const update = (agent: AgentRow): void => {
      const { status, reason, successful, failed, trust_score: trust, failure_rate: failures } = agent;
      say(word, !agent.revocable ? 'no agent id' : status === 'active' ? 'active' : status.toUpperCase());
      word.className = !agent.revocable
        ? 'status dim'
        : `status ${status === 'active' ? 'ok' : status === 'suspended' ? 'warning' : 'critical'}`;
      const whose =
        agent.status_of === agent.agent_id ? '' : agent.status_of === '*' ? 'everyone: ' : 'its principal: ';
      say(why, reason === null ? '' : `${whose}${clean(reason)}`);
      say(number, trust === null ? '–' : trust.toFixed(2));
      number.className =
        !agent.trust_meaningful || trust === null ? 'dim' : trust < 0.5 ? 'critical' : trust < 0.7 ? 'warning' : '';
      bar.className = `meter ${number.className}`;
      bar.hidden = trust === null;
      bar.style.setProperty('--v', `${(trust ?? 0) * 100}%`);
      say(few, trust !== null && !agent.trust_meaningful ? 'too few to tell' : '');
      say(rate, percent(failures));
      rate.className = failures !== null && failures > 0.1 ? 'critical' : '';
      const strangers = agent.unattributed === 0 ? '' : `, ${agent.unattributed} unattributed`;
      say(share, successful + failed === 0 ? strangers.slice(2) : `${failed} of ${successful + failed}${strangers}`);
      const { ok, error, unknown } = agent.outcomes;
      say(ended, successful === 0 ? '' : `ended: ${ok} ok, ${error} error, ${unknown} unknown`);
      const hours = JSON.stringify(agent.hours);
      if (hours !== drawn) chart.replaceChildren(...(agent.hours.length === 0 ? [] : [bars(agent.hours)]));
      drawn = hours;
      say(issued, agent.serial === null ? '' : `passport ${agent.serial}`);
      revoke.hidden = status === 'revoked' || !agent.revocable;
      suspend.hidden = status !== 'active' || !agent.revocable;
      // What its principal or everyone is denied is lifted there.
      reinstate.hidden = status === 'active' || agent.status_of !== agent.agent_id || !mayReinstate;
      row.className = status === 'active' ? '' : 'stopped';
    };
    return { row, update };
  };

  return {
    /** What the key that opened the page may ask for. */
    offer(role: string): void {
      mayReinstate = role === 'admin' || role === 'observer';
    },
    show(list: readonly AgentRow[], more: number): void {
      const held = document.activeElement;
      const order = list.map((agent) => {
        const known = rows.get(agent.agent_id) ?? make(agent.agent_id);
        rows.set(agent.agent_id, known);
        known.update(agent);
        return known.row;
      });
      for (const id of rows.keys()) if (!list.some((agent) => agent.agent_id === id)) rows.delete(id);
      const present = Array.from(body.children);
      if (present.length !== order.length || order.some((row, i) => row !== present[i])) {
        const inside = body.contains(held);
        body.replaceChildren(...order);
        if (inside && body.contains(held)) held?.focus();
      }
      byId('no-agents').hidden = list.length > 0;
      say(
        byId('more-agents'),
        more === 0 ? '' : `${count(more, 'more agent is', 'more agents are')} not shown: find by name.`,
      );
    },
    clear(): void {
      rows.clear();
      body.replaceChildren();
    },
  };
}
