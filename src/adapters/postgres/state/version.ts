/** What a verifier has to know of the schema; its SQL is read by those who migrate alone. */
import { Failure } from '../../../app/failure.js';

/** The schema in which all that belongs to the fleet's memory lies. */
export const STATE_SCHEMA_NAME = 'aip_state';

/** The version that this program works with: how many steps there are. */
export const STATE_VERSION = 3;

/** Longest document of a request for approval, or of an answer to one, that is shared, in characters. */
export const MAX_SHARED_REQUEST = 56 * 1024;

/** A schema that a later version of this program made. */
export function newerDatabase(version: number): Failure {
  return new Failure(
    'STATE_UNAVAILABLE',
    `The database has schema version ${version}; this program knows up to ${STATE_VERSION}.`,
    {
      hint: 'install the newer aip on this machine, too',
    },
  );
}
