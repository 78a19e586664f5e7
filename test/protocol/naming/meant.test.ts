import { expect, test } from 'vitest';
import { isMeant, nameOf } from '../../../src/protocol/naming/names.js';

test.each<[meant: string, path: string, is: boolean]>([
  ['order.total', 'order.total', true],
  ['order.total', 'data[3].Orders[0].TOTAL', true],
  ['order.total', 'total', false],
  ['order.total', 'other.total', false],
  ['order.total', 'reorder.total', false],
  ['order.total', 'order.total.value', false],
  ['order.total', `${'order '.repeat(60)}.total`, false],
])('%s means %s: %s', (meant, path, is) => {
  expect(isMeant(nameOf(meant), nameOf(path.split('.').at(-1)!), path)).toBe(is);
});

test('a path is read no further than it can be meant, however long it is', () => {
  const named = Array.from({ length: 16 }, (_, i) => nameOf(`a.b${i}.c`));
  const long = 'a.'.repeat(15_000);
  for (let i = 0; i < 3000; i++) {
    const name = nameOf(`n${i}`);
    expect(named.some((each) => isMeant(each, name, `${long}n${i}`))).toBe(false);
  }
});
