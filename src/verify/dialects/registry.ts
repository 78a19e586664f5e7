/** Every dialect. A new one is a folder beside these and a line here. */
import type { DialectName } from '../../protocol/dialects.js';
import type { Json } from '../../protocol/json/values.js';
import type { Dialect } from '../dialect.js';
import { AIP1 } from './aip1/dialect.js';
import { NATIVE } from './native/dialect.js';

/** By name; a name without a dialect does not compile. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { native: NATIVE, 'aip-1': AIP1 };

const SHAPED: readonly Dialect[] = Object.values(DIALECTS).filter((each) => each !== NATIVE);

/** The dialect of a document, by its shape; native where no other claims it. */
export function dialectOf(document: Json): Dialect {
  return SHAPED.find((each) => each.reads(document)) ?? NATIVE;
}
