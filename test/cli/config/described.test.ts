/** A message about an input names what was found, why it does not serve, and the spelling that does; and never a secret. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { durationProblem, parseDuration } from '../../../src/protocol/time.js';
import { household, type Household } from '../../kit/native/household.js';

interface Named {
  readonly text: string;
  readonly why: string;
}
const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/described-inputs.json', import.meta.url), 'utf8')) as {
  readonly urls: readonly Named[];
  readonly durations: readonly Named[];
  readonly apiKeys: readonly Named[];
  readonly config: readonly { readonly config: object; readonly why: string }[];
  readonly constraints: readonly { readonly flags: readonly string[]; readonly why: string }[];
  readonly demands: readonly { readonly flags: readonly string[]; readonly why: string }[];
};
const MESH_KEY = `ed25519:${'ab'.repeat(32)}`;

async function refused(machine: Household, argv: readonly string[], why: string): Promise<void> {
  const { code, err } = await machine.run(...argv);
  const said = err.replace(/\s+/g, ' ');
  expect([code, said]).toEqual([2, expect.stringContaining(why)]);
  expect(said).toMatch(/hint: \S/);
  expect(said).not.toMatch(/hunter2|token@|c0ffee/);
}

const withConfig = (config: object): Household => {
  const machine = household({ env: { AIP_HOME: '' } });
  machine.file('c.json', JSON.stringify(config));
  return machine;
};
const LIST = ['config', 'list', '--config'];

describe('a URL', () => {
  test.each(VECTORS.urls)('$text $why', async ({ text, why }) => {
    await refused(household(), ['mesh', 'join', text, '--mesh-key', MESH_KEY], why);
    await refused(household(), ['mesh', 'serve', '--public-url', text], why);
    await refused(household({ env: { AIP_MESH_URL: text } }), ['config', 'list'], why);
    const machine = withConfig({ mesh: { url: text } });
    await refused(machine, [...LIST, machine.at('c.json')], why);
  });
});

test.each(VECTORS.durations)('a duration: $text, $why', async ({ text, why }) => {
  expect([parseDuration(text), durationProblem(text)]).toEqual([null, expect.stringContaining(why)]);
  await refused(household(), ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'x', '--expires', text], why);
  await refused(household(), ['suspend', 'did:web:acme.com:agents:bot', '--for', text, '--reason', 'x'], why);
});

test.each(VECTORS.apiKeys)('an API key: $why', async ({ text, why }) => {
  const join = ['mesh', 'join', 'https://mesh.acme.com', '--mesh-key', MESH_KEY];
  await refused(household(), [...join, `--key=${text}`], why);
  await refused(household({ env: { AIP_MESH_KEY: text } }), join, why);
});

test.each(VECTORS.config)('a config: $config', async ({ config, why }) => {
  const machine = withConfig(config);
  await refused(machine, [...LIST, machine.at('c.json')], why);
});

test.each(VECTORS.constraints)('a constraint: $flags', async ({ flags, why }) => {
  await refused(household(), ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'x', ...flags], why);
});

test.each(VECTORS.demands)('a demand: $flags', async ({ flags, why }) => {
  const machine = household();
  await refused(machine, ['intent', 'verify', machine.file('i.json', '{}'), ...flags], why);
});
