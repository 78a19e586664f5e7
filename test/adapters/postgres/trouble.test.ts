import { expect, test } from 'vitest';
import { certificateHint } from '../../../src/adapters/postgres/trouble.js';

// The codes that Node gives beside a PostgreSQL of which one side refuses the other's certificate.
test.each([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /^name the CA of the server in its URL: sslrootcert=/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /^name the CA of the server/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /^name the CA of the server/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /^name the CA of the server/],
  ['CERT_HAS_EXPIRED', /^renew the certificate of the server/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /^name the host in the URL/],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /sslcert=/],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', /sslcert=/],
])('%s: what is said helps where it is', (code, hint) => {
  expect(certificateHint(code)).toMatch(hint);
});

test.each(['ECONNRESET', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', undefined])('%s: no certificate helps', (code) => {
  expect(certificateHint(code)).toBeNull();
});
