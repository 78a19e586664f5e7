/** Trust scores of a workspace's agents, read from its verification log. */
import { usage } from '../app/failure.js';
import type { Conduct } from '../app/ports/log.js';
import { trustReport, type TrustReport } from '../app/conduct/trust-score.js';
import { GUIDE_RULES, MAX_THRESHOLD, type SuspiciousPattern, type TrustRules } from '../trust/rules.js';
import { agentIdOption, choiceOption, fractionOption, listOption, onlyKnown, wholeOption } from './options/given.js';
import { localState } from '../workspace/state.js';
import type { LocalWorkspace } from '../workspace/workspace.js';

/** The guide's "Trust Score Tuning". What is left out is as the guide says. */
export interface TrustScoringOptions {
  /** Score of a new agent, 0 to 1. Default: 0.5. */
  readonly initialScore?: number;
  /** Gained by an accepted intent. Default: 0.01. */
  readonly successIncrement?: number;
  /** Lost by a refusal that the agent answers for. Default: 0.05. */
  readonly failureDecrement?: number;
  /** Lost for each whole hour without activity. Default: 0.001. */
  readonly timeDecayRate?: number;
  /** Before so many verifications a score is not `meaningful`. Default: 10. */
  readonly minVerificationsForTrust?: number;
  /** So many of these within so long are a warning of `aip health`; they never change a score. */
  readonly suspiciousPatterns?: readonly {
    readonly type: SuspiciousPattern['type'];
    readonly threshold: number;
    readonly windowSeconds: number;
  }[];
  /** `aip-1`: as RFC-001 computes it. Default: `guide`. */
  readonly model?: TrustRules['model'];
}

/** What `aip trust --json` prints: `score` is 0 to 1, and says nothing while `meaningful` is false. */
export type TrustScore = TrustReport;

/** The trust scores of a workspace, under the rules that the program sets. */
export class Trust {
  readonly #workspace: LocalWorkspace;
  #rules: TrustRules = GUIDE_RULES;

  constructor(workspace: LocalWorkspace) {
    this.#workspace = workspace;
  }

  configure(options: TrustScoringOptions): void {
    onlyKnown(options, OPTIONS, 'configureTrustScoring');
    this.#rules = rulesOf(options);
  }

  /** What step 9 compares with a verifier's minimum. */
  reading(conduct: Conduct, agentId: string): ReturnType<Conduct['trust']> {
    conduct.judgeBy(this.#rules);
    return conduct.trust(agentId, this.#workspace.world.clock());
  }

  async score(agent: string | { readonly agentId: string }): Promise<TrustScore> {
    if (typeof agent === 'object' && agent !== null) onlyKnown(agent, AGENT, 'getTrustScore');
    const agentId = agentIdOption(typeof agent === 'string' ? agent : agent?.agentId, 'getTrustScore');
    const { conduct } = await localState(this.#workspace);
    conduct.judgeBy(this.#rules);
    return trustReport(conduct, agentId, this.#rules.model, this.#workspace.world.clock());
  }
}

const AGENT: ReadonlySet<string> = new Set(['agentId']);
const OPTIONS: ReadonlySet<string> = new Set([
  ...['initialScore', 'successIncrement', 'failureDecrement', 'timeDecayRate'],
  ...['minVerificationsForTrust', 'suspiciousPatterns', 'model'],
]);
const PATTERN: ReadonlySet<string> = new Set(['type', 'threshold', 'windowSeconds']);
const MOST_VERIFICATIONS = 1_000_000;
const LONGEST_WINDOW_S = 30 * 86_400;

function rulesOf(options: TrustScoringOptions): TrustRules {
  const { minVerificationsForTrust, suspiciousPatterns, model } = options;
  return {
    model: choiceOption(model, 'model', ['guide', 'aip-1']) ?? GUIDE_RULES.model,
    initialScore: rate(options, 'initialScore'),
    successIncrement: rate(options, 'successIncrement'),
    failureDecrement: rate(options, 'failureDecrement'),
    timeDecayRate: rate(options, 'timeDecayRate'),
    minVerifications:
      minVerificationsForTrust === undefined
        ? GUIDE_RULES.minVerifications
        : wholeOption(minVerificationsForTrust, 0, MOST_VERIFICATIONS, 'minVerificationsForTrust'),
    patterns:
      suspiciousPatterns === undefined
        ? GUIDE_RULES.patterns
        : listOption(suspiciousPatterns, 'suspiciousPatterns').map(patternOf),
  };
}

type Rate = 'initialScore' | 'successIncrement' | 'failureDecrement' | 'timeDecayRate';

function rate(options: TrustScoringOptions, name: Rate): number {
  const value = options[name];
  return value === undefined ? GUIDE_RULES[name] : fractionOption(value, name);
}

function patternOf(pattern: NonNullable<TrustScoringOptions['suspiciousPatterns']>[number]): SuspiciousPattern {
  if (typeof pattern !== 'object' || pattern === null) throw usage('A suspicious pattern is not an object.');
  onlyKnown(pattern, PATTERN, 'a suspicious pattern');
  const { type, threshold, windowSeconds } = pattern;
  if (type !== 'rapid_failures' && type !== 'unusual_actions')
    throw usage('The type of a suspicious pattern is neither rapid_failures nor unusual_actions.');
  return {
    type,
    threshold: wholeOption(threshold, 1, MAX_THRESHOLD, 'threshold'),
    window_seconds: wholeOption(windowSeconds, 1, LONGEST_WINDOW_S, 'windowSeconds'),
  };
}
