/** All conformance cases of the AIP-1 dialect. The file in fixtures is made from this: see test/verify/aip1/conformance.test.ts. */
import type { ConformanceCase, ConformanceSuite } from '../../../src/app/conformance/run.js';
import { boundaryCases } from './boundary-cases.js';
import { formCases } from './form-cases.js';
import { mandateCases } from './mandate-cases.js';
import { AT } from './parts.js';
import { signatureCases } from './signature-cases.js';
import { standingCases } from './standing-cases.js';

export function conformanceSuite(): ConformanceSuite {
  const cases: ConformanceCase[] = [
    ...formCases(),
    ...signatureCases(),
    ...boundaryCases(),
    ...mandateCases(),
    ...standingCases(),
  ];
  const twice = cases.find((each, i) => cases.findIndex(({ name }) => name === each.name) !== i);
  if (twice !== undefined) throw new Error(`two cases are named ${twice.name}`);
  return { at: AT, cases };
}
