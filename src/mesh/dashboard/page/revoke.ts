import type { Calls, PageReply } from './calls.js';
import type { Kit } from './kit.js';

/** The dialog that revokes. The operator's key is typed into it, and forgotten with it unless the operator says otherwise. */
export function revoke(kit: Kit, { ask, newId }: Calls, onDone: () => void) {
  const { byId, clean, say } = kit;
  const dialog = byId('revoke');
  const form = byId('revoke-form');
  const [agent, reason, key, keep] = [byId('revoke-agent'), byId('reason'), byId('operator-key'), byId('keep-key')];
  const [confirm, result] = [byId('revoke-confirm'), byId('revoke-result')];
  const [what, whole] = [byId('what'), byId('revoke-whole')];
  /** The whole id, wrapped: what the field cuts off may be what tells two agents apart. */
  const showWhole = (): void => say(whole, clean(agent.value.trim(), 1_000));
  const WORDS: Readonly<Record<string, string>> = { revoke: 'Revoke', suspend: 'Suspend', reinstate: 'Reinstate' };
  let kept = '';
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
    if (json['code'] === 'FORBIDDEN') return `This takes an operator key; the one given may only read.${unchanged}`;
    return `${clean(json['message'] ?? `The mesh answered ${status}.`)}${status < 500 ? unchanged : ''}`;
  };

  const send = async (): Promise<void> => {
    const typed = key.value.trim() === '' ? kept : key.value.trim();
    if (typed === '') return tell('Type an operator key.', 'critical');
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
    const { propagated_to: reached, connected, roster, propagation_ms: ms, changed, status } = told.json;
    const all = Math.max(Number(roster), Number(reached));
    const spread =
      Number(connected) === 0
        ? 'no verifier is connected'
        : `${reached} of ${all === 0 ? connected : all} verifiers have it${ms === null ? '' : `, after ${Math.round(Number(ms))} ms`}`;
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
  what.addEventListener('change', () => say(confirm, WORDS[what.value] ?? 'Send'));
  byId('revoke-cancel').addEventListener('click', close);
  dialog.addEventListener('close', () => (key.value = ''));

  return {
    /** `agentId` is null when the operator names it. */
    open(agentId: string | null): void {
      form.reset();
      keep.checked = kept !== '';
      agent.value = agentId ?? '';
      agent.readOnly = agentId !== null;
      showWhole();
      say(confirm, 'Revoke');
      byId('key-kept').hidden = kept === '';
      if (kept === '') key.setAttribute('required', '');
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
    forget(): void {
      kept = '';
      close();
    },
  };
}
