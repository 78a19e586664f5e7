import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { GUIDE_FLAGS, household, inFiles } from '../../kit/native/household.js';

const PARAMS = [
  'send_email:to:email',
  'send_email:body:string!',
  'issue_refund:order_id:string',
  'issue_refund:amount:number',
].flatMap((spec) => ['--param', spec]);
const create = ['passport', 'create', 'support-agent-v1', ...GUIDE_FLAGS];

describe('aip passport create --param', () => {
  test('closes the schemas, and lint finds no error and names the destinations', async () => {
    const machine = household();
    expect((await machine.run(...create, ...PARAMS, ...inFiles(machine))).code).toBe(0);
    const path = machine.at('support-agent-v1.passport.json');
    const { actions } = JSON.parse(readFileSync(path, 'utf8')) as { actions: { name: string; params: JsonObject }[] };
    expect(actions.map(({ name, params }) => [name, params.required, params.additionalProperties])).toEqual([
      ['send_email', ['to'], false],
      ['issue_refund', ['order_id', 'amount'], false],
    ]);
    const { code, value } = await machine.json<{ warnings: { severity: string }[]; destinations: JsonObject }>(
      'passport',
      'lint',
      path,
    );
    expect([code, value.warnings.filter(({ severity }) => severity === 'error')]).toEqual([0, []]);
    expect(value.destinations).toEqual({ read: ['send_email.to'], unread: [] });
  });

  test('is refused for an action that is not declared, and for an unknown type', async () => {
    const machine = household();
    for (const [spec, said] of [
      ['pay:amount:number', 'not an action of this passport'],
      ['send_email:to:text', 'is not <action>:<name>:<type>'],
    ]) {
      const failure = await machine.failure(...create, '--param', spec!, ...inFiles(machine));
      expect(failure).toMatchObject({ code: 'USAGE', exit_code: 2, message: expect.stringContaining(said!) });
    }
  });

  test('is taken by update, beside the params that the action has', async () => {
    const machine = household();
    await machine.run(...create, ...PARAMS, ...inFiles(machine));
    const path = machine.at('support-agent-v1.passport.json');
    const updated = await machine.run('passport', 'update', path, '--param', 'send_email:cc:email!', '--yes');
    expect([updated.code, updated.err]).toEqual([0, expect.any(String)]);
    const { actions } = JSON.parse(readFileSync(path, 'utf8')) as { actions: { params: JsonObject }[] };
    expect(Object.keys(actions[0]!.params.properties as object)).toEqual(['to', 'body', 'cc']);
    expect(actions[0]!.params.required).toEqual(['to']);
  });

  test('a constraint that limits nothing is an error of lint, exit 15', async () => {
    const machine = household();
    const dead = ['--constraint', 'allowed_symbols:=["A"]'];
    expect((await machine.run(...create, ...PARAMS, ...dead, ...inFiles(machine))).code).toBe(0);
    const { code, out } = await machine.run('passport', 'lint', machine.at('support-agent-v1.passport.json'));
    expect(code).toBe(15);
    expect(out).toContain('error "allowed_symbols" reads no param');
    expect(out).toContain('[dead_constraint]');
  });
});
