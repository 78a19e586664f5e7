/** Files that could not be read among others that were, in the forms of CI: a report that leaves them out would look whole. */
import type { JsonObject } from '../../../protocol/json/values.js';
import { clean } from '../terminal/text.js';

/** A file, and why it was not read. */
export interface Unread {
  readonly source: string;
  readonly code: string;
  readonly message: string;
}

/** A path as a URI reference: relative stays relative, with forward slashes. */
export function uriOf(path: string): string {
  // A lone surrogate has no UTF-8, and encodeURIComponent throws on it.
  const wellFormed = path.replace(/\p{Cs}/gu, '\ufffd').replaceAll('\\', '/');
  const escaped = wellFormed
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  if (/^[A-Za-z]:\//.test(wellFormed)) return `file:///${wellFormed[0]}:${escaped.slice(4)}`;
  return escaped.startsWith('/') ? `file://${escaped.replace(/^\/+/, '/')}` : escaped;
}

/**
 * A message object whose text is shown as it is. SARIF makes a link of `[text](address)` in plain texts too (2.1.0, 3.11.6), so that an
 * action could lead the readers of a report elsewhere: the bracket before the address is escaped.
 */
export function sarifMessage(text: string): JsonObject {
  return { text: text.replace(/(?<!\\)(\\*)\](?=\()/g, (_, slashes: string) => `${slashes}${slashes}\\]`) };
}

/** What SARIF says of the run: a refusal is a finding, and a file that was not read a failure of the tool. */
export function sarifInvocation(unread: readonly Unread[]): JsonObject {
  if (unread.length === 0) return { executionSuccessful: true };
  return {
    executionSuccessful: false,
    toolExecutionNotifications: unread.map(({ source, code, message }) => ({
      level: 'error',
      descriptor: { id: code },
      message: sarifMessage(clean(message)),
      locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(source) } } }],
    })),
  };
}
