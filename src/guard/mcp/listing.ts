/** The tools of a server as one session knows them, held against their pins. */
import type { JsonObject } from '../../protocol/json/values.js';
import { pinState, toolsIn, type ListedTool, type PinState, type ToolPins } from './tools.js';

const MOST_PAGES = 100;

/** Asks the server for a page; null where it has none to give. */
export type AskForPage = (cursor: string | null) => Promise<JsonObject | null>;

/** What a person should hear of a list. */
export interface ListingNotices {
  /** Told once how many tools were pinned at first sight. */
  readonly pinned: (count: number) => void;
  /** Told of tools that a client is not shown, as `name (changed)` or `name (new)`: each form of a tool once. */
  readonly hidden: (tools: readonly string[]) => void;
}

/** How long a list counts that its server names a time for. */
export interface ListLasting {
  /** Microseconds of a clock that only goes forward. */
  readonly ticks: () => number;
  readonly maxTtlMs: number;
}

/** Reads the whole list before the first call and again when it changed or has grown old, and pins it at first sight. */
export class ToolListing {
  readonly #pins: ToolPins;
  readonly #requirePins: boolean;
  readonly #said: ListingNotices;
  readonly #hidden = new Set<string>();
  readonly #lasting: ListLasting;
  #tools: Map<string, ListedTool> | null = null;
  /** Until when what was read counts. */
  #until = 0;
  #changes = 0;
  #reading: Promise<boolean> | null = null;

  constructor(pins: ToolPins, requirePins: boolean, said: ListingNotices, lasting: ListLasting) {
    this.#pins = pins;
    this.#requirePins = requirePins;
    this.#said = said;
    this.#lasting = lasting;
  }

  /** The server said that its list is another one, perhaps while it was read. */
  changed(): void {
    this.#changes += 1;
    this.#until = 0;
  }

  /** Reads and pins the list of a server that was never seen. */
  async firstSight(page: AskForPage): Promise<void> {
    if (this.#pins.known() === null && !this.#requirePins && this.#tools === null) await this.#readOnce(page);
  }

  /** How a tool stands now; null where the server gives no list. A tool that it does not list is new. */
  async stateOf(name: string, page: AskForPage): Promise<PinState | null> {
    const counts = this.#tools !== null && this.#lasting.ticks() < this.#until;
    if (!counts && !(await this.#readOnce(page))) return null;
    const hash = this.tool(name)?.hash;
    const pinned = this.#pins.known();
    return hash === undefined || pinned === null ? 'new' : pinState(pinned, name, hash);
  }

  /** A tool as it was listed last; null for one that was not. */
  tool(name: string): ListedTool | null {
    return this.#tools?.get(name) ?? null;
  }

  /** False for a name that the server is known not to list. */
  lists(name: string): boolean {
    return this.#tools === null || this.#tools.has(name);
  }

  /**
   * Of a page that passes to a client, what it may see: what is as it was pinned; before the first sight is over, all of it. What the page
   * shows is what counts from here on, whether or not the server says that its list has changed.
   */
  shown(tools: readonly ListedTool[], all: boolean): readonly ListedTool[] {
    for (const tool of tools) this.#tools?.set(tool.name, tool);
    const pinned = this.#pins.known();
    if (all) return tools;
    if (pinned === null && !this.#requirePins) return tools;
    const states = tools.map((tool) => ({ tool, state: pinState(pinned ?? new Map(), tool.name, tool.hash) }));
    this.#tellHidden(states.filter(({ state, tool }) => state !== 'same' && !this.#hidden.has(tool.hash)));
    return states.filter(({ state }) => state === 'same').map(({ tool }) => tool);
  }

  /** The client sees a list without them, and no call may ever be refused: without a word nobody would know. */
  #tellHidden(hidden: readonly { tool: ListedTool; state: PinState }[]): void {
    if (hidden.length === 0) return;
    for (const { tool } of hidden) this.#hidden.add(tool.hash);
    this.#said.hidden(hidden.map(({ tool: { name }, state }) => `${name} (${state})`));
  }

  /** True where the whole list was had. */
  #readOnce(page: AskForPage): Promise<boolean> {
    return (this.#reading ??= this.#read(page).finally(() => (this.#reading = null)));
  }

  async #read(ask: AskForPage): Promise<boolean> {
    const { ticks, maxTtlMs } = this.#lasting;
    const [asked, changes] = [ticks(), this.#changes];
    const seen = new Map<string, ListedTool>();
    let cursor: string | null = null;
    let until = Infinity;
    for (let page = 0; page < MOST_PAGES; page++) {
      const result: JsonObject | null = await ask(cursor);
      if (result === null) return false;
      for (const tool of toolsIn(result)) if (!seen.has(tool.name)) seen.set(tool.name, tool);
      // In the later era no session ends when its server is started anew.
      if (result.ttlMs !== undefined) until = asked + maxTtlMs * 1000;
      if (typeof result.nextCursor !== 'string') break;
      cursor = result.nextCursor;
    }
    this.#tools = seen;
    this.#until = changes === this.#changes ? until : 0;
    if (this.#pins.known() !== null || this.#requirePins) return true;
    this.#pins.keep([...seen.values()]);
    this.#said.pinned(seen.size);
    return true;
  }
}
