/** Intents to bend, and the circumstances they are judged in. */
import type { CheckName } from '../../../src/verify/decision.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { agent, line, nonceOf, NOW_S, SUPPORT, withSignature, type Signer } from './parts.js';
import type { IntentVector } from './vector.js';

export const SUPPORT_PASSPORT = 'passport-support-agent.json';
export const OPERATOR_PASSPORT = 'passport-operator.json';

const EXITS = { '1': 10, '2': 12, '3': 11, '4': 13 } as const;

/** The exit code that follows from a code of the native dialect (protocol, "Exit codes"). */
export function exitOfCode(code: string | null): number {
  if (code === null) return 0;
  return code === 'AIP-E209' ? 14 : EXITS[code.charAt(5) as keyof typeof EXITS];
}

/** The guide's refund; `changes` are made before it is signed, and undefined takes a member out. */
export function refund(name: string, changes: object = {}, signer: Signer = 'agent'): JsonObject {
  return intent(name, { action: 'issue_refund', params: { order_id: '8472', amount: 50 }, ...changes }, signer);
}

export function mail(name: string, changes: object = {}): JsonObject {
  return intent(name, { action: 'send_email', params: { to: 'user@acme.com', subject: 'Test' }, ...changes });
}

/** An intent of the operator. */
export function operate(name: string, action: string, params: object, changes: object = {}): JsonObject {
  return intent(name, { agent_id: agent('operator'), action, params, ...changes });
}

export function intent(name: string, changes: object, signer: Signer = 'agent'): JsonObject {
  const document: Record<string, unknown> = {
    agent_id: SUPPORT,
    action: 'issue_refund',
    params: {},
    timestamp: NOW_S,
    nonce: nonceOf(name),
    ...changes,
  };
  for (const [member, value] of Object.entries(document)) if (value === undefined) delete document[member];
  return withSignature(document, 'signature', signer);
}

/** Files and vectors as they are collected. */
export class Cases {
  readonly files: Record<string, string> = {};
  readonly vectors: IntentVector[] = [];

  /** A file of its own; text is written as it is. */
  file(name: string, content: Json): string {
    const path = `intent-${name}.json`;
    const text = typeof content === 'string' ? content : line(content);
    if (this.files[path] !== undefined && this.files[path] !== text) throw new Error(`two files are named ${path}`);
    this.files[path] = text;
    return path;
  }

  /** A vector about an intent of its own. */
  add(
    name: string,
    content: Json,
    code: string | null,
    failed: CheckName | null,
    more: Partial<Omit<IntentVector, 'expect' | 'intent'>> & Partial<IntentVector['expect']> = {},
  ): void {
    this.on(name.replaceAll('-', ' '), this.file(name, content), code, failed, more);
  }

  /** A vector about a file that is there already. */
  on(
    name: string,
    file: string,
    code: string | null,
    failed: CheckName | null,
    more: Partial<Omit<IntentVector, 'expect' | 'intent'>> & Partial<IntentVector['expect']> = {},
  ): void {
    if (this.vectors.some((vector) => vector.name === name)) throw new Error(`two vectors are named ${name}`);
    const { codes, details, exit, ...circumstances } = more;
    this.vectors.push({
      name,
      intent: file,
      passports: [SUPPORT_PASSPORT],
      ...circumstances,
      expect: {
        exit: exit ?? exitOfCode(code),
        code,
        failed,
        ...(codes === undefined ? {} : { codes }),
        ...(details === undefined ? {} : { details }),
      },
    });
  }
}
