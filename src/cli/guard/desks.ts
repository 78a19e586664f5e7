/** What `serve`, `hook` and `mcp guard` decide with: this machine's keys, state, passports and config, held open. */
import { approvedRequest } from '../../app/guarding/approved.js';
import { deskOf, type Desk, type Speaking } from '../../app/guarding/desk.js';
import { handOverKey, mayTakeOver, type HandedCall } from '../../app/guarding/hand-over.js';
import type { HandOver } from '../../app/ports/hand-overs.js';
import { refusalEntry, type UnsignedRefusal } from '../../app/guarding/record.js';
import { standingRefusal } from '../../app/guarding/standing.js';
import { Failure } from '../../app/failure.js';
import { openKey, type HeldKey } from '../../app/keys/keyring.js';
import type { Release } from '../../app/ports/fleet-memory.js';
import { recordOutcome, recordOutcomes, releaseShared } from '../../app/outcomes/report.js';
import type { OutcomeAnswer, OutcomeReport } from '../../app/outcomes/report.js';
import type { Ledger } from '../../app/ports/state.js';
import { findPassport } from '../../app/passports/find.js';
import type { Submission } from '../../app/verification/intents.js';
import { isAgentId } from '../../protocol/identity/did.js';
import type { Passport } from '../../protocol/passport.js';
import type { Decision, Violation } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import { handOversOf } from '../../workspace/guard/servers.js';
import { GroupCommit } from '../../workspace/group-commit.js';
import { bringRequest } from '../../workspace/fleet/requests.js';
import { keyring } from '../../workspace/keys.js';
import { stateUrl } from '../approvals/requests.js';
import { documentReader } from '../input/documents.js';
import { type KeyPlaceFlags } from '../input/key-place.js';
import { keyPlaceNamed } from '../intents/signing.js';
import { verification } from '../intents/verification.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** How agents speak and are judged. */
export interface DeskFlags extends KeyPlaceFlags {
  readonly geo?: string;
  /** True for a command that runs on: the mesh is followed then. */
  readonly live: boolean;
}

/** One verifier for all agents of a command. */
export interface Desks {
  readonly verify: (document: Uint8Array | string, dryRun: boolean) => Promise<Judgement>;
  /** The desk of one agent: its id, its name, or the path of its passport. Its key is opened now. @throws Failure */
  readonly open: (agent: string) => Promise<{ readonly agentId: string; readonly desk: Desk }>;
  /** What denies an agent now, without a call; null while nothing does. */
  readonly denied: (passport: Passport) => Promise<Violation | null>;
  /** Leaves an accepted decision for the guard before the tool's server. */
  readonly leave: (call: HandedCall, decision: Decision) => void;
  /** A hook's decision about the very same call, once; null where there is none to go by. */
  readonly take: (call: HandedCall) => HandOver | null;
  /** The request that an accepted intent ran under: what goes on from there does so as well. Null where it ran under none. */
  readonly requestOf: (intentHash: string) => string | null;
  /** Writes a refusal that no intent was signed for into the log. */
  readonly record: (refusal: UnsignedRefusal) => void;
  /**
   * Writes down what became of a yes of this agent, of any where it is null.
   * @throws Failure FORBIDDEN for another agent's, and as `reportOutcome`
   */
  readonly outcome: (report: OutcomeReport, agentId: string | null) => Promise<OutcomeAnswer>;
  /** The same of several, in one commit; what could not be written is told. @throws Failure STATE */
  readonly outcomes: (reports: readonly OutcomeReport[]) => readonly Failure[];
  /** Resolves when every call made so far has its answer. */
  readonly idle: () => Promise<void>;
}

/** @param agents whose passports are read from files: these come before known ones */
export async function openDesks(
  cli: Setting & Notices & Lifetime & Surroundings,
  flags: DeskFlags,
  agents: readonly string[],
): Promise<Desks> {
  const { clock, random, nextTurn } = cli.workspace.world;
  const ring = await keyring(cli.workspace, flags);
  const finding = { state: ring.state, readFile: documentReader(cli) };
  const found = new Map<string, Passport>();
  for (const agent of agents) found.set(agent, (await findPassport(finding, agent)).passport);
  const passports = [...found].filter(([agent]) => isNamedFile(agent)).map(([, passport]) => passport);
  const judging = { passports, principalKey: [], live: flags.live, ...(flags.geo === undefined ? {} : flags) };
  const { deps, options } = await verification(cli, judging);
  const url = await stateUrl(cli);
  const group = new GroupCommit(deps, nextTurn, { asksHooks: () => deps.hooks() !== null });
  const dry = { ...options, dryRun: true };
  const judge = (submission: Submission, dryRun: boolean): Promise<Judgement> =>
    group.verify(submission, dryRun ? dry : options);

  const openFor = (passport: Passport): Promise<HeldKey> => {
    const { keyId, key } = passport.currentKey;
    return openKey(ring, keyId, key.publicKey, keyPlaceNamed(flags, ring.state.key(keyId) !== null, cli));
  };
  const recordOf = (
    ledger: Ledger,
    report: OutcomeReport,
    agentId: string | null,
    shared: Release | null = null,
  ): OutcomeAnswer => {
    const decided = ledger.acceptedAs(report.intentHash);
    if (decided !== null && agentId !== null && decided.entry.agent_id !== agentId)
      throw new Failure('FORBIDDEN', 'That was accepted for another agent.', { hint: 'ask with its token' });
    return recordOutcome(ledger, report, clock(), shared);
  };
  const handOvers = await handOversOf(cli.workspace);
  const denied = (passport: Passport): Violation | null =>
    standingRefusal(passport, deps.pins, {
      standing: (subject) => ring.state.standing(subject),
      freshness: deps.freshness(clock()),
      standingNow: ring.state.standingNow(clock()),
    });
  return {
    verify: (bytes, dryRun) => judge({ bytes, source: null }, dryRun),
    idle: () => group.idle(),
    async denied(passport) {
      await deps.vouched?.();
      return denied(passport);
    },
    leave(call, { intent_hash: intentHash, outcome_token: token }) {
      if (intentHash !== null) handOvers.leave(handOverKey(call), { intentHash, token }, clock());
    },
    take(call) {
      const now = clock();
      const left = handOvers.take(handOverKey(call), now);
      if (left === null) return null;
      // As it is in force now, not as it was when this command began.
      const known = deps.passport(call.agentId);
      if (known.status !== 'found' || denied(known.passport) !== null) return null;
      const decided = ring.state.transact((ledger) => ledger.acceptedAs(left.intentHash));
      return mayTakeOver(decided, call, known.passport, now) ? left : null;
    },
    requestOf: (hash) => ring.state.look((ledger) => ledger.acceptedAs(hash))?.entry.approval_request ?? null,
    record: (refusal) =>
      void ring.state.transact((ledger) => ledger.append(refusalEntry(refusal, options.logParams, clock()))),
    async outcome(report, agentId) {
      const shared = await releaseShared(ring.state, deps.fleet?.memory ?? null, report, agentId);
      return ring.state.transact((ledger) => recordOf(ledger, report, agentId, shared));
    },
    outcomes: (reports) =>
      ring.state
        .transact((ledger) => recordOutcomes(ledger, reports, clock()))
        .filter((answer) => answer instanceof Failure),
    async open(agent) {
      const passport = found.get(agent) ?? (await findPassport(finding, agent)).passport;
      const agentId = passport.agent.id;
      let speaking: Promise<Speaking> | null = openFor(passport).then((key) => ({ passport, key }));
      await speaking;
      const again = async (): Promise<Speaking> => {
        const now = deps.passport(agentId);
        if (now.status !== 'found')
          throw new Failure('NOT_FOUND', `The passport of ${agentId} is not known here any more.`);
        return { passport: now.passport, key: await openFor(now.passport) };
      };
      const desk = deskOf({
        speaking: () => {
          speaking ??= again().catch((error: unknown) => {
            speaking = null;
            throw error;
          });
          return speaking;
        },
        forget: () => void (speaking = null),
        judge,
        approved: (asked) =>
          approvedRequest(asked, {
            state: ring.state,
            bring: async (id) => {
              await deps.relay?.answersTo([id]);
              await bringRequest(cli.workspace, url, id);
            },
            clock,
          }),
        clock,
        random,
      });
      return { agentId, desk };
    },
  };
}

/** The file that a flag names its agent by; null where that is an id or a name. */
export function namedPassportFile(agent: string): string | null {
  return isNamedFile(agent) ? agent : null;
}

function isNamedFile(agent: string): boolean {
  return agent === '-' || (!isAgentId(agent) && /[/\\]|\.json$/.test(agent));
}
