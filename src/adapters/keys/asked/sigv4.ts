/** AWS Signature Version 4 for a POST with a JSON body. */
import { createHmac } from 'node:crypto';
import { sha256Hex } from '../../../protocol/hash.js';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface SignedPost {
  readonly host: string;
  readonly path: string;
  readonly region: string;
  readonly service: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of `post` with those that sign it. `now` is in ms since the epoch. */
export function signedHeaders(post: SignedPost, credentials: AwsCredentials, now: number): Record<string, string> {
  const at = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = at.slice(0, 8);
  const headers: Record<string, string> = {
    ...post.headers,
    host: post.host,
    'x-amz-date': at,
    ...(credentials.sessionToken === null ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    'POST',
    post.path,
    '',
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    sha256Hex(post.body),
  ].join('\n');
  const scope = `${day}/${post.region}/${post.service}/aws4_request`;
  const key = [post.region, post.service, 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(Buffer.from(`AWS4${credentials.secretAccessKey}`), day),
  );
  const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256Hex(canonical)].join('\n')).toString('hex');
  const credential = `Credential=${credentials.accessKeyId}/${scope}`;
  headers['authorization'] = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
