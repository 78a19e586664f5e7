/** The workspace's mesh: the kill switch, and the copy that verification looks into. */
import { usage } from '../../app/failure.js';
import type { OrderDeps } from '../../app/mesh/hand-in.js';
import type { Replicating } from '../../app/mesh/regions.js';
import { anticipateDeny, giveOrder, orderHere, type Order, type OrderReport } from '../../app/mesh/orders.js';
import { keyTextHere, orderByText } from '../../app/mesh/key-text.js';
import type { ApprovalRelay } from '../../app/approvals/relay.js';
import type { Failure } from '../../app/failure.js';
import { copyFreshness, proofAge, type MeshCopy, type MeshEndpoint } from '../../app/ports/mesh.js';
import { parseApiKey } from '../../mesh/access/api-key.js';
import { MAX_REASON } from '../../mesh/limits.js';
import { isNamedKey, orderSubject } from '../../mesh/subject.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { toHex } from '../../protocol/hex.js';
import type { Freshness } from '../../verify/context.js';
import { choiceOption, durationOption, listOption, onlyKnown, wholeOption } from '../options/given.js';
import { publicKeyIn } from '../options/public-key.js';
import { joinedMesh } from './joined.js';
import { meshReach, type MeshOptions } from './options.js';
import type { MeshAccess } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import type { Vouching } from '../../workspace/mesh/vouching.js';
import { variable, type World } from '../../workspace/world.js';
import { webUrlProblem } from '../../protocol/web-url.js';

/** Who is stopped, and why. */
export interface RevokeOptions {
  /** An agent id, a principal's DID (all of its agents), or `*` for every agent of the mesh. */
  readonly agentId: string;
  /** What is shown to those who find the agent stopped. */
  readonly reason: string;
  /** Who decided it. Default: the label of the API key. */
  readonly revokedBy?: string;
}

/** Who may act again. */
export type ReinstateOptions = Pick<RevokeOptions, 'agentId' | 'revokedBy'> & { readonly reason?: string };
/** What came of it. `seq` is null and `propagated_to` 0 where there is no mesh: then this machine alone was told. */
export type StandingChange = OrderReport;

interface Configured extends MeshAccess {
  /** Null where this process cannot read it: then the copy is as current as the process that follows the mesh keeps it. */
  readonly key: string | null;
  readonly waitMs: number;
  /** What is wanted of the regions; undefined where none is listed. */
  readonly replicating: Replicating | undefined;
  readonly maxAgeMs: number;
  readonly onStale: 'last-known' | 'deny';
}

interface Opened {
  readonly configured: Configured | null;
  readonly copy: MeshCopy;
  readonly refresh: (timeoutMs?: number) => Promise<boolean>;
  readonly lines: readonly MeshEndpoint[];
  readonly vouching: Vouching | null;
  readonly relay: ApprovalRelay | null;
  readonly close: () => void;
}

/** A mesh that did not answer is asked again after so long: until then verifications would all wait, and learn nothing. */
const ASK_AGAIN_MS = 1000;
const DEFAULT_WAIT_MS = 500;
const DEFAULT_AGE_MS = 30_000;

/** The mesh of a workspace: configured once, opened when it is first needed. */
export class Mesh {
  readonly #workspace: LocalWorkspace;
  /** Undefined until it was looked at; null without a mesh. */
  #configured: Configured | null | undefined;
  #opening: Promise<Opened> | null = null;
  #opened: Opened | null = null;
  #asking: Promise<void> | null = null;
  /** When the mesh was last asked in vain, in `ticks`; null when it answered. */
  #unheardAt: number | null = null;
  #settling: Promise<void> | null = null;

  constructor(workspace: LocalWorkspace) {
    this.#workspace = workspace;
  }

  get #world(): World {
    return this.#workspace.world;
  }

  configure(options: MeshOptions): void {
    onlyKnown(options, OPTIONS, 'configureMesh');
    const configured = configuredBy(options, this.#world);
    if (configured === null)
      throw usage('configureMesh needs to know which mesh.', 'give url, key and publicKey, or set AIP_MESH_URL');
    this.close();
    this.#configured = configured;
  }

  /** What must be waited for before a verification; null when the copy is fresh, or there is no mesh. */
  ready(): Promise<void> | null {
    if (this.#configured === undefined) return this.#settle().then(async () => (await this.ready()) ?? undefined);
    if (this.#configured === null) return null;
    const opened = this.#opened;
    if (opened === null) return this.#open().then(() => this.#ask());
    const age = this.#age(opened);
    const stale = age === null || age > this.#configured.maxAgeMs;
    return stale && !this.#unheard() ? this.#ask() : null;
  }

  freshness(): Freshness {
    const configured = this.#configured ?? null;
    if (configured === null) return { mesh: false, ageMs: null, maxAgeMs: DEFAULT_AGE_MS, onStale: 'last-known' };
    const { maxAgeMs, onStale } = configured;
    const opened = this.#opened;
    if (opened === null) return { mesh: true, ageMs: null, maxAgeMs, onStale };
    if (opened.vouching?.holds === false)
      return copyFreshness(opened.copy, { ageMs: null, maxAgeMs, onStale: 'deny', unmissed: true });
    return copyFreshness(opened.copy, { ageMs: this.#age(opened), maxAgeMs, onStale });
  }

  /** What a decision waits for while the mesh does not count this machine; null where it does. */
  vouched(): Promise<void> | null {
    return this.#opened?.vouching?.vouched() ?? null;
  }

  /** The way to persons elsewhere; null where there is none, or the mesh was not opened yet. */
  relay(): ApprovalRelay | null {
    return this.#opened?.relay ?? null;
  }

  revoke(options: RevokeOptions): Promise<StandingChange> {
    onlyKnown(options, REVOKE, 'revokeAgent');
    return this.#order('revoke', options, textOf(options.reason, 'reason', MAX_REASON));
  }

  reinstate(options: ReinstateOptions): Promise<StandingChange> {
    onlyKnown(options, REVOKE, 'reinstateAgent');
    const { reason } = options;
    return this.#order('reinstate', options, reason === undefined ? null : textOf(reason, 'reason', MAX_REASON));
  }

  close(): void {
    if (this.#opened !== null) this.#opened.close();
    // One that is still being opened would follow the mesh for ever, with nothing to end it.
    else void this.#opening?.then(({ close }) => close()).catch(() => undefined);
    this.#opened = null;
    this.#opening = null;
    this.#unheardAt = null;
  }

  async #order(
    action: Order['action'],
    { agentId, revokedBy }: ReinstateOptions,
    reason: string | null,
  ): Promise<StandingChange> {
    const subject = typeof agentId === 'string' ? orderSubject(agentId) : null;
    if (subject === null)
      throw usage('"agentId" is no agent, principal or key.', 'did:web:<domain>:agents:<name>, or ed25519:<64 hex>');
    if (this.#configured === undefined) await this.#settle();
    const by = revokedBy === undefined ? null : textOf(revokedBy, 'revokedBy', 200);
    const keyText = isNamedKey(subject) ? keyTextHere(await localState(this.#workspace), subject) : null;
    const order: Order = { action, subject, keyText, reason, by, durationMs: null };
    const { clock, random, notice } = this.#world;
    const { configured, copy, lines, refresh } = await this.#open();
    if (configured === null)
      return this.#said(orderHere(copy, orderByText(copy, order, clock()), toHex(random(16)), clock()));
    if (configured.key === null) throw keyless();
    const { waitMs, replicating } = configured;
    const deps: OrderDeps = {
      lines,
      clock,
      random,
      signer: null,
      waitMs,
      ...(replicating === undefined ? {} : { replicating }),
    };
    const { outcome, missing } = await giveOrder(deps, order);
    if (missing > 0)
      notice(`AIP-E501 PROPAGATION_INCOMPLETE: ${missing} of the verifiers that listen have not confirmed in time.`);
    const late = outcome.regions.filter(({ state }) => state === 'late').map(({ region }) => region);
    if (late.length > 0) notice(`AIP-E501 PROPAGATION_INCOMPLETE: not stored in time in ${late.join(', ')}.`);
    if (action !== 'reinstate') anticipateDeny(copy, order, outcome, clock());
    else {
      const stopped = outcome.agent_id;
      if (copy.local(stopped) !== null) orderHere(copy, { ...order, subject: stopped }, outcome.cmd_id, clock());
      // Letting an agent act again is believed only as a signed event.
      await refresh(4 * DEFAULT_WAIT_MS);
    }
    return this.#said(outcome);
  }

  /** A key whose text is not known is denied under its id alone. */
  #said(outcome: OrderReport): OrderReport {
    if (outcome.status !== 'active' && isNamedKey(outcome.agent_id))
      this.#world.notice(
        `key_text_unknown: ${outcome.agent_id} is denied under that id alone; to stop the key itself, name its text.`,
      );
    return outcome;
  }

  /** Looks once for the mesh that this program did not name: in the environment, then in the home. */
  #settle(): Promise<void> {
    this.#settling ??= this.#found().then(
      (configured) => {
        this.#settling = null;
        // What was configured meanwhile counts.
        if (this.#configured === undefined) this.#configured = configured;
      },
      (error: unknown) => {
        this.#settling = null;
        throw error;
      },
    );
    return this.#settling;
  }

  async #found(): Promise<Configured | null> {
    return configuredBy({}, this.#world) ?? joinedBy(await joinedMesh(this.#workspace), this.#world);
  }

  /** One question at a time; all callers wait for the same one. */
  #ask(): Promise<void> {
    this.#asking ??= this.#open()
      .then(({ refresh }) => refresh())
      .then(
        (heard) => {
          this.#asking = null;
          this.#unheardAt = heard ? null : this.#world.ticks();
        },
        (error: unknown) => {
          this.#asking = null;
          throw error;
        },
      );
    return this.#asking;
  }

  #unheard(): boolean {
    return this.#unheardAt !== null && this.#world.ticks() - this.#unheardAt < ASK_AGAIN_MS * 1000;
  }

  #open(): Promise<Opened> {
    if (this.#opening !== null) return this.#opening;
    const opening = this.#connect(this.#configured ?? null).then(
      (opened) => {
        if (this.#opening === opening) this.#opened = opened;
        return opened;
      },
      (error: unknown) => {
        if (this.#opening === opening) this.#opening = null;
        throw error;
      },
    );
    this.#opening = opening;
    return opening;
  }

  async #connect(configured: Configured | null): Promise<Opened> {
    const [{ connectMesh }] = await Promise.all([import('./connection.js'), localState(this.#workspace)]);
    const connection = await connectMesh(this.#workspace, configured);
    return { configured, ...connection };
  }

  #age({ copy }: Opened): number | null {
    return proofAge(copy, this.#world.clock());
  }
}

const OPTIONS: ReadonlySet<string> = new Set([
  ...['url', 'key', 'publicKey', 'ca', 'insecureHttp', 'regions'],
  ...['replicationMode', 'maxPropagationTimeMs', 'maxAge', 'onStale'],
]);
const REVOKE: ReadonlySet<string> = new Set(['agentId', 'reason', 'revokedBy']);

/** Null when nothing names a mesh. Fails when it is named and what is needed to believe it is missing. */
function configuredBy(options: MeshOptions, world: World): Configured | null {
  const regions = regionsOf(options);
  const named = options.url ?? regions[0] ?? variable(world, 'AIP_MESH_URL');
  if (named === null) return null;
  const text: unknown = options.key ?? variable(world, 'AIP_MESH_KEY');
  const key = typeof text === 'string' ? parseApiKey(text.trim()) : null;
  if (key === null) throw keyless();
  return { ...believed(options, named, regions, world), key: key.text };
}

/** The same of the mesh that the home belongs to, which can be believed without a key. */
function joinedBy(options: MeshOptions | null, world: World): Configured | null {
  if (options === null) return null;
  const regions = regionsOf(options);
  // As on the command line, the environment comes before the file.
  const text = variable(world, 'AIP_MESH_KEY') ?? options.key ?? null;
  const key = text === null ? null : parseApiKey(text.trim());
  if (text !== null && key === null) throw keyless();
  return { ...believed(options, options.url, regions, world), key: key?.text ?? null };
}

function believed(
  options: MeshOptions,
  url: unknown,
  regions: readonly string[],
  world: World,
): Omit<Configured, 'key'> {
  const said = options.publicKey ?? variable(world, 'AIP_MESH_PUBLIC_KEY');
  if (said === null)
    throw usage('The public key of the mesh is missing.', 'give "publicKey", or set AIP_MESH_PUBLIC_KEY');
  const { publicKey } = publicKeyIn(said, 'The public key of the mesh');
  const waitMs = wholeOption(options.maxPropagationTimeMs ?? DEFAULT_WAIT_MS, 1, 600_000, 'maxPropagationTimeMs');
  const ca: unknown = options.ca ?? variable(world, 'AIP_MESH_CA');
  if (ca !== null && typeof ca !== 'string') throw usage('"ca" is not a path.');
  const { maxAge } = options;
  const mode = choiceOption(options.replicationMode, 'replicationMode', ['async', 'sync']) ?? 'async';
  return {
    ...meshReach([...new Set([webUrl(url, 'url'), ...regions])], options, world),
    publicKey: formatPublicKey(publicKey),
    ca,
    waitMs,
    replicating: regions.length === 0 ? undefined : { mode, regions: [...(options.regions ?? [])] },
    maxAgeMs: maxAge === undefined ? DEFAULT_AGE_MS : durationOption(maxAge, 'maxAge'),
    onStale: choiceOption(options.onStale, 'onStale', ['last-known', 'deny']) ?? 'last-known',
  };
}

function regionsOf({ regions = [] }: MeshOptions): string[] {
  return listOption(regions, 'regions').map((region) => webUrl(region?.endpoint, 'regions'));
}

function keyless(): Failure {
  return usage('The API key of the mesh is missing, or has another form.', 'give "key", or set AIP_MESH_KEY');
}

function webUrl(text: unknown, name: string): string {
  const problem = typeof text === 'string' ? webUrlProblem(text) : 'is no text';
  if (problem === null) return text as string;
  throw usage(`"${name}" holds something that is no http(s) URL: it ${problem}.`);
}

function textOf(text: unknown, name: string, most: number): string {
  if (typeof text !== 'string' || text.trim() === '' || text.length > most || /\p{Cc}/u.test(text))
    throw usage(`"${name}" is not a text of 1 to ${most} characters.`);
  return text;
}
