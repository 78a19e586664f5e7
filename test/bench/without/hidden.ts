/** Takes the place of the look for hidden characters in a measurement. */
import type { Violation } from '../../../src/verify/decision.js';

export * from '../../../src/verify/limits/hidden.js';

export const hiddenCharacters = (): Violation[] => [];
