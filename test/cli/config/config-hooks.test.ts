import { chownSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { openAt } from '../../kit/state/temporary.js';
import { world } from '../../kit/world.js';

/** A machine with an agent, and the hooks that its config names. */
async function hooked(modules: Readonly<Record<string, string>>) {
  const place = world({ env: { AIP_KEY_PASSPHRASE: 'correct horse' } });
  const home = join(place.io.userHome, 'home');
  const here = ['--home', home];
  const made = await place.run(
    ...['passport', 'create', 'bot', ...here, '--domain', 'acme.com', '-a', 'pay', '--key-store', 'file'],
  );
  expect(made.code, made.err).toBe(0);
  for (const [name, text] of Object.entries(modules)) place.file(`checks/${name}`, text);
  place.file('.aiprc', `hooks: [${Object.keys(modules).map((name) => `checks/${name}`)}]\n`);
  const trust = () => place.run('config', 'trust', '--yes', ...here);
  await trust();
  const verify = async () => {
    const signed = (await place.run('intent', 'sign', ...here, '-p', 'bot', '-a', 'pay')).out;
    const { code, out, err } = await place.run('intent', 'verify', place.file('i.json', signed), ...here, '--json');
    return { code, err, decision: out === '' ? null : (JSON.parse(out) as Decision) };
  };
  return { place, here, verify, home, trust };
}

const ALLOW = 'export default { verify: () => ({ result: "allow" }) };';
const REJECT = `export default class Sanctions {
  async verify({ action }) { return { result: "reject", code: "COMPLIANCE-001", message: action + " is on the list" }; }
}`;

describe('hooks that the config names', () => {
  test('all allow: the step has passed', async () => {
    const { verify } = await hooked({ 'a.mjs': ALLOW, 'b.mjs': ALLOW });
    const { code, decision } = await verify();
    expect(code).toBe(0);
    expect(decision!.checks).toContainEqual({ check: 'hooks', status: 'passed' });
  });
  test('one refuses: exit 14, its own code, and the log has it', async () => {
    const { verify, home } = await hooked({ 'a.mjs': ALLOW, 'b.mjs': REJECT });
    const { code, decision } = await verify();
    expect(code).toBe(14);
    expect(decision).toMatchObject({ error_code: 'COMPLIANCE-001', error_message: 'pay is on the list' });
    expect([...openAt(join(home, 'state.db')).entries({})]).toMatchObject([{ error_code: 'COMPLIANCE-001' }]);
  });
  test('exec runs nothing that a hook refuses', async () => {
    const { place, here } = await hooked({ 'b.mjs': REJECT });
    const ran = await place.run('exec', ...here, '-p', 'bot', '-a', 'pay', '--', process.execPath, '--version');
    expect([ran.code, ran.out]).toEqual([14, '']);
  });
  test('a list, and a request for a person', async () => {
    const ask = '{ verify: () => ({ result: "require-approval", reason: "large" }) }';
    const { verify } = await hooked({ 'a.mjs': `export default [{ verify: () => ({ result: "allow" }) }, ${ask}];` });
    expect(await verify()).toMatchObject({ code: 14, decision: { error_code: 'AIP-E209' } });
  });
  test.each([
    ['throws', 'export default { verify() { throw new Error("no\\u001b[31m db"); } };'],
    ['says nothing', 'export default { verify() {} };'],
  ])('one that %s is a refusal', async (_, text) => {
    const { verify } = await hooked({ 'a.mjs': text });
    const { code, err, decision } = await verify();
    expect([code, decision!.error_code]).toEqual([14, 'HOOK_FAILED']);
    expect(err).not.toContain('\u001b');
  });
  test.each([
    ['loops', 'while (true) {}'],
    ['backtracks', "/^(a+)+$/.test('a'.repeat(40) + '!')"],
  ])('one that %s for ever is a refusal, and the next intent has another thread', async (_, endless) => {
    const text = `export default { verify({ params }) { if (params.slow) { ${endless} } return { result: 'allow' }; } };`;
    const { place, here } = await hooked({ 'a.mjs': text });
    const sign = async (slow: boolean) =>
      (await place.run('intent', 'sign', ...here, '-p', 'bot', '-a', 'pay', '--param', `slow:=${slow}`)).out;
    const lines = place.file('i.ndjson', `${await sign(true)}${await sign(false)}`);
    const { out } = await place.run('intent', 'verify', '--ndjson', lines, ...here);
    const decisions = out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Decision);
    expect(decisions.map(({ error_code }) => error_code)).toEqual(['HOOK_FAILED', null]);
  });
  test('what one prints stands beside the decisions, not among them', async () => {
    const text = "export default { verify() { console.log('asked'); return { result: 'allow' }; } };";
    const { verify } = await hooked({ 'a.mjs': text });
    const { code, decision } = await verify();
    expect([code, decision!.success]).toEqual([0, true]);
  });
  test.each([
    ['is not there', {}, 'hooks: [checks/none.mjs]\n'],
    ['does not parse', { 'a.mjs': 'export default {' }, null],
    ['exports nothing', { 'a.mjs': 'export const hook = 1;' }, null],
    ['exports an empty list', { 'a.mjs': 'export default [];' }, null],
    ['exports something else', { 'a.mjs': 'export default { check() {} };' }, null],
    ['throws when made', { 'a.mjs': 'export default class { constructor() { throw new Error("x"); } }' }, null],
  ])('one that %s ends the command: nothing is judged without it', async (_, modules, config) => {
    const { place, verify, home, trust } = await hooked(modules);
    if (config !== null) place.file('.aiprc', config);
    await trust();
    const { code, decision } = await verify();
    expect([code, decision]).toEqual([2, null]);
    expect([...openAt(join(home, 'state.db')).entries({})]).toEqual([]);
  });
});

test('hooks are trusted with their text and all they import: a change behind a trusted path ends every verification', async () => {
  const place = world();
  place.file('.aiprc', 'hooks: [checks/a.mjs]\n');
  place.file('checks/a.mjs', `import { list } from './list.mjs'; ${REJECT}`);
  place.file('checks/list.mjs', "export * from '../data/names.mjs';");
  place.file('data/names.mjs', 'export const list = [];');
  const verdict = async () => (await place.run('intent', 'verify', place.file('i.json', '{}'))).code;
  // Nobody trusted it: it counts for nothing, and hurts nothing.
  expect(await verdict()).toBe(10);
  expect((await place.run('config', 'trust', '--yes')).code).toBe(0);
  expect(await verdict()).toBe(10);
  for (const path of ['checks/a.mjs', 'checks/list.mjs', 'data/names.mjs', '.aiprc']) {
    const text = readFileSync(join(place.cwd, path), 'utf8');
    place.file(path, `${text}\nhooks: []`);
    expect(await verdict(), path).toBe(2);
    place.file(path, text);
    expect(await verdict(), path).toBe(10);
  }
});

test.each([
  ['a comment before the name', "import /* of */ './b.mjs';"],
  ['a comment that another line separator ends', "import //\u2028'./b.mjs';"],
  ['names of other letters', "import é from './b.mjs';"],
  ['a name that is a text', "import { 'a;b' as c } from './b.mjs';"],
  ['no space', "export*from'./b.mjs';"],
  ['a default before names', "import c, { d } from // it\n'./b.mjs';"],
])('what a hook imports with %s is covered', async (_, line) => {
  const place = world();
  place.file('.aiprc', 'hooks: [a.mjs]\n');
  place.file('a.mjs', `${line}\n${ALLOW}`);
  place.file('b.mjs', 'const b = 1; export { b as default, b as c, b as d, b as "a;b" };');
  expect((await place.run('config', 'trust', '--yes')).code).toBe(0);
  const mark = join(place.cwd, 'ran');
  place.file('b.mjs', `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, '');`);
  const { code, err } = await place.run('intent', 'verify', place.file('i.json', '{}'));
  expect([code, err]).toEqual([2, expect.stringContaining('has changed')]);
  expect(existsSync(mark)).toBe(false);
});

test.each([
  ['a package', "import ajv from 'ajv';"],
  ['an absolute path', "import x from '/tmp/x.mjs';"],
  ['a URL', "import x from 'data:text/javascript,1';"],
  ['a computed name', 'await import(process.env.X);'],
  ['a required package', "require('ajv');"],
  ['by another name', "const load = require;\nload('./b.cjs');"],
  ['through a function', "[require].map((load) => load('./b.cjs'));"],
  ['a package behind a comment', "import /* of */ ajv from /* it */ 'ajv';"],
  ['a name with escapes', "import './\\u0062.mjs';"],
  ['a maker of require', "import { createRequire } from 'node:module';"],
  ['a worker', "import { Worker } from 'node:worker_threads';"],
  ['a deferred module', "const b = await import.defer('./b.mjs');"],
])('a hook that imports %s is not trusted', async (_, line) => {
  const place = world();
  place.file('.aiprc', 'hooks: [a.mjs]\n');
  place.file('a.mjs', `${line}\n${ALLOW}`);
  const { code, err } = await place.run('config', 'trust', '--yes');
  expect([code, err]).toEqual([2, expect.stringContaining('import')]);
});

test.each([
  ['a result', 'export default { verify: () => ({ result: "require-approval", reason: "large" }) };'],
  ['a comment', `// What is large: require approval (see require).\n${ALLOW}`],
  ['a text', `const why = ['require', "they require;"];\n${ALLOW}`],
])('a hook that says "require" in %s is trusted', async (_, text) => {
  const place = world();
  place.file('.aiprc', 'hooks: [a.mjs]\n');
  place.file('a.mjs', text);
  const { code } = await place.run('config', 'trust', '--yes');
  expect(code).toBe(0);
});

test("hooks in another user's config are not run, whoever set the home", async () => {
  const place = world({ uid: 4_000_000 });
  const config = place.file('home/config.json', JSON.stringify({ hooks: ['./a.mjs'] }));
  place.file('home/a.mjs', 'globalThis.ran = true; export default { verify: () => ({ result: "allow" }) };');
  // Root is believed, so that its file has to be made somebody's.
  if (process.getuid!() === 0) chownSync(config, 4_000_001, 4_000_001);
  const verify = () => place.run('intent', 'verify', place.file('i.json', '{}'), '--home', dirname(config));
  const { code, err } = await verify();
  expect([code, err]).toEqual([2, expect.stringContaining('belongs to another user')]);
  expect(globalThis).not.toHaveProperty('ran');
});
