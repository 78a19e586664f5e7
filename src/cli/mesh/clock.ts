/** How far this machine's clock is from the mesh's: suspensions end by the mesh's. */
import { parseTime } from '../../protocol/time.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/**
 * How many ms this machine is ahead of the mesh, whose time was `time` (RFC 3339) a moment ago; null where it could not be read. Warns
 * where the two differ by more than intents may.
 */
export async function clockDifference(cli: Setting & Notices & Surroundings, time: string): Promise<number | null> {
  const theirs = parseTime(time);
  if (theirs === null) return null;
  const ahead = cli.io.now() - theirs;
  if (Math.abs(ahead) > (await cli.config()).get('verify.max_skew')) {
    const seconds = Math.round(Math.abs(ahead) / 1000);
    cli.warn(
      `The clock of this machine is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} the mesh's; suspensions end by the mesh's.`,
      'clock_differs',
    );
  }
  return ahead;
}
