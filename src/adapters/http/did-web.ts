/** did:web documents over HTTPS (W3C did:web, "Read"): bounded in time and size, no redirects, no plain HTTP. */
import { get } from 'node:https';
import { Failure } from '../../app/failure.js';
import { didDocumentUrl } from '../../protocol/identity/did.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';

const TIMEOUT_MS = 5000;

/** The bytes of a DID's document. The certificate is checked against the authorities that Node believes. */
export function fetchDidDocument(did: string): Promise<Uint8Array> {
  const url = didDocumentUrl(did);
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(
        new Failure('NETWORK', `${url} ${why}.`, {
          hint: `check that the domain serves its DID document, or pin the key by hand: aip principal add ${did} --public-key <key>`,
          retryable: true,
          cause,
        }),
      );
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = get(url, { signal, headers: { accept: 'application/did+json, application/json' } }, (response) => {
      if (response.statusCode !== 200) {
        const { statusCode = 0, headers } = response;
        response.destroy();
        if (statusCode < 300 || statusCode > 399) return fail(`answered with status ${statusCode}`);
        // did:web names the host that vouches; another host's word is not its word.
        const to = headers.location === undefined ? 'elsewhere' : `to ${headers.location.slice(0, 200)}`;
        return fail(
          `redirects ${to} (status ${statusCode}), and redirects are not followed: a did:web is what its own host says`,
        );
      }
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length <= MAX_DOCUMENT_BYTES) return;
        response.destroy();
        fail(`is longer than ${MAX_DOCUMENT_BYTES} bytes`);
      });
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', (error) => fail('broke off', error));
    });
    request.on('error', (error) => {
      if (signal.aborted) return fail(`did not answer within ${TIMEOUT_MS / 1000} s`, error);
      const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
      fail(`cannot be reached (${code})`, error);
    });
  });
}
