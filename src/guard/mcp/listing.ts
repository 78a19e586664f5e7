/** The tools of a server as one session knows them, held against their pins. */
import type { JsonObject } from '../../protocol/json/values.js';
import { pinState, toolsIn, type ListedTool, type PinState, type ToolPins } from './tools.js';

const MOST_PAGES = 100;

/** Reads the whole list before the first call and again after it changed, and pins it at first sight. */
export class ToolListing {
  readonly #pins: ToolPins;
  readonly #requirePins: boolean;
  readonly #page: (cursor: string | null) => Promise<JsonObject | null>;
  readonly #pinned: (count: number) => void;
  #hashes: ReadonlyMap<string, string> | null = null;
  #reading: Promise<void> | null = null;

  /**
   * @param page asks the server for a page; null where it has none to give
   * @param pinned told once how many tools were pinned at first sight
   */
  constructor(
    pins: ToolPins,
    requirePins: boolean,
    page: (cursor: string | null) => Promise<JsonObject | null>,
    pinned: (count: number) => void,
  ) {
    this.#pins = pins;
    this.#requirePins = requirePins;
    this.#page = page;
    this.#pinned = pinned;
  }

  /** The server said that its list is another one. */
  changed(): void {
    this.#hashes = null;
  }

  /** How a tool stands now. A tool that the server does not list is new. */
  async stateOf(name: string): Promise<PinState> {
    if (this.#hashes === null) await (this.#reading ??= this.#read().finally(() => (this.#reading = null)));
    const hash = this.#hashes?.get(name);
    const pinned = this.#pins.known();
    return hash === undefined || pinned === null ? 'new' : pinState(pinned, name, hash);
  }

  /** Of a page, what a client may see: what is as it was pinned; before the first sight is over, all of it. */
  shown(tools: readonly ListedTool[], all: boolean): readonly ListedTool[] {
    const pinned = this.#pins.known();
    if (all) return tools;
    if (pinned === null) return this.#requirePins ? [] : tools;
    return tools.filter(({ name, hash }) => pinState(pinned, name, hash) === 'same');
  }

  async #read(): Promise<void> {
    const hashes = new Map<string, string>();
    const seen: ListedTool[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const result: JsonObject | null = await this.#page(cursor);
      if (result === null) return;
      for (const tool of toolsIn(result)) {
        if (hashes.has(tool.name)) continue;
        hashes.set(tool.name, tool.hash);
        seen.push(tool);
      }
      if (typeof result.nextCursor !== 'string') break;
      cursor = result.nextCursor;
    }
    this.#hashes = hashes;
    if (this.#pins.known() !== null || this.#requirePins) return;
    this.#pins.keep(seen);
    this.#pinned(hashes.size);
  }
}
