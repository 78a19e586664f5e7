import { Failure } from '../../app/failure.js';
import { MAX_THRESHOLD, type TrustRules } from '../../trust/rules.js';
import type { Config } from './load.js';

/** How config says that scores are computed. */
export function trustRules(config: Pick<Config, 'get'>): TrustRules {
  const patterns = config.get('trust.suspicious_patterns');
  if (patterns.some(({ threshold }) => threshold > MAX_THRESHOLD)) {
    throw new Failure('USAGE', `A threshold in trust.suspicious_patterns is over ${MAX_THRESHOLD}.`, {
      hint: 'aip config list --sources',
    });
  }
  return {
    model: config.get('trust.model'),
    initialScore: config.get('trust.initial_score'),
    successIncrement: config.get('trust.success_increment'),
    failureDecrement: config.get('trust.failure_decrement'),
    timeDecayRate: config.get('trust.time_decay_rate'),
    minVerifications: config.get('trust.min_verifications_for_trust'),
    patterns: patterns.map(({ type, threshold, window_seconds }) => ({ type, threshold, window_seconds })),
  };
}
