/** What replaces a module, or keeps a browser for all tests of a file. */
export const ALONE: string[] = [
  'test/adapters/keys/file-pem.test.ts',
  'test/app/redteam/approvals.test.ts',
  'test/browser/dashboard.test.ts',
  'test/browser/inbox.test.ts',
  'test/cli/conduct/health.test.ts',
  'test/guard/frameworks/frameworks.test.ts',
  'test/guard/frameworks/packages.test.ts',
];
