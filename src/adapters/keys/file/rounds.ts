/** PBKDF2-HMAC-SHA256 rounds of new files (OWASP Password Storage Cheat Sheet). By itself, so that the tests' keys take less: a quarter of a second each. */
export const PBKDF2_ROUNDS = 600_000;
