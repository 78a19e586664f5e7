/** Answers that are on the disk. */

/**
 * Has the server tell of a wait for a standby that was broken off, also where the role hears of nothing but errors: without that warning
 * such a commit looks like any other.
 */
export const TOLD = `set_config('client_min_messages', 'warning', true)`;

/**
 * Evaluated in the transaction of a write, its commit is on the disk before it is answered, and so is every one before it, also where the
 * role or the database turns synchronous_commit off. As a part of the statement: behind a pooler a setting of the session is another's.
 */
export const DURABLY = `set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
  THEN 'on' ELSE current_setting('synchronous_commit') END, true), ${TOLD}`;
