import { describe, expect, test } from 'vitest';
import { HOOK_INSTALLS, ownCommands, takesHook, withHook } from '../../../src/guard/hook/install.js';
import type { HookClientName } from '../../../src/guard/hook/clients.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const CLIENTS = Object.keys(HOOK_INSTALLS) as HookClientName[];
const commandOf = (client: string): string =>
  `/usr/bin/node /opt/aip/dist/start.cjs hook ${client} --passport did:web:a`;

describe.each(CLIENTS)('%s', (client) => {
  const [first, second] = HOOK_INSTALLS[client].path as [string, string];
  const other = { command: '/usr/local/bin/lint hook', type: 'command', matcher: 'x' };
  const config: JsonObject = { theme: 'dark', [first]: { Other: [1], [second]: [other] } };

  test('is added once, beside those of others, and taken out again', () => {
    const once = withHook(client, config, commandOf(client));
    expect(withHook(client, once, commandOf(client))).toEqual(once);
    expect(ownCommands(client, once)).toEqual([commandOf(client)]);
    expect(once.theme).toBe('dark');
    expect(((once[first] as JsonObject)[second] as unknown[])[0]).toEqual(other);
    expect(ownCommands(client, withHook(client, once, `${commandOf(client)} --ask`))).toEqual([
      `${commandOf(client)} --ask`,
    ]);
    const gone = withHook(client, once, null);
    expect(gone[first]).toEqual(config[first]);
    expect(ownCommands(client, gone)).toEqual([]);
  });
  test('what held nothing but the hook goes with it', () => {
    expect(withHook(client, withHook(client, {}, commandOf(client)), null)).toEqual({});
    const among: JsonObject = { theme: 'dark', [first]: { Other: [1] } };
    expect(withHook(client, withHook(client, among, commandOf(client)), null)).toMatchObject({
      theme: 'dark',
      [first]: { Other: [1] },
    });
    expect(withHook(client, withHook(client, among, commandOf(client)), null)[first]).not.toHaveProperty(second);
  });
  test('nothing to take out changes nothing', () => {
    expect(withHook(client, config, null)).toBe(config);
  });
  test('hooks of another shape are told, for they would be written over', () => {
    const fine: JsonObject[] = [{}, { [first]: null }, { [first]: { [second]: null } }, config];
    const other: JsonObject[] = [{ [first]: [1] }, { [first]: 'no' }, { [first]: { [second]: { a: 1 } } }];
    for (const each of fine) expect(takesHook(client, each)).toBe(true);
    for (const each of other) expect(takesHook(client, each)).toBe(false);
  });
  test('what makes failures block is set where there is such a switch', () => {
    const text = JSON.stringify(withHook(client, {}, commandOf(client)));
    if (client === 'claude') expect(text).toContain('"onFailure":"block"');
    if (client === 'cursor') expect(text).toContain('"failClosed":true');
  });
});

test('a hook of another agent, or of another program, is not its own', () => {
  const config = withHook('claude', {}, commandOf('claude'));
  expect(ownCommands('codex', config)).toEqual([]);
  expect(ownCommands('claude', withHook('claude', {}, 'my-aip-like hook claude'))).toEqual([]);
});

test('a hook that shares an entry with another is taken out, and the other stays', () => {
  const other = { type: 'command', command: 'lint' };
  const own = { type: 'command', command: commandOf('claude') };
  const config: JsonObject = { hooks: { PreToolUse: [{ matcher: '*', hooks: [other, own] }] } };
  expect(withHook('claude', config, null)).toEqual({ hooks: { PreToolUse: [{ matcher: '*', hooks: [other] }] } });
});
