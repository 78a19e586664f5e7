import { lazy } from '../../../protocol/lazy.js';

/** Kinds of actions, by the words that the reference package sorts them with, so that both see the same drift. */
const WORDS_BY_GROUP: Readonly<Record<string, string>> = {
  financial: 'transfer_funds refund charge pay invoice billing payment withdraw deposit',
  data_read: 'read read_data read_invoice read_ticket view list get fetch query search',
  data_write: 'write write_data create update modify edit patch upsert',
  data_delete: 'delete remove purge drop destroy erase',
  notification: 'send_notification send_email notify alert send_message broadcast send',
  admin: 'admin configure modify_payroll access_hr_records manage_users set_permissions',
  order: 'create_order update_shipping send_invoice fulfill ship track',
  support: 'respond_ticket escalate resolve close_ticket assign',
  report: 'generate_report analyze summarize export dashboard',
  account: 'verify_account authenticate register login logout reset_password',
};

const GROUPS = lazy(
  () =>
    new Map(
      Object.entries(WORDS_BY_GROUP).flatMap(([group, words]) =>
        words.split(' ').map((word): [string, string] => [word, group]),
      ),
    ),
);
/** Longest first: `send_email_copy` is told by `send_email`, not by `send`. */
const PREFIXES = lazy(() => [...GROUPS().keys()].sort((a, b) => b.length - a.length));

/** The kind of an action, by its name or how its name begins; null when no word fits. */
export function actionGroup(action: string): string | null {
  const exact = GROUPS().get(action);
  if (exact !== undefined) return exact;
  const lower = action.toLowerCase();
  const prefix = PREFIXES().find((word) => lower.startsWith(word));
  return prefix === undefined ? null : GROUPS().get(prefix)!;
}

/** True when `action` is neither allowed nor of the kind of anything that is; an empty list allows everything. */
export function drifts(action: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0 || allowed.includes(action)) return false;
  const group = actionGroup(action);
  return group === null || !allowed.some((each) => actionGroup(each) === group);
}
