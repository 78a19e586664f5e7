import { describe } from 'vitest';
import { testEverySeed } from '../kit/mesh/simulation/seeds.js';

describe('two servers on one store, keys, passports and a roster under the same', () => {
  testEverySeed(true);
});
