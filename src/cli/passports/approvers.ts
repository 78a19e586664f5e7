/** The keys of those whom a passport has approve: given as any public key is, and written as a passport has them. */
import { Failure, shellWord } from '../../app/failure.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { localState } from '../../workspace/state.js';
import { publicKeyFrom } from '../input/public-key.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

/**
 * The constraints with `require_approval.approvers[].public_key` as `ed25519:` and hex: it may name a key in any form, a file that holds
 * one, or a principal, or a key of one, that is pinned here. What has another shape is left for the passport's own rules to refuse.
 * @throws Failure USAGE, NOT_FOUND
 */
export async function withApproverKeys(constraints: JsonObject, cli: Scene): Promise<JsonObject> {
  const { require_approval: rule } = constraints;
  if (!isObject(rule ?? null)) return constraints;
  return { ...constraints, require_approval: await ruleWithKeys(rule as JsonObject, cli) };
}

async function ruleWithKeys(rule: JsonObject, cli: Scene): Promise<JsonObject> {
  // The form that every constraint may have: {value, actions}.
  if (isObject(rule.value ?? null)) return { ...rule, value: await ruleWithKeys(rule.value as JsonObject, cli) };
  const { approvers } = rule;
  if (!Array.isArray(approvers)) return rule;
  const named: Json[] = [];
  for (const each of approvers as readonly Json[]) {
    const given = isObject(each) ? each.public_key : undefined;
    if (typeof given !== 'string') named.push(each);
    else named.push({ ...(each as JsonObject), public_key: formatPublicKey(await approverKeyOf(given, cli)) });
  }
  return { ...rule, approvers: named };
}

async function approverKeyOf(given: string, cli: Scene): Promise<Uint8Array> {
  if (!given.startsWith('did:') || given.startsWith('did:key:'))
    return (await publicKeyFrom(given, 'The public_key of an approver', cli)).publicKey;
  const [did] = given.split('#', 1);
  const pins = (await localState(cli.workspace)).pins(did);
  const pin = pins.findLast(({ keyId }) => given === did || keyId === given);
  if (pin !== undefined) return pin.publicKey;
  throw new Failure('NOT_FOUND', `No key of the approver ${given.slice(0, 200)} is pinned here.`, {
    hint: `aip principal add ${shellWord(did!)} --public-key <key>`,
  });
}
