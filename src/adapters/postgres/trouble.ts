/** Why a database gave no answer, and what that says of what was asked. */

/** `unreachable` and `refused`: nothing was written. `in-doubt`: it may have been; only asking again under the same id can tell. */
export type TroubleKind = 'unreachable' | 'refused' | 'in-doubt';

/** The database did not do what was asked, or it is unknown whether it did. The text is for people and holds no password. */
export class PostgresTrouble extends Error {
  readonly kind: TroubleKind;
  /** SQLSTATE, five characters; null where the server said nothing. */
  readonly sqlState: string | null;
  /** One thing to do. */
  readonly hint: string | null;
  /** True when the same may succeed later without a change. */
  readonly retryable: boolean;

  constructor(
    kind: TroubleKind,
    message: string,
    {
      sqlState = null,
      hint = null,
      retryable = true,
      cause,
    }: { sqlState?: string | null; hint?: string | null; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PostgresTrouble';
    this.kind = kind;
    this.sqlState = sqlState;
    this.hint = hint;
    this.retryable = retryable;
  }
}

/** What the server is known to say, by SQLSTATE or its class. `passing`: the same may succeed later. */
const MEANINGS: Readonly<Record<string, { readonly means: string; readonly hint?: string; readonly passing?: true }>> =
  {
    '28P01': { means: 'the password is wrong', hint: 'set PGPASSWORD, or a line in the file that PGPASSFILE names' },
    '28000': { means: 'this user may not connect', hint: 'look at pg_hba.conf of the server' },
    '3D000': { means: 'there is no such database', hint: 'createdb <name>' },
    '42501': { means: 'this user may not do that' },
    '42704': { means: 'something that was named is not there', hint: 'createuser --pwprompt <role>' },
    '25000': {
      means: 'this user begins transactions of another kind',
      hint: "ALTER ROLE <user> SET default_transaction_isolation = 'read committed'",
    },
    // A standby, or a user whose transactions only read.
    '25006': {
      means: 'it only answers reads',
      hint: 'name the primary, or all hosts separated by commas; on a primary: SHOW default_transaction_read_only',
      passing: true,
    },
    '53300': {
      means: 'it has no connection to spare',
      hint: 'raise max_connections, or put pgbouncer in front',
      passing: true,
    },
    '53': { means: 'it has run out of room or memory', passing: true },
    '55P03': { means: 'a lock was held too long', passing: true },
    '57014': { means: 'the statement was cancelled', passing: true },
    '57P01': { means: 'it is being stopped', passing: true },
    '57P03': { means: 'it is starting up', passing: true },
    '40': { means: 'it broke the transaction off', passing: true },
  };

/**
 * An error that the server sent. `ready`: it takes the next statement after it, so it has undone this one; where it ended the connection
 * instead, what the statement had done may stand.
 */
export function fromServer(
  where: string,
  error: { readonly message?: string; readonly code?: string; readonly hint?: string },
  ready: boolean,
): PostgresTrouble {
  const code = error.code ?? '';
  const meaning = MEANINGS[code] ?? MEANINGS[code.slice(0, 2)];
  const undone = ready && !code.startsWith('08');
  const said = oneLine(error.message ?? 'no reason given');
  return new PostgresTrouble(
    undone ? 'refused' : 'in-doubt',
    `${where}: ${meaning === undefined ? said : `${meaning.means} (${said})`}`,
    {
      sqlState: code === '' ? null : code,
      hint: meaning?.hint ?? null,
      retryable: meaning?.passing === true || !undone,
      cause: error,
    },
  );
}

/** What helps where one side refuses the other's certificate, by the code of Node; null for what is no matter of certificates. */
export function certificateHint(code: string | undefined): string | null {
  if (code === undefined || !/CERT|LEAF|UNKNOWN_CA/.test(code)) return null;
  // The server's word on the certificate that it was shown.
  if (code.includes('ALERT'))
    return 'name a certificate that the server takes in its URL: sslcert=<file>&sslkey=<file>';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name the host in the URL as the certificate of the server does';
  return /HAS_EXPIRED|NOT_YET_VALID/.test(code)
    ? 'renew the certificate of the server; if it is in force, the clock here is wrong: date'
    : 'name the CA of the server in its URL: sslrootcert=<file>';
}

/** What a server wrote, as one line that cannot move a cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').slice(0, 300);
}
