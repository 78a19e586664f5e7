/**
 * Stands in for `@neon-rs/load` and `detect-libc` in the bundle (esbuild `--alias`): libsql asks both which of its prebuilt
 * packages fits this machine. They write a whole process report or start `ldd` to find out, which costs more than the rest
 * of a verification; the header of the running executable says it too.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { notInstalled } from './failures.js';

export const GLIBC = 'glibc';
export const MUSL = 'musl';

let family: string | null | undefined;

/** The C library this process runs on; null off Linux. */
export function familySync(): string | null {
  if (process.platform !== 'linux') return null;
  family ??= interpreter(process.execPath)?.includes('/ld-musl-') === true ? MUSL : GLIBC;
  return family;
}

/** The suffix of the prebuilt package, as libsql names it. */
export function currentTarget(): string {
  const { platform, arch } = process;
  const musl = familySync() === MUSL;
  if (platform === 'linux' && arch === 'arm') return musl ? 'linux-arm-musleabihf' : 'linux-arm-gnueabihf';
  if (platform === 'linux') return `linux-${arch}-${musl ? 'musl' : 'gnu'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

/**
 * The native half of libsql. In a bundle libsql asks for it here, because the build sets LIBSQL_JS_DEV, and not by itself:
 * the package is optional, so npm may have left it out, or brought that of another machine; and where packages see only
 * what they declare (Yarn's Plug'n'Play, pnpm without hoisting) libsql sees it and a bundle does not.
 * @throws Failure STATE
 */
export function load(): unknown {
  const name = `@libsql/${currentTarget()}`;
  // A bundle's own; the sources have none.
  const from = typeof require === 'function' ? require : createRequire(import.meta.url);
  try {
    return from(name);
  } catch (error) {
    try {
      return createRequire(from.resolve('libsql'))(name);
    } catch {
      throw notInstalled(name, error);
    }
  }
}

/** The path of the dynamic loader that an ELF executable asks for: its PT_INTERP segment (System V ABI, "Program Header"). */
function interpreter(path: string): string | null {
  const bytes = head(path);
  if (bytes === null || bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[5] !== 1) return null;
  const wide = bytes[4] === 2;
  const table = wide ? Number(bytes.readBigUInt64LE(32)) : bytes.readUInt32LE(28);
  const size = bytes.readUInt16LE(wide ? 54 : 42);
  const count = bytes.readUInt16LE(wide ? 56 : 44);
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    if (at + size > bytes.length) return null;
    if (bytes.readUInt32LE(at) !== 3) continue;
    const from = wide ? Number(bytes.readBigUInt64LE(at + 8)) : bytes.readUInt32LE(at + 4);
    const length = wide ? Number(bytes.readBigUInt64LE(at + 32)) : bytes.readUInt32LE(at + 16);
    return bytes.toString('latin1', from, from + length);
  }
  return null;
}

function head(path: string): Buffer | null {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(4096);
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    // Unreadable executables exist (mode 0111); glibc is what nearly all of them run on, and a wrong guess fails to load.
    return null;
  }
}
