/** Commands that are proposed for this machine act on the home that was named. */
import { describe, expect, test } from 'vitest';
import { hintInSamePlace, inSamePlace, placeFlags } from '../../../src/cli/shell/same-place.js';
import { household } from '../../kit/native/household.js';

const PLACE = ['--home', 'my home'];

describe('what is proposed', () => {
  test.each([
    ['aip passport list', "aip --home 'my home' passport list"],
    [
      'aip mesh serve, or: aip mesh join <url>',
      "aip --home 'my home' mesh serve, or: aip --home 'my home' mesh join <url>",
    ],
    [
      'next: aip intent sign -a x | aip intent verify -',
      "next: aip --home 'my home' intent sign -a x | aip --home 'my home' intent verify -",
    ],
    ['then: aip passport update bot', "then: aip --home 'my home' passport update bot"],
    [
      'on this machine: aip revoke x --local; then try',
      "on this machine: aip --home 'my home' revoke x --local; then try",
    ],
    [
      'a key; on this machine alone: aip revoke x --local',
      "a key; on this machine alone: aip --home 'my home' revoke x --local",
    ],
  ])('for this machine names its home: %s', (text, expected) => {
    expect(inSamePlace(text, PLACE)).toBe(expected);
    expect(inSamePlace(text, [])).toBe(text);
  });

  test.each([
    'Copy bot.json to every other machine, and there:\n  aip principal add did:web:acme.com\n  aip passport import bot.json',
    'aip mesh backup <file>, at home',
    'aip approvals list --all, on the machine that verifies',
    'aip passport create --help',
    'aip help config',
    'aip hook install claude --home /srv/aip',
    'give --yes',
    'ask for it again: aip logs prove <entry>',
  ])('for another one, or help, does not: %s', (text) => {
    expect(inSamePlace(text, PLACE)).toBe(text);
  });

  test.each([
    ['check mesh.url: aip config list --sources', "check mesh.url: aip --home 'my home' config list --sources"],
    [
      'give --for 30m; to stop it for good: aip revoke',
      "give --for 30m; to stop it for good: aip --home 'my home' revoke",
    ],
    ['look: aip status; then aip mesh join', "look: aip --home 'my home' status; then aip --home 'my home' mesh join"],
    ['AIP_MESH_KEY=<key>, or aip mesh join', "AIP_MESH_KEY=<key>, or aip --home 'my home' mesh join"],
    ['aip passport list', "aip --home 'my home' passport list"],
  ])('in a hint names its home behind words as well: %s', (hint, expected) => {
    expect(hintInSamePlace(hint, PLACE)).toBe(expected);
    expect(hintInSamePlace(hint, [])).toBe(hint);
  });

  test.each([
    'make it again where the agent lives: aip passport request <name>',
    'get a key that is in force: aip mesh key create, where an admin is; then aip mesh join',
    'give --key-file <file>; at home: aip mesh key create --role region',
    'ask for it again: aip logs prove <entry>',
    'for a new key: aip help passports',
  ])('in a hint for elsewhere does not: %s', (hint) => {
    expect(hintInSamePlace(hint, PLACE)).toBe(hint);
  });

  test.each<[string[], string[]]>([
    [['status'], []],
    [
      ['--home', 'h', 'status', '--config=c.json'],
      ['--home', 'h', '--config', 'c.json'],
    ],
    [['exec', '--', '--home', 'h'], []],
    [['status', '--home'], []],
  ])('%j is in %j', (argv, place) => {
    expect(placeFlags(argv)).toEqual(place);
  });
});

test('the next step of each command is taken in the home that it was given', async () => {
  const home = household();
  expect((await home.run('passport', 'list', '--home', 'h')).err).toContain('next: aip --home h passport create');
  expect((await home.run('passport', 'show', 'nobody', '--home=h')).err).toContain('hint: aip --home h passport list');
  expect((await home.run('passport', 'show', 'nobody')).err).toContain('hint: aip passport list');
});
