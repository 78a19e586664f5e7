/** The kinds of values a config key can hold. Each reads what a file says, and what an environment variable says. */
import type { SuspiciousPattern } from '../../trust/rules.js';
import { parseDuration } from '../../protocol/time.js';
import { isRole } from '../../mesh/access/roles.js';
import { parsePrincipalId } from '../../protocol/identity/did.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { isPlainElsewhere, webUrlProblem } from '../../protocol/web-url.js';
import { readPublicKey, type PublicKeyReading } from '../../protocol/identity/public-key-forms.js';

export interface Kind<T> {
  /** What may be written, for help and errors. */
  readonly expects: string;
  /** The value, or undefined when it is not one. */
  read(value: unknown): T | undefined;
  /** An environment variable's text as a file would have said it. */
  fromText(text: string): unknown;
  /** Why a value is not one, in a clause of its own that quotes no secret; where it is missing, the value is described. */
  readonly why?: (value: unknown) => string | null;
}

const asIs = (text: string): unknown => text;
/** How a variable says what is neither a text, a number nor a list of choices. */
export const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
/** `a, b`, or JSON. */
const asWords = (text: string): unknown =>
  text.trimStart().startsWith('[') ? asJson(text) : text.split(',').map((word) => word.trim());
const asNumber = (text: string): unknown => (/^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined);

export function choice<const T extends string>(...values: readonly T[]): Kind<T> {
  return {
    expects: values.join(' | '),
    read: (value) => values.find((one) => one === value),
    fromText: asIs,
  };
}

/** A list of some of them, at least one. */
export function choices<const T extends string>(...values: readonly T[]): Kind<readonly T[]> {
  return {
    expects: `a list of ${values.join(', ')}`,
    read: (value) => {
      const read = listOf(value, (one) => values.find((each) => each === one));
      return read === undefined || read.length === 0 ? undefined : read;
    },
    fromText: asWords,
  };
}

export function text(
  expects: string,
  holds: (value: string) => boolean,
  why?: Kind<string>['why'],
): Kind<string | null> {
  return {
    expects,
    ...(why === undefined ? {} : { why }),
    read: (value) =>
      value === null
        ? null
        : typeof value === 'string' && value !== '' && value.length <= 2048 && holds(value)
          ? value
          : undefined,
    fromText: asIs,
  };
}

/** Milliseconds, written `300s`. */
export const duration: Kind<number> = {
  expects: 'a duration such as 30s, 5m or 24h',
  read: (value) => (typeof value === 'string' ? (parseDuration(value) ?? undefined) : undefined),
  fromText: asIs,
};

export function number(least: number, most: number): Kind<number> {
  return {
    expects: `a number from ${least} to ${most}`,
    read: (value) => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
    fromText: asNumber,
  };
}

export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  return { ...kind, read: (value) => (value === null ? null : kind.read(value)) };
}

export function whole(least: number, most: number): Kind<number> {
  return {
    expects: `a whole number from ${least} to ${most}`,
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
    fromText: asNumber,
  };
}

export const yesNo: Kind<boolean> = {
  expects: 'true | false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
  fromText: (said) => (said === 'true' || said === '1' ? true : said === 'false' || said === '0' ? false : undefined),
};

export const texts: Kind<readonly string[]> = {
  expects: 'a list of strings',
  read: (value) => listOf(value, (one) => (typeof one === 'string' && one !== '' ? one : undefined)),
  fromText: asJson,
};

export interface Region {
  readonly name: string;
  readonly endpoint: string;
}

export const regions: Kind<readonly Region[]> = {
  expects: 'a list of {name, endpoint}',
  read: (value) =>
    listOf(value, (one) => {
      const { name, endpoint, ...others } = membersOf(one);
      if (typeof name !== 'string' || typeof endpoint !== 'string' || !isWebUrl(endpoint)) return undefined;
      return Object.keys(others).length === 0 ? { name, endpoint } : undefined;
    }),
  fromText: asJson,
};

export const patterns: Kind<readonly SuspiciousPattern[]> = {
  expects: 'a list of {type: rapid_failures | unusual_actions, threshold, window_seconds}',
  read: (value) =>
    listOf(value, (one) => {
      const { type, threshold, window_seconds, ...others } = membersOf(one);
      if ((type !== 'rapid_failures' && type !== 'unusual_actions') || Object.keys(others).length > 0) return undefined;
      if (!isCount(threshold) || !isCount(window_seconds)) return undefined;
      return { type, threshold, window_seconds };
    }),
  fromText: asJson,
};

/** Public keys by principal. */
export const pins: Kind<Readonly<Record<string, string>>> = {
  expects: 'public keys by principal: {"did:web:acme.com": "ed25519:<64 hex>"}',
  read: (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value).map(([did, key]) => [did, publicKeyText(key)] as const);
    if (entries.some(([did, key]) => parsePrincipalId(did) === null || key === undefined)) return undefined;
    return Object.fromEntries(entries) as Record<string, string>;
  },
  fromText: asJson,
  why: (value) => {
    for (const [did, key] of Object.entries(membersOf(value))) {
      if (parsePrincipalId(did) === null) return `"${did.slice(0, 64)}" is no principal, which is did:web:<domain>`;
      const reading = publicKeyReading(key);
      if (reading.kind !== 'key')
        return `the key of ${did} is ${reading.kind === 'other' ? reading.what : 'no public key'}`;
    }
    return null;
  },
};

/** A public key in any form, as `ed25519:<64 hex>`. */
export const publicKey: Kind<string | null> = {
  expects: 'a public key: ed25519:<64 hex>, base64url, PEM, an ssh-ed25519 line, a JWK, a Multikey or did:key',
  read: (value) => (value === null ? null : publicKeyText(value)),
  fromText: asIs,
  why: (value) => {
    const reading = publicKeyReading(value);
    return reading.kind === 'other' ? `it is ${reading.what}` : null;
  },
};

function publicKeyText(value: unknown): string | undefined {
  const reading = publicKeyReading(value);
  return reading.kind === 'key' ? formatPublicKey(reading.publicKey) : undefined;
}

/** A JWK may be written as an object. */
function publicKeyReading(value: unknown): PublicKeyReading {
  const isDocument = typeof value === 'object' && value !== null && !Array.isArray(value);
  const text = isDocument ? JSON.stringify(value) : value;
  return typeof text === 'string' ? readPublicKey(text) : { kind: 'none' };
}

/** `<did>#key-<n>`. */
export function isKeyId(value: string): boolean {
  return /^did:web:[^#\s]{1,300}#key-[1-9]\d{0,5}$/.test(value);
}

/** The part of a mesh's API key that is no secret. */
export function isApiKeyName(value: string): boolean {
  const match = /^aipm_([a-z]+)_[0-9a-f]{12}$/.exec(value);
  return match !== null && isRole(match[1]!);
}

export function isPath(value: string): boolean {
  return !value.includes('\0');
}

/** An http or https URL that carries no credentials. */
export function isWebUrl(value: string): boolean {
  return webUrlProblem(value) === null;
}

/** Why a member of a config is no URL to be asked; a URL is never quoted, as one may hold a password. */
export function whyNoWebUrl(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const problem = webUrlProblem(value);
  if (problem !== null) return `it ${problem}`;
  return isAlertUrl(value) ? null : 'it is plain http to another machine';
}

/** Where alerts go: https, or plain http to this machine itself. */
export function isAlertUrl(value: string): boolean {
  return isWebUrl(value) && !isPlainElsewhere(value);
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1;

function listOf<T>(value: unknown, read: (one: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > 256) return undefined;
  const all = value.map(read);
  return all.every((one) => one !== undefined) ? all : undefined;
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
