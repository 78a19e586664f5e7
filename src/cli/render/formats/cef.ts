import { isCounted } from '../../../protocol/log/attribution.js';
import type { Entry } from '../../../protocol/log/entry.js';
import { parseTime } from '../../../protocol/time.js';
import { clean, safeJson } from '../terminal/text.js';

/** The entry in ArcSight's Common Event Format, version 0: one line. */
export function cefLine(entry: Entry, version: string): string {
  const refused = entry.status === 'failed';
  const header = [
    'CEF:0',
    'aip',
    'aip-cli',
    version,
    entry.error_code ?? 'AIP-OK',
    refused ? (entry.error_message ?? 'REFUSED') : 'VERIFIED',
    !refused ? '1' : isCounted(entry) ? '7' : '3',
  ];
  const extension: [string, string | number | null][] = [
    ['rt', parseTime(entry.timestamp)],
    ['externalId', entry.seq],
    ['suser', entry.agent_id],
    ['act', entry.action],
    ['destinationServiceName', entry.target],
    ['outcome', entry.status === 'success' ? 'success' : 'failure'],
    ['reason', entry.error_code],
    ['dvchost', entry.verifier],
    ['cs1Label', 'hash'],
    ['cs1', entry.hash],
    ['cs2Label', 'prevHash'],
    ['cs2', entry.prev_hash],
    ['cs3Label', 'details'],
    ['cs3', entry.details === null ? null : safeJson(entry.details)],
    ['cs4Label', 'params'],
    ['cs4', entry.params === null ? null : safeJson(entry.params)],
    ['cs5Label', 'intentHash'],
    ['cs5', entry.intent_hash],
    ...(isCounted(entry) ? [] : [['cs6Label', 'observed'] as [string, string], ['cs6', 'true'] as [string, string]]),
    ['cn1Label', 'latencyUs'],
    ['cn1', entry.latency_us],
  ];
  const members = extension.flatMap(([key, value]) => (value === null ? [] : [`${key}=${inExtension(String(value))}`]));
  return `${header.map((part, i) => (i === 0 ? part : inHeader(part))).join('|')}|${members.join(' ')}`;
}

// "CEF implementation standard", character encoding: a pipe ends a header field, an equals sign a key, a line break the event.
function inHeader(text: string): string {
  return clean(text).replace(/[\\|]/g, '\\$&');
}

function inExtension(text: string): string {
  return clean(text).replace(/[\\=]/g, '\\$&');
}
