import type { PageAction } from './agents.js';
import type { Calls, PageReply } from './calls.js';
import type { Kit } from './kit.js';

/** The dialog that stops an agent, or lets it act again. The operator's key is typed into it, and forgotten with it unless the operator says otherwise. */
export function revoke(kit: Kit, { ask, newId }: Calls, onDone: () => void) {
  const { byId, clean, count, say } = kit;
  const dialog = byId('revoke');
  const form = byId('revoke-form');
  const [agent, reason, key, keep] = [byId('revoke-agent'), byId('reason'), byId('operator-key'), byId('keep-key')];
  const [confirm, result] = [byId('revoke-confirm'), byId('revoke-result')];
  const [what, whole] = [byId('what'), byId('revoke-whole')];
  /** The whole id, wrapped: what the field cuts off may be what tells two agents apart. */
  const showWhole = (): void => say(whole, clean(agent.value.trim(), 1_000));
  const WORDS: Readonly<Record<string, string>> = { revoke: 'Revoke', suspend: 'Suspend', reinstate: 'Reinstate' };
  const MEANS: Readonly<Record<string, string>> = {
    revoke: 'Every verifier of this mesh refuses it from now on. Letting it act again takes an admin key.',
    suspend: 'Every verifier of this mesh refuses it for an hour from now. Letting it act sooner takes an admin key.',
    reinstate: 'Every verifier of this mesh lets it act again. This takes an admin key.',
  };
  const lifts = (): boolean => what.value === 'reinstate';
  /** The dialog says what the chosen order does, and whose key it takes. */
  const choose = (): void => {
    say(confirm, WORDS[what.value] ?? 'Send');
    confirm.className = lifts() ? 'primary' : 'solid';
    say(byId('revoke-means'), MEANS[what.value] ?? '');
    say(byId('key-name'), lifts() ? 'Admin key' : 'Operator key');
    key.setAttribute('placeholder', lifts() ? 'aipm_admin_…' : 'aipm_operator_…');
    reason.setAttribute(
      'placeholder',
      lifts() ? 'Why may it act again?' : 'What happened? Whoever finds the agent stopped reads this.',
    );
  };
  let kept = '';
  /** The key that opened the page, where it may give orders. */
  let opener = '';
  let signed = false;
  /** The same command, sent again because no answer came, is carried out once. */
  let sent = { text: '', id: '' };

  const tell = (text: string, look: string): void => {
    result.className = `result ${look}`;
    say(result, text);
  };

  const close = (): void => {
    key.value = '';
    dialog.close();
  };

  const refusal = ({ status, json }: PageReply): string => {
    const unchanged = ' Nothing was changed.';
    if (status === 0)
      return 'The mesh did not answer, so it is not known whether this was carried out. Send it again: it happens once.';
    if (status === 401) return `The operator key is not accepted.${unchanged}`;
    if (json['code'] === 'FORBIDDEN')
      return `This takes an ${lifts() ? 'admin key; the one given may stop agents or read, not let them act again' : 'operator key; the one given may only read'}.${unchanged}`;
    return `${clean(json['message'] ?? `The mesh answered ${status}.`)}${status < 500 ? unchanged : ''}`;
  };

  const send = async (): Promise<void> => {
    const typed = key.value.trim() || kept || opener;
    if (typed === '') return tell(`Type an ${lifts() ? 'admin' : 'operator'} key.`, 'critical');
    const action = what.value;
    const text = `${action}\n${agent.value.trim()}\n${reason.value.trim()}`;
    if (sent.text !== text) sent = { text, id: newId() };
    confirm.disabled = true;
    tell('Sending…', '');
    let version: unknown;
    if (action === 'reinstate') {
      const now = await ask(`/v1/mesh/status/${encodeURIComponent(agent.value.trim())}`, typed);
      if (now.status !== 200) {
        confirm.disabled = false;
        return tell(refusal(now), 'critical');
      }
      version = now.json['version'];
    }
    const told = await ask('/v1/mesh/commands?wait=2s', typed, {
      cmd_id: sent.id,
      action,
      ...(action === 'suspend' ? { duration_seconds: 3_600 } : {}),
      ...(action === 'reinstate' ? { version } : {}),
      agent_id: agent.value.trim(),
      reason: reason.value.trim(),
    });
    if (told.status !== 200) {
      confirm.disabled = false;
      return tell(refusal(told), 'critical');
    }
    kept = keep.checked ? typed : '';
    key.value = '';
    sent = { text: '', id: '' };
    const { propagated_to: reached, connected, roster, propagation_ms: ms, changed, status, absent } = told.json;
    const all = Math.max(Number(roster), Number(reached));
    const missed = (absent as readonly { label: string }[]).slice(0, 3).map(({ label }) => clean(label, 80));
    const away = missed.length === 0 ? '' : `; absent: ${missed.join(', ')}`;
    const spread =
      Number(connected) === 0 && Number(roster) === 0
        ? 'no verifier is connected'
        : `${reached} of ${count(all === 0 ? Number(connected) : all, 'verifier has', 'verifiers have')} it${ms === null ? '' : `, after ${Math.round(Number(ms))} ms`}${away}`;
    const word = String(status);
    const named = `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
    tell(changed === false ? `It was ${word} already.` : `${named}: ${spread}.`, 'ok');
    confirm.hidden = true;
    say(byId('revoke-cancel'), 'Close');
    byId('revoke-cancel').focus();
    onDone();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!signed && form.reportValidity()) void send();
  });
  agent.addEventListener('input', showWhole);
  what.addEventListener('change', choose);
  byId('revoke-cancel').addEventListener('click', close);
  dialog.addEventListener('close', () => (key.value = ''));

  return {
    /** `agentId` is null when the operator names it. */
    open(agentId: string | null, action: PageAction): void {
      form.reset();
      what.value = action;
      choose();
      keep.checked = kept !== '';
      agent.value = agentId ?? '';
      agent.readOnly = agentId !== null;
      showWhole();
      byId('key-kept').hidden = kept === '' && opener === '';
      if (kept === '' && opener === '') key.setAttribute('required', '');
      else key.removeAttribute('required');
      confirm.hidden = false;
      confirm.disabled = signed;
      say(byId('revoke-cancel'), 'Cancel');
      tell(
        signed
          ? 'This mesh takes signed commands only, and a page cannot sign. At a terminal: aip revoke <agent> --reason <why>'
          : '',
        'warning',
      );
      dialog.showModal();
      (agentId === null ? agent : reason).focus();
    },
    /** Whether the mesh takes commands only with an operator's signature. */
    needSignature(needed: boolean): void {
      signed = needed;
    },
    /** The key that opened the page; empty where it may give no orders. */
    own(text: string): void {
      opener = text;
    },
    forget(): void {
      kept = '';
      opener = '';
      close();
    },
  };
}
