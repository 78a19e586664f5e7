import { describe } from 'vitest';
import { testEverySeed } from '../kit/mesh/simulation/seeds.js';

describe('server, ring and clients under a hostile clock, network and disk', () => {
  testEverySeed(false);
});
