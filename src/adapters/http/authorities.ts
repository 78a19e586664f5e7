/** The certificate authorities of an organisation's own, in a file of PEM blocks. */
import { X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** All authorities that browsers trust are a quarter of this. */
const MAX_BYTES = 1024 * 1024;
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates in the file at `path`, or in words why there are none that can be used. */
export function readAuthorities(path: string): { readonly certificates: string[] } | { readonly problem: string } {
  let text: string;
  try {
    text = readBounded(path);
  } catch (error) {
    return { problem: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'it is no file of PEM'})` };
  }
  const certificates = text.match(BLOCK) ?? [];
  if (certificates.length === 0) return { problem: `${path} holds no certificate in PEM` };
  for (const [i, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      return { problem: `certificate ${i + 1} of ${path} is damaged` };
    }
  }
  return { certificates };
}

function readBounded(path: string): string {
  // Opening a pipe would wait for a writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > MAX_BYTES) throw new Error('not a small regular file');
    return readFileSync(file, 'latin1');
  } finally {
    closeSync(file);
  }
}
