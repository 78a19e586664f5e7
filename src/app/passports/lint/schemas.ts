import { SCHEMA_HINT, type IssueDeps } from '../issue.js';
import type { LintFinding } from './finding.js';
import type { PassportLike } from './lint.js';

/** Schemas under which no params can be judged (AIP-E211): issuing refuses them here, another program may have signed them. */
export function lintSchemas({ actions }: PassportLike, schemaProblem: IssueDeps['schemaProblem']): LintFinding[] {
  return actions.flatMap((action, i): LintFinding[] => {
    if (typeof action === 'string' || action.params === undefined) return [];
    const problem = schemaProblem(action.params);
    if (problem === null) return [];
    return [
      {
        code: 'params-schema-unusable',
        severity: 'error',
        path: `/actions/${i}/params`,
        message: `The params schema of ${action.name} ${problem}: every intent for it is refused.`,
        hint: SCHEMA_HINT,
      },
    ];
  });
}
