import { canonicalize } from '../../../protocol/json/canonical.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { markConfusable } from '../../../protocol/naming/confusable.js';
import type { PageWindow } from './browser.js';
import type { Calls } from './calls.js';
import type { Kit } from './kit.js';
import { signing } from './signing.js';

/** A request as the list of the mesh has it. */
interface Listed {
  readonly request_id: string;
  readonly status: string;
  readonly agent_id: string;
  readonly action: string;
  readonly approvers: readonly string[];
  readonly needed: number;
  readonly approved_by: readonly string[];
  readonly expires_at: string;
}

/** The request as its verifier signed it. */
interface Asked {
  readonly request_id: string;
  readonly verifier: string;
  readonly action_hash: string;
  readonly agent_id: string;
  readonly action: string;
  readonly params: JsonObject;
  readonly target: string | null;
  readonly passport_hash: string | null;
  readonly reason: string;
  readonly approvers: readonly { readonly id: string; readonly public_key: string | null }[];
  readonly count: number;
  readonly ttl_s: number;
  readonly expires_at: string;
}

const APPROVED_MS = 15 * 60_000;
/** What shows nothing, or turns text round: written out, so that what is approved is what is seen. */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\p{Cf}\p{Cs}\ufe00-\ufe0f\u115f\u1160\u3164\uffa0\u034f]/gu;

/** Text of a stranger, whole, with whatever deceives the eye written out. */
function plain(text: string): string {
  return markConfusable(
    text.replace(UNSEEN, (found) =>
      Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
        '',
      ),
    ),
  );
}

/**
 * The inbox: what agents ask persons for. The dialog shows all that is approved, and signs with a key that its owner picks; the mesh gets
 * the signed answer and never the key.
 */
export function inbox(window: PageWindow, kit: Kit, { ask }: Calls, keyOf: () => string) {
  const { byId, el, say } = kit;
  const signer = signing(window);
  const dialog = byId('approval');
  const [file, passphrase, reason, result] = [
    byId('approval-file'),
    byId('approval-passphrase'),
    byId('approval-reason'),
    byId('approval-result'),
  ];
  const buttons = [byId('approval-approve'), byId('approval-deny')];
  let asked: Asked | null = null;
  let shown = '';
  /** Counts what was opened, closed or locked: what was asked for before is then not shown. */
  let turn = 0;
  /** The request that a link named; opened once it is there. */
  let linked = /^#approval=([0-9a-f]{32})$/.exec(window.location.hash)?.[1] ?? null;

  const tell = (text: string, look: string): void => {
    result.className = `result ${look}`;
    say(result, text);
  };

  const forget = (): void => {
    passphrase.value = '';
    file.value = '';
    reason.value = '';
    asked = null;
    turn += 1;
  };

  const row = (label: string, value: string): void =>
    byId('approval-facts').append(el('dt', '', label), el('dd', 'whole', el('bdi', '', plain(value))));

  const describe = (request: Asked): void => {
    row('Agent', request.agent_id);
    row('Action', request.action);
    row('Target', request.target ?? '–');
    row('Why', request.reason);
    row('Who may answer', `${request.approvers.map((each) => each.id).join(', ')} (${request.count} needed)`);
    row('Ends', request.expires_at);
    row('Asked by the verifier', request.verifier);
    row('Passport', request.passport_hash ?? '–');
    row('Hash of the action', request.action_hash);
    const params = JSON.stringify(JSON.parse(canonicalize(request.params)), null, 2);
    byId('approval-params').append(plain(params));
  };

  const hashOf = (request: Asked): Promise<string> => {
    const { agent_id, action, params, target, passport_hash } = request;
    return signer.digest(canonicalize({ agent_id, action, params, target, passport_hash }));
  };

  const open = async (id: string): Promise<void> => {
    for (const button of buttons) button.disabled = true;
    forget();
    const own = turn;
    const { status, json } = await ask(`/v1/mesh/approvals/${id}`, keyOf());
    if (own !== turn) return;
    byId('approval-facts').replaceChildren();
    byId('approval-params').replaceChildren();
    say(byId('approval-command'), `aip approvals approve ${id}`);
    dialog.showModal();
    if (status !== 200) {
      tell(status === 403 ? 'This key may not read this request.' : 'The request could not be read.', 'critical');
      return;
    }
    const request = json as unknown as Asked;
    describe(request);
    if (!window.isSecureContext)
      return tell('This page came over plain http, so the browser does not sign in it: use the command.', 'critical');
    // What is seen must be what is hashed, no matter which server sent it.
    const isWhole = (await hashOf(request)) === request.action_hash && request.request_id === id;
    if (own !== turn) return;
    if (!isWhole) return tell('The request is not what its hash says: do not answer it.', 'critical');
    asked = request;
    tell('', '');
    for (const button of buttons) button.disabled = false;
  };

  const answer = async (decision: 'approve' | 'deny'): Promise<void> => {
    const request = asked;
    const picked = file.files?.[0];
    if (request === null) return;
    if (picked === undefined) return tell('Pick the file of your private key, or use the command.', 'critical');
    if (picked.size > 20_000) return tell('This file is no private key.', 'critical');
    for (const button of buttons) button.disabled = true;
    tell('Signing…', '');
    try {
      const key = await signer.open(await picked.text(), passphrase.value);
      const own = request.approvers.find((each) => each.public_key === key.publicKey);
      // A principal is named by its id alone; whether the key is one of its own, the mesh and the verifier find out.
      const approver = own ?? request.approvers.find((each) => each.public_key === null);
      if (approver === undefined) throw new RangeError('This is the key of none of those who may answer.');
      const now = Date.now();
      const unsigned = {
        type: 'approval',
        version: 2,
        request_id: request.request_id,
        verifier: request.verifier,
        action_hash: request.action_hash,
        agent_id: request.agent_id,
        passport_hash: request.passport_hash,
        approver: approver.id,
        key_id: `${approver.id}#key-1`,
        decision,
        reason: reason.value.trim() === '' ? null : reason.value.trim(),
        approved_at: new Date(now).toISOString(),
        approved_until: new Date(now + Math.min(APPROVED_MS, request.ttl_s * 1_000)).toISOString(),
      };
      const signature = await key.sign(canonicalize(unsigned));
      const told = await ask(`/v1/mesh/approvals/${request.request_id}/answers`, keyOf(), { ...unsigned, signature });
      if (told.status !== 200 && told.status !== 201)
        throw new RangeError(
          told.status === 0 ? 'The mesh did not answer; send it again.' : kit.clean(told.json['message'] ?? 'Refused.'),
        );
      forget();
      const where =
        told.json['checked'] === true ? '' : ' The mesh knows no key of this principal; the verifier checks it.';
      tell(`${decision === 'approve' ? 'Approved' : 'Denied'}.${where}`, 'ok');
    } catch (error) {
      for (const button of buttons) button.disabled = false;
      tell(error instanceof RangeError ? error.message : 'It could not be signed; use the command.', 'critical');
    } finally {
      passphrase.value = '';
    }
  };

  byId('approval-approve').addEventListener('click', () => void answer('approve'));
  byId('approval-deny').addEventListener('click', () => void answer('deny'));
  byId('approval-close').addEventListener('click', () => dialog.close());
  byId('approval-form').addEventListener('submit', (event) => event.preventDefault());
  dialog.addEventListener('close', forget);

  return {
    /** The requests that are open, the oldest first; `more`: there are others behind them. */
    show(requests: readonly Listed[], more: boolean): void {
      byId('inbox').hidden = requests.length === 0;
      const waiting = requests.filter(({ status }) => status === 'pending').length;
      say(byId('t-waiting'), more ? `${waiting} or more` : waiting === 0 ? '' : String(waiting));
      say(byId('more-requests'), more ? 'More of them are not shown; at a terminal: aip approvals list' : '');
      const now = JSON.stringify(requests);
      // What did not change keeps its place, and the focus in it.
      if (now !== shown)
        byId('requests').replaceChildren(
          ...requests.map((each) => {
            const look = el('button', 'small', 'Look');
            look.setAttribute('type', 'button');
            look.setAttribute('aria-label', `Look at the request of ${kit.clean(each.agent_id)}`);
            look.addEventListener('click', () => void open(each.request_id));
            const { name, domain } = kit.nameOf(each.agent_id);
            const given =
              each.approved_by.length === 0 ? '' : `, ${each.approved_by.length} of ${each.needed} approved`;
            const done = each.status === 'approved' ? ', not used yet' : '';
            return el(
              'li',
              '',
              el('bdi', 'name', name),
              el('span', 'domain', domain),
              el('bdi', 'action', plain(each.action)),
              el('span', 'few', `until ${each.expires_at.slice(0, 16).replace('T', ' ')} UTC${given}${done}`),
              look,
            );
          }),
        );
      shown = now;
      if (linked === null) return;
      const id = linked;
      linked = null;
      void open(id);
    },
    /** The list was not told: what stood there may have ended, and there may be others. */
    unknown(): void {
      byId('inbox').hidden = false;
      say(
        byId('more-requests'),
        'The mesh does not tell now what waits for a person; at a terminal: aip approvals list',
      );
    },
    clear(): void {
      forget();
      shown = '';
      byId('requests').replaceChildren();
      byId('inbox').hidden = true;
      dialog.close();
    },
  };
}
