import { skipped, verdictOf, type Verdict, type Violation } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { aip1Violation } from '../violations.js';

/**
 * E300 to E302: what the agent says of its runtime agrees with this verifier's registry. Where the registry expects a hash, leaving
 * it out is a mismatch: else an agent would pass by saying nothing.
 */
export function attestation({ envelope, policy }: Aip1Context): Verdict {
  const { registry } = policy;
  if (registry === null) return skipped('this verifier has no attestation registry');
  const { agentId: agent_id } = envelope;
  const { method, frameworkId: framework_id, buildHash, promptHash } = envelope.attestation;
  const violations: Violation[] = [];
  if (method === 'framework_registry' && registry.frameworks !== null) {
    if (framework_id === null || !registry.frameworks.has(framework_id)) {
      const message = `The framework ${framework_id ?? '(none named)'} is not registered here.`;
      violations.push(aip1Violation('FRAMEWORK_UNREGISTERED', message, { framework_id, agent_id }));
    }
  }
  const build = framework_id === null ? undefined : registry.builds.get(framework_id);
  if (build !== undefined && buildHash !== build) {
    const details = { framework_id, declared: buildHash, registered: build, agent_id };
    violations.push(aip1Violation('MODEL_HASH_MISMATCH', `The build hash is not the registered one.`, details));
  }
  const prompt = registry.prompts.get(agent_id);
  if (prompt !== undefined && promptHash !== prompt) {
    const details = { declared: promptHash, registered: prompt, agent_id };
    violations.push(aip1Violation('PROMPT_HASH_MISMATCH', `The system prompt is not the registered one.`, details));
  }
  return verdictOf(violations);
}
