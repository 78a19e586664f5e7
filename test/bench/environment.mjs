/** What a measured process inherits; in JavaScript, so that plain `node` can start with it. */

/** Where programs, temporary files and the Python packages are; nothing of these changes what is measured. */
const KEPT = ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'AIP_TEST_PYTHON', 'AIP_TEST_KEY_SERVICES'];

/**
 * Of `env`, what a benchmark and all that it starts may see. NODE_EXTRA_CA_CERTS alone adds 30 ms to every start on Node 20,
 * NODE_OPTIONS and NODE_COMPILE_CACHE change what is compiled, and AIP_* would bring somebody's own state in.
 */
export function measuredEnvironment(env) {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => KEPT.includes(name) && value !== undefined));
}
