import type { Calls, Told } from './calls.js';
import type { Kit } from './kit.js';

/** The dialog that revokes. The operator's key is typed into it, and forgotten with it unless the operator says otherwise. */
export function revoke(kit: Kit, { ask, newId }: Calls, onDone: () => void) {
  const { byId, clean, say } = kit;
  const dialog = byId('revoke');
  const form = byId('revoke-form');
  const [agent, reason, key, keep] = [byId('revoke-agent'), byId('reason'), byId('operator-key'), byId('keep-key')];
  const [confirm, result] = [byId('revoke-confirm'), byId('revoke-result')];
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

  const refusal = ({ status, json }: Told): string => {
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
    const text = `${agent.value.trim()}\n${reason.value.trim()}`;
    if (sent.text !== text) sent = { text, id: newId() };
    confirm.disabled = true;
    tell('Revoking…', '');
    const told = await ask('/v1/mesh/commands?wait=2s', typed, {
      cmd_id: sent.id,
      action: 'revoke',
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
    const { propagated_to: reached, connected, propagation_ms: ms, changed } = told.json;
    const spread =
      Number(connected) === 0
        ? 'no verifier is connected'
        : `${reached} of ${connected} verifiers have it${ms === null ? '' : `, after ${Math.round(Number(ms))} ms`}`;
    tell(changed === false ? 'It was revoked already.' : `Revoked: ${spread}.`, 'ok');
    confirm.hidden = true;
    say(byId('revoke-cancel'), 'Close');
    byId('revoke-cancel').focus();
    onDone();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!signed && form.reportValidity()) void send();
  });
  byId('revoke-cancel').addEventListener('click', close);
  dialog.addEventListener('close', () => (key.value = ''));

  return {
    /** `agentId` is null when the operator names it. */
    open(agentId: string | null): void {
      form.reset();
      keep.checked = kept !== '';
      agent.value = agentId ?? '';
      agent.readOnly = agentId !== null;
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
