/**
 * The native fixtures and their vectors, made from fixed seeds. To write the files again after a change of the cases:
 * `npx vitest run --config test/vitest.config.ts test/verify/fixtures.test.ts -u`.
 */
import { format } from 'prettier';
import { Cases } from './native/intent-parts.js';
import { AT, PRINCIPAL, publicKeyText } from './native/parts.js';
import { passportFiles, passportVectors } from './native/passport-cases.js';
import type { IntentSuite, PassportSuite } from './native/vector.js';
import { actionCases, constraintCases, orderCases, standingCases } from './native/what-cases.js';
import { freshnessCases, malformedCases, speakerCases } from './native/who-cases.js';

/** Who is pinned in all of the vectors. */
const PRINCIPALS = { [PRINCIPAL]: publicKeyText('principal') };

function intentCases(): Cases {
  const cases = new Cases();
  malformedCases(cases);
  speakerCases(cases);
  freshnessCases(cases);
  actionCases(cases);
  constraintCases(cases);
  standingCases(cases);
  orderCases(cases);
  return cases;
}

export function intentSuite(): IntentSuite {
  return { at: AT, principals: PRINCIPALS, vectors: intentCases().vectors };
}

export function passportSuite(): PassportSuite {
  return { at: AT, principals: PRINCIPALS, vectors: passportVectors() };
}

/** Every generated file by its path from the top of the checkout. */
export async function generatedFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const [name, text] of Object.entries({ ...passportFiles(), ...intentCases().files }))
    files[`fixtures/${name}`] = text;
  files['test/vectors/intents.json'] = await tidy(intentSuite());
  files['test/vectors/passports.json'] = await tidy(passportSuite());
  return files;
}

function tidy(suite: object): Promise<string> {
  return format(JSON.stringify(suite), { parser: 'json', printWidth: 120 });
}
