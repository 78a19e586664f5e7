/** Keys in an ssh-agent: draft-ietf-sshm-ssh-agent, over the socket that SSH_AUTH_SOCK names. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Failure } from '../../../app/failure.js';
import type { Environment } from '../../../app/ports/secrets.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import type { KeyAddress } from '../../../protocol/identity/key-address.js';
import { SshWire, sshString } from '../../../protocol/identity/ssh-wire.js';
import { ANSWER_MS, unusableAnswer } from './checked.js';

const LIST = { ask: 11, answer: 12 };
const SIGN = { ask: 13, answer: 14 };
/** OpenSSH's own bound on a message of an agent, in bytes. */
const MAX_MESSAGE = 256 * 1024;
const WINDOWS_PIPE = '\\\\.\\pipe\\openssh-ssh-agent';
const ED25519 = 'ssh-ed25519';

interface Listed {
  readonly fingerprint: string;
  readonly comment: string;
}

interface Identity extends Listed {
  readonly blob: Buffer;
  readonly publicKey: Uint8Array;
}

/** A key that cannot sign here, by the name that SSH has for its kind. */
interface OtherKey extends Listed {
  readonly kind: string;
}

interface Listing {
  readonly found: readonly Identity[];
  readonly others: readonly OtherKey[];
}

type AgentAddress = Extract<KeyAddress, { kind: 'ssh-agent' }>;

export async function sshAgentKey(
  env: Environment,
  address: AgentAddress,
  wanted: Uint8Array | null,
): Promise<SigningKey> {
  const socket = env['SSH_AUTH_SOCK'] ?? (process.platform === 'win32' ? WINDOWS_PIPE : '');
  if (socket === '')
    throw new Failure('KEYSTORE_MISSING', 'There is no ssh-agent: SSH_AUTH_SOCK is not set.', {
      hint: 'eval "$(ssh-agent)" && ssh-add',
    });
  const { found, others } = await identities(socket);
  const meant = found.filter((identity) => identity[address.by] === address.value);
  const [identity, other] =
    wanted === null ? meant : meant.filter(({ publicKey }) => Buffer.compare(publicKey, wanted) === 0);
  if (other !== undefined)
    throw new Failure('USAGE', `The ssh-agent has ${meant.length} Ed25519 keys with the comment ${address.value}.`, {
      hint: `ssh-agent:SHA256:${other.fingerprint} names one of them`,
    });
  if (identity === undefined) {
    throw notThere(address, meant.length > 0, { found, others });
  }
  return {
    publicKey: identity.publicKey,
    async sign(message) {
      const question = [sshString(identity.blob), sshString(message), Buffer.alloc(4)];
      const body = await ask(socket, SIGN, Buffer.concat(question));
      const signature = reading(() => {
        const wire = new SshWire(new SshWire(body).bytes());
        return { kind: wire.text(), bytes: wire.bytes() };
      });
      if (signature.kind !== ED25519) throw unusableAnswer('The ssh-agent', 'a signature of another kind of key');
      return signature.bytes;
    },
  };
}

function notThere({ by, value }: AgentAddress, another: boolean, { found, others }: Listing): Failure {
  if (another)
    return new Failure('KEY_NOT_FOUND', `The key ${value} in the ssh-agent is not the one that is asked for.`, {
      hint: 'ssh-add -l lists what the agent has',
    });
  const kind = others.find((each) => each[by] === value)?.kind;
  if (kind !== undefined)
    return new Failure(
      'KEY_NOT_FOUND',
      `The key ${value} in the ssh-agent is an ${kind} key; an ${ED25519} key is needed.`,
      {
        hint: 'ssh-keygen -t ed25519, and ssh-add the new key',
      },
    );
  const asked = by === 'fingerprint' ? `SHA256:${value}` : value;
  const listed = found.slice(0, 5).map(({ fingerprint, comment }) => `SHA256:${fingerprint} (${comment.slice(0, 60)})`);
  // OpenSSH's agent names no key while it is locked.
  if (found.length + others.length === 0)
    return new Failure(
      'KEY_NOT_FOUND',
      `The ssh-agent has no Ed25519 key ${asked}: it holds no key at all, or is locked.`,
      {
        hint: 'ssh-add ~/.ssh/id_ed25519, or where it is locked: ssh-add -X',
      },
    );
  const has = listed.length === 0 ? 'none of that kind' : listed.join(', ');
  return new Failure('KEY_NOT_FOUND', `The ssh-agent has no Ed25519 key ${asked}; it has ${has}.`, {
    hint: 'ssh-add ~/.ssh/id_ed25519',
  });
}

/** The Ed25519 keys that the agent has, and the others. */
async function identities(socket: string): Promise<Listing> {
  const body = await ask(socket, LIST, Buffer.alloc(0));
  return reading(() => {
    const wire = new SshWire(body);
    const count = wire.number();
    if (count > MAX_MESSAGE) throw new RangeError('more keys than bytes');
    const found: Identity[] = [];
    const others: OtherKey[] = [];
    for (let i = 0; i < count; i++) {
      const [blob, comment] = [wire.bytes(), wire.bytes().toString('utf8')];
      const key = new SshWire(blob);
      const kind = key.text();
      const fingerprint = createHash('sha256').update(blob).digest('base64').replace('=', '');
      if (kind === ED25519) found.push({ blob, publicKey: Uint8Array.from(key.bytes()), fingerprint, comment });
      else others.push({ kind: kind.slice(0, 60), fingerprint, comment });
    }
    return { found, others };
  });
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw unusableAnswer('The ssh-agent', 'something that is no answer of an agent');
    throw error;
  }
}

/** One question on a connection of its own. */
function ask(socket: string, kind: { readonly ask: number; readonly answer: number }, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    const timer = setTimeout(() => {
      end(
        new Failure('KEYSTORE_TIMEOUT', 'The ssh-agent did not answer within 5 s.', {
          hint: 'a key that was added with ssh-add -c asks a person first; answer there, and run this again',
          retryable: true,
        }),
      );
    }, ANSWER_MS);
    let received = Buffer.alloc(0);
    const end = (result: Failure | Buffer): void => {
      clearTimeout(timer);
      connection.destroy();
      if (result instanceof Buffer) resolve(result);
      else reject(result);
    };
    connection.on('connect', () => connection.write(sshString(Buffer.concat([Buffer.from([kind.ask]), body]))));
    connection.on('error', (cause: NodeJS.ErrnoException) =>
      end(
        new Failure('KEYSTORE_MISSING', `The ssh-agent cannot be reached (${cause.code ?? 'unknown'}).`, {
          hint: 'SSH_AUTH_SOCK names no agent that runs: eval "$(ssh-agent)" && ssh-add',
        }),
      ),
    );
    connection.on('close', () => end(unusableAnswer('The ssh-agent', 'half an answer')));
    connection.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
      if (received.length < 5) return;
      const length = received.readUInt32BE(0);
      if (length < 1 || length > MAX_MESSAGE)
        return end(unusableAnswer('The ssh-agent', 'something that is no answer of an agent'));
      if (received.length < 4 + length) return;
      if (received[4] === kind.answer) return end(received.subarray(5, 4 + length));
      const refusal = 'The ssh-agent refused: it is locked, the key was removed, or a person said no.';
      end(new Failure('KEYSTORE_DENIED', refusal, { hint: 'ssh-add -X unlocks it; ssh-add -l lists its keys' }));
    });
  });
}
