/** Whose files are believed: this user's and root's, and of those only what no other user can change. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '../../../app/failure.js';

/** Why a file is not believed; `message` is a clause about its path, `hint` the command that mends it. */
export interface Disowned {
  readonly message: string;
  readonly hint: string;
}

/** True for what belongs to another user than `uid` and root; false where users have no numbers (null). */
export function isForeign(owner: number, uid: number | null): boolean {
  return uid !== null && owner !== uid && owner !== 0;
}

/**
 * What keeps the file at `path`, or the folder it stands in, from being this user's alone to change; null when nothing does, and for
 * what does not exist. Who may write the folder can put another file in its place.
 */
export function disowned(path: string, uid: number | null): Disowned | null {
  if (uid === null || process.platform === 'win32') return null;
  for (const at of [dirname(path), path]) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (isForeign(found.uid, uid)) {
      return {
        message: `${at} belongs to another user (uid ${found.uid}), who could say whom to believe`,
        hint: `sudo chown ${uid} ${shellWord(at)}, or set AIP_HOME to a folder of your own`,
      };
    }
    if ((found.mode & 0o022) !== 0) {
      return {
        message: `${at} can be changed by others, who could say whom to believe`,
        hint: `chmod ${found.isDirectory() ? '700' : '600'} ${shellWord(at)}`,
      };
    }
  }
  return null;
}
