/** Why a server says no, as a value: the codes are part of the protocol, the sentences are for people. */
export const REFUSALS = {
  BAD_REQUEST: { status: 400, retryable: false },
  UNAUTHENTICATED: { status: 401, retryable: false },
  SIGNATURE_REQUIRED: { status: 403, retryable: false },
  SIGNATURE_INVALID: { status: 403, retryable: false },
  /** The signature holds, and its key was revoked or suspended. */
  KEY_DENIED: { status: 403, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  TOO_MANY_VERIFIERS: { status: 403, retryable: false },
  PRINCIPAL_UNKNOWN: { status: 403, retryable: false },
  PASSPORT_INVALID: { status: 403, retryable: false },
  PASSPORT_CONFLICT: { status: 409, retryable: false },
  PASSPORT_SUPERSEDED: { status: 409, retryable: false },
  SERIAL_LEAP: { status: 409, retryable: false },
  OLDER_VERIFIERS: { status: 409, retryable: false },
  APPROVAL_INVALID: { status: 403, retryable: false },
  APPROVAL_ENDED: { status: 409, retryable: false },
  TOO_MANY_PENDING: { status: 409, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  VERSION_CONFLICT: { status: 409, retryable: false },
  CMD_ID_REUSED: { status: 409, retryable: false },
  COMMAND_REPLAYED: { status: 409, retryable: false },
  COMMAND_EXPIRED: { status: 409, retryable: false },
  WRONG_MESH: { status: 409, retryable: false },
  LOG_FORK: { status: 409, retryable: false },
  TOO_LARGE: { status: 413, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  STORE_FAILED: { status: 500, retryable: false },
  BUG: { status: 500, retryable: false },
  STORE_UNAVAILABLE: { status: 503, retryable: true },
  IN_DOUBT: { status: 503, retryable: true },
  HOME_UNREACHABLE: { status: 503, retryable: true },
  MESH_SEALED: { status: 503, retryable: false },
  SHUTTING_DOWN: { status: 503, retryable: true },
  BUSY: { status: 503, retryable: true },
} as const;

/** The codes of the mesh. */
export type RefusalCode = keyof typeof REFUSALS;

/** Why a request was refused. */
export interface MeshRefusal {
  readonly code: RefusalCode;
  readonly message: string;
  /** Facts a program may want, e.g. the version that stands. */
  readonly details?: Readonly<Record<string, string | number | null>>;
}

/** A refusal with its sentence and facts. */
export function refusal(code: RefusalCode, message: string, details?: MeshRefusal['details']): MeshRefusal {
  return details === undefined ? { code, message } : { code, message, details };
}

/** A refusal on its way out of a request; caught in one place only. */
export class Refused extends Error {
  readonly refusal: MeshRefusal;
  constructor(code: RefusalCode, message: string, details?: MeshRefusal['details']) {
    super(message);
    this.name = 'Refused';
    this.refusal = refusal(code, message, details);
  }
}
