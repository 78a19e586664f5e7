import type { Clock, Random } from '../../app/ports/state.js';
import type { Link } from '../../protocol/log/chain.js';

export interface StateOptions {
  readonly random: Random;
  /** Nothing is forgotten that this clock does not call old, whatever `--at` says. */
  readonly clock?: Clock;
  /** True for a command that changes nothing: a state that may not be written serves it as well. */
  readonly onlyReads?: boolean;
  /** How long a transaction waits for other processes, in ms; absent: several times `BUSY_MS`. Nothing else runs meanwhile. */
  readonly waitsMs?: number | null;
  /** The user whose state it must be, with no other user able to change it; null or absent where that is not asked. */
  readonly owner?: number | null;
  /** Where it is kept how far this log has come, outside of the file; absent where that is not kept. */
  readonly generationFile?: string;
  /** Told that the state is older than one that was seen here before. */
  readonly onWentBack?: (message: string) => void;
  /** Called after each durable commit, with the newest entry. */
  readonly onCommit?: (head: Link) => void;
  /** Called with it before a state that was written to is closed. */
  readonly onClose?: (head: Link) => void;
}
