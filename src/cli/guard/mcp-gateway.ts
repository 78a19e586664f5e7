/** A guard before a server over HTTP: listens, and runs until it is stopped. */
import { resolve } from 'node:path';
import { CLIENT_BOUNDS } from '../../guard/mcp/message.js';
import { Gateway } from '../../guard/mcp/http/gateway.js';
import { toHex } from '../../protocol/hex.js';
import { bearerToken, defaultTokenFile, listenHere, sameText } from '../../workspace/guard/serving.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Interruptible, Surroundings } from '../io.js';
import type { Notices, Output } from '../output.js';
import { clean } from '../render/terminal/text.js';
import type { Setting } from '../setting.js';
import type { Desks } from './desks.js';
import { allowedHosts, type LoopbackAddress } from './listening.js';
import { upstreamOf, type ServerFlags } from './mcp-server.js';
import { lookedAt, type SessionMaker } from './mcp-session.js';
import { refusedOnHeaders, type GateRules } from '../../guard/serve/gate.js';

/** What it was started with. */
export interface HttpGuardFlags {
  readonly name: string;
  readonly url: string;
  readonly address: LoopbackAddress;
  readonly flags: ServerFlags & { readonly tokenFile?: string; readonly allowHost: readonly string[] };
}

/** Serves until the process is stopped. @throws Failure NETWORK, KEYSTORE_DENIED, UNREADABLE, NOT_FOUND */
export async function overHttp(
  cli: Setting & Notices & Output & Lifetime & Surroundings & Interruptible,
  desks: Desks,
  maker: SessionMaker,
  { name, url, address, flags }: HttpGuardFlags,
): Promise<never> {
  const tokenFile =
    flags.tokenFile === undefined ? defaultTokenFile(cli.workspace) : resolve(cli.io.cwd, flags.tokenFile);
  const token = await bearerToken(cli.workspace, tokenFile);
  const { random } = cli.workspace.world;
  let hosts: ReadonlySet<string> = new Set();
  const gate: GateRules = {
    agents: [],
    token,
    same: sameText,
    get hosts() {
      return hosts;
    },
  };
  const gateway = new Gateway({
    gate,
    upstream: await upstreamOf(cli, url, flags),
    path: new URL(url).pathname,
    server: name,
    open: maker.open,
    memory: maker.memory,
    newId: () => toHex(random(16)),
  });
  const listening = await listenHere((request) => gateway.respond(request), {
    socket: null,
    tcp: address,
    door: (head) => refusedOnHeaders(gate, head),
    maxBody: CLIENT_BOUNDS.bytes,
    onBug: (error) => cli.warn(`A request could not be answered; this is a bug: ${String(error).slice(0, 300)}`, 'bug'),
  });
  hosts = allowedHosts(listening.url, flags.allowHost);
  const stopLooking = lookedAt(cli, maker, (refusal) => gateway.stands(refusal));
  cli.onInterrupt(async () => {
    stopLooking();
    gateway.close();
    await listening.close();
    maker.finish();
    await desks.idle();
  });
  const here = `${listening.url!}/mcp`;
  if (cli.globals.json) cli.json({ event: 'ready', socket: null, url: here });
  else {
    cli.out(`${cli.paint.green('guarding')} ${clean(name)} ${cli.paint.dim('at')} ${here}`);
    cli.out(`  ${cli.paint.dim('token')} ${clean(tokenFile)}`);
  }
  return new Promise<never>(() => undefined);
}
