import { isAttributable } from '../../../protocol/log/attribution.js';
import type { Entry } from '../../../protocol/log/entry.js';
import { parseTime } from '../../../protocol/time.js';

/** The entry as an API Activity event (class 6003) of the Open Cybersecurity Schema Framework 1.3.0. */
export function ocsfEvent(entry: Entry, version: string): object {
  const refused = entry.status === 'failed';
  // 99 is Other: whether an intent creates, reads or deletes is not ours to know.
  const activity = 99;
  return {
    activity_id: activity,
    activity_name: 'Verify',
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: 6003,
    class_name: 'API Activity',
    type_uid: 6003 * 100 + activity,
    time: parseTime(entry.timestamp),
    severity_id: !refused ? 1 : isAttributable(entry) ? 3 : 2,
    status_id: refused ? 2 : 1,
    status: refused ? 'Failure' : 'Success',
    // The schema's strings are never null: what does not apply is left out.
    ...(entry.error_code === null ? {} : { status_code: entry.error_code }),
    ...(entry.error_message === null ? {} : { status_detail: entry.error_message }),
    actor: { app_uid: entry.agent_id, app_name: entry.agent_id },
    api: { operation: entry.action ?? 'unknown', request: { uid: entry.nonce ?? entry.hash } },
    src_endpoint: { name: entry.agent_id },
    metadata: {
      version: '1.3.0',
      uid: entry.hash,
      sequence: entry.seq,
      log_name: 'aip verification log',
      logged_time: parseTime(entry.timestamp),
      product: { name: 'aip-cli', vendor_name: 'aip', version },
    },
    unmapped: { entry },
  };
}
