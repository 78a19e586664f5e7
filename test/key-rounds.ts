import { vi } from 'vitest';

// A key file costs who guesses passphrases a quarter of a second, and every test with one as much. `file-pem.test.ts` holds what ships.
vi.mock('../src/adapters/keys/file/rounds.js', () => ({ PBKDF2_ROUNDS: 1_000 }));
