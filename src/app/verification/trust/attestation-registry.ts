import { ShapeError, objectOf } from '../../../protocol/json/shape.js';
import { isObject, type Json } from '../../../protocol/json/values.js';
import type { AttestationRegistry } from '../../../verify/dialects/aip1/trust.js';

/**
 * What a verifier knows of frameworks, builds and prompts: `{"frameworks": [...], "builds": {framework: hash}, "prompts": {agent: hash}}`.
 * Absent members are not asked about. @throws ShapeError
 */
export function readRegistry(json: Json): AttestationRegistry {
  const { frameworks, builds, prompts } = objectOf(json, 'the registry', [], ['frameworks', 'builds', 'prompts']);
  if (frameworks !== undefined && !(Array.isArray(frameworks) && frameworks.every((each) => typeof each === 'string')))
    throw new ShapeError('"frameworks" is not a list of strings');
  return {
    frameworks: frameworks === undefined ? null : new Set(frameworks as readonly string[]),
    builds: hashesOf(builds, 'builds'),
    prompts: hashesOf(prompts, 'prompts'),
  };
}

function hashesOf(json: Json | undefined, name: string): ReadonlyMap<string, string> {
  if (json === undefined) return new Map();
  if (!isObject(json) || !Object.values(json).every((each) => typeof each === 'string'))
    throw new ShapeError(`"${name}" is not an object of strings`);
  return new Map(Object.entries(json) as [string, string][]);
}
