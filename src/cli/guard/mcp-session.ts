/** A guard's session over this machine's keys, state and pins. */
import type { Desk } from '../../app/guarding/desk.js';
import { ownFilesRefusal, type OwnFiles } from '../../guard/hook/own-refusal.js';
import { McpSession } from '../../guard/mcp/session.js';
import { sessionMemory, type SessionMemory } from '../../guard/mcp/memory.js';
import type { CallVerdict, ReadKind, SessionRoute, SessionPorts, ToolCall } from '../../guard/mcp/ports.js';
import type { ToolPins } from '../../guard/mcp/tools.js';
import { GatheredOutcomes } from '../../app/outcomes/gathered.js';
import { refusalToAsker, type CallRefusal } from '../../guard/refusal.js';
import { remedyFor } from '../../app/verification/remedy.js';
import { NATIVE_CODES } from '../../protocol/codes.js';
import type { Passport } from '../../protocol/passport.js';
import type { Violation } from '../../verify/decision.js';
import { serverPins } from '../../workspace/guard/servers.js';
import type { Desks } from './desks.js';
import { clean } from '../render/terminal/text.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';

/** What these functions need of a command. */
type Scene = Setting & Notices;

/** How a guard was set up. */
export interface GuardRules {
  readonly server: string;
  readonly map: ReadonlyMap<string, string>;
  readonly allowElicitation: boolean;
  readonly observe: boolean;
  readonly requirePins: boolean;
  /** What no call reaches, whatever the passport says. */
  readonly own: OwnFiles;
  /** The folders in which the server may read a relative path; null for one of which none is known. */
  readonly folders: readonly (string | null)[];
}

/** Makes sessions between clients and one server. */
export interface SessionMaker {
  /** @param memory what the session shares with others; its own where it is left out */
  readonly open: (route: SessionRoute, memory?: SessionMemory) => McpSession;
  readonly memory: () => SessionMemory;
  /** What denies the agent now: its sessions are cut then, and go on after that. */
  readonly standing: () => Promise<CallRefusal | null>;
  /** Writes what waits: what became of calls. */
  readonly finish: () => void;
}

/** How often the agent's standing is looked at while a guard runs (ms). */
const LOOK_MS = 200;

/**
 * Tells again and again what denies the agent. When that cannot be read, it is unknown whether the agent may go on, and the calls
 * themselves decide. @returns what ends it
 */
export function lookedAt(
  cli: Scene,
  { standing }: SessionMaker,
  stands: (refusal: CallRefusal | null) => void,
): () => void {
  let stop = (): void => undefined;
  let failing = false;
  const again = (): void => {
    stop = cli.workspace.world.after(LOOK_MS, () => {
      standing()
        .then(
          (refusal) => {
            failing = false;
            stands(refusal);
          },
          (error: unknown) => {
            if (!failing) cli.warn(`The agent's standing cannot be read: ${String(error).slice(0, 200)}`, 'standing');
            failing = true;
          },
        )
        .finally(again);
    });
  };
  again();
  return () => stop();
}

/** @throws Failure STATE, KEYSTORE_DENIED (pins) */
export async function sessionMaker(cli: Scene, desks: Desks, desk: Desk, rules: GuardRules): Promise<SessionMaker> {
  const { server, observe: observed } = rules;
  const [pins, maxTtlMs] = [await pinsOf(cli, server), (await cli.config()).get('revocation.max_age')];
  let passport: Passport = await desk.passport();
  const { after, atExit, ticks } = cli.workspace.world;
  /** Each yes until its outcome is told, by its intent: its token, and when the call began (ticks). */
  const running = new Map<string, { readonly token: string | null; readonly begun: number }>();
  const begin = (intentHash: string, token: string | null): CallVerdict => {
    running.set(intentHash, { token, begun: ticks() });
    return { allowed: true, intentHash };
  };
  const outcomes = new GatheredOutcomes({
    after,
    atExit,
    record: (reports) => desks.outcomes(reports).map(({ message }) => message),
    missing: (why) => cli.warn(`What became of a call is not in the log: ${why}`, 'outcome'),
  });

  // A server names its tools as it likes: a name ends no line.
  const note = (text: string): void => cli.note(clean(text));

  const ports = (route: SessionRoute): SessionPorts => ({
    ...route,
    server,
    pins,
    maxTtlMs,
    ticks,
    requirePins: rules.requirePins,
    allowElicitation: rules.allowElicitation,
    observe: observed,
    async decide(call: ToolCall) {
      const { tool, action, params, target, continues } = call;
      const own = ownFilesReached(call, rules);
      if (own !== null) {
        const { code, name, details } = own;
        desks.record({ passport, action, target, params, code, name, details, observed });
        return { allowed: false, ...own };
      }
      const handed = { agentId: passport.agent.id, tool: `${server}.${tool}`, action, params };
      const left = tool !== null && continues === null ? desks.take(handed) : null;
      if (left !== null) return begin(left.intentHash, left.token);
      const counted = continues === null;
      const approved = counted ? null : desks.requestOf(continues);
      const named = approved === null ? { findRequest: true } : { approvalRequest: approved };
      const { decision } = await desk.decide({ action, params, target, counted, observed, ...named });
      passport = await desk.passport();
      if (!decision.success) return { allowed: false, ...refusalToAsker(decision) };
      return begin(decision.intent_hash!, decision.outcome_token);
    },
    answersRefused(method, params) {
      const target = `mcp:${server}`;
      const call = { tool: null, action: method, params: {}, beside: params, target, continues: null };
      const own = ownFilesReached(call, rules);
      if (own === null) return null;
      const { code, name, details } = own;
      desks.record({ passport, action: method, target, params, code, name, details, observed });
      return own;
    },
    refused({ action, params, target }, { code, name, details }) {
      desks.record({ passport, action, target, params, code, name, details, observed });
    },
    outcome(intentHash, status) {
      const call = running.get(intentHash);
      running.delete(intentHash);
      // Without a report the log says that it is not known.
      if (status === 'unknown' || call === undefined || call.token === null) return;
      const durationMs = Math.max(0, Math.round((ticks() - call.begun) / 1000));
      outcomes.tell({ intentHash, status, token: call.token, durationMs });
    },
    declares: (action) => passport.actions.has(action) && !passport.deniedActions.has(action),
    patterns: (kind) => behind(kind, passport.actions.keys()),
    denied: (kind) => behind(kind, passport.deniedActions),
    mapped: (tool) => rules.map.get(tool) ?? null,
    note,
  });

  return {
    open: (route, memory) => new McpSession(ports(route), memory),
    memory: () => sessionMemory({ server, pins, requirePins: rules.requirePins, note, ticks, maxTtlMs }),
    async standing() {
      // A passport that was renewed or replaced counts at once as well.
      passport = await desk.passport();
      const denied = await desks.denied(passport);
      return denied === null ? null : refusalFrom(denied);
    },
    finish: () => outcomes.write(),
  };
}

/** What stands behind `resource:` or `prompt:` in the names of actions. */
function behind(kind: ReadKind, actions: Iterable<string>): string[] {
  return [...actions].filter((name) => name.startsWith(`${kind}:`)).map((name) => name.slice(kind.length + 1));
}

/** The same test as the hook's, for every folder in which the server may read a path. */
function ownFilesReached(call: ToolCall, { server, own, folders }: GuardRules): CallRefusal | null {
  const tool = call.tool ?? call.action;
  // Each as a whole: an argument by the name of an answer would stand in its place.
  const params = { given: [call.beside, call.params] };
  // As a hook names the tools of servers: none of them is the shell, of which nothing is promised.
  const asked = { tool, action: `${server}.${tool}`, params, mcp: { server, tool } };
  for (const target of folders) {
    const refusal = ownFilesRefusal({ ...asked, target }, call.action, own);
    if (refusal !== null) return refusal;
  }
  return null;
}

function refusalFrom({ entry, message, details }: Violation): CallRefusal {
  const known = Object.values(NATIVE_CODES).find(({ code }) => code === entry.code);
  const remedy = known === undefined ? '' : remedyFor(known, details);
  return { code: entry.code, name: entry.name, message, remedy, details, intentHash: null };
}

/**
 * Read once: another process that accepts new pins counts from the next start on. While there are none they are looked for again: a guard
 * that another client started may have seen the server first, and what it pinned is not to be replaced by what the server says later.
 */
async function pinsOf(cli: Scene, server: string): Promise<ToolPins> {
  const file = await serverPins(cli.workspace, server);
  const hashes = (tools: readonly { readonly name: string; readonly hash: string }[]): Map<string, string> =>
    new Map(tools.map(({ name, hash }) => [name, hash]));
  let known: Map<string, string> | null = null;
  const look = (): Map<string, string> | null => {
    const kept = known === null ? file.read() : null;
    if (kept !== null) known = hashes(kept);
    return known;
  };
  look();
  return {
    known: look,
    keep(tools) {
      file.write(tools);
      known = hashes(tools);
    },
  };
}
