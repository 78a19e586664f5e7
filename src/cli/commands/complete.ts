import type { CommandSpec } from '../spec.js';
export const command: CommandSpec = { path: ['complete'], summary: 'x', examples: [], touches: [], run: async () => 0 };
