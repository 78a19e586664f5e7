/** Headless Chromium, driven over a pipe by the DevTools protocol. Nothing is downloaded; what is not installed is said. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll, onTestFinished } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser's path; null, with the reason printed, when there is none and AIP_TEST_CHROMIUM is not 1. */
function chromium(): string | null {
  const found = NAMES.map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()).find(
    (path) => path !== '',
  );
  if (found !== undefined) return found;
  if (process.env['AIP_TEST_CHROMIUM'] === '1') throw new Error('AIP_TEST_CHROMIUM is 1 and no Chromium is installed');
  console.warn(`skipped: no Chromium is installed (looked for ${NAMES.join(', ')}); install it to test pages`);
  return null;
}

/** The browser that is installed here; tests that need one are skipped where it is null. */
export const CHROMIUM = chromium();

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export interface Page {
  /** Problems that the browser reported: errors, exceptions, violations of the policy. */
  readonly problems: readonly string[];
  /** Addresses that were asked for. */
  readonly requests: readonly string[];
  goto(url: string): Promise<void>;
  /** The value of an expression in the page; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits, at most 10 s, until the expression holds. */
  until(expression: string): Promise<void>;
  /** Presses a key by its name: `Tab`, `Enter`, or a character. */
  press(key: string): Promise<void>;
  type(text: string): Promise<void>;
  /** PNG of the whole page. */
  screenshot(): Promise<Buffer>;
}

/** From now on the page is given other answers to `path`: `change` works on `json`, or returns a whole `Response`. */
export async function changeAnswers(page: Page, path: string, change: string): Promise<void> {
  await page.evaluate(`{
    const fetched = window.fetch;
    window.fetch = async (path, init) => {
      const answer = await fetched(path, init);
      if (path !== ${JSON.stringify(path)}) return answer;
      const json = await answer.json();
      ${change};
      return new Response(JSON.stringify(json));
    };
  }`);
}

/** The browser of this file's pages, from the first one on. */
let running: { readonly wire: Wire; readonly end: () => Promise<void> } | null = null;
afterAll(async () => {
  await running?.end();
  running = null;
});

function browser(): Wire {
  if (running !== null) return running.wire;
  const profile = mkdtempSync(join(tmpdir(), 'aip-chromium-'));
  const child = spawn(
    CHROMIUM!,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    // A process group of its own, so that its helpers end with it.
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  );
  const end = async (): Promise<void> => {
    await ended(child);
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  running = { wire: new Wire(child), end };
  return running.wire;
}

/** A page with storage and a cache of its own, which ends with the test. */
export async function openPage(options: PageOptions = {}): Promise<Page> {
  const wire = browser();
  const { browserContextId } = await wire.send('Target.createBrowserContext');
  onTestFinished(async () => void (await wire.send('Target.disposeBrowserContext', { browserContextId })));
  const { targetId } = await wire.send('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await wire.send('Target.attachToTarget', { targetId, flatten: true });
  const session = sessionId as string;
  const send = (method: string, params: object = {}) => wire.send(method, params, session);

  const problems: string[] = [];
  const requests: string[] = [];
  wire.on(session, 'Log.entryAdded', ({ entry }) => {
    const { level, text } = entry as { level: string; text: string };
    if (level === 'error') problems.push(text);
  });
  wire.on(session, 'Runtime.exceptionThrown', ({ exceptionDetails }) =>
    problems.push(JSON.stringify(exceptionDetails)),
  );
  wire.on(session, 'Runtime.consoleAPICalled', ({ type, args }) => {
    if (type === 'error') problems.push(JSON.stringify(args));
  });
  wire.on(session, 'Network.requestWillBeSent', ({ request }) => requests.push((request as { url: string }).url));
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  const { width = 1100, height = 800, dark = false } = options;
  await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  await send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  });

  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  };
  return {
    problems,
    requests,
    evaluate,
    async goto(url) {
      const loaded = wire.once(session, 'Page.loadEventFired');
      await send('Page.navigate', { url });
      await loaded;
    },
    async until(expression) {
      for (let i = 0; i < 200; i++) {
        if (await evaluate<boolean>(`Boolean(${expression})`)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`never true in the page: ${expression}`);
    },
    async press(key) {
      const codes: Record<string, number> = { Tab: 9, Enter: 13, Escape: 27, ' ': 32 };
      const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined;
      const event = {
        key,
        code: key === ' ' ? 'Space' : key,
        windowsVirtualKeyCode: codes[key] ?? 0,
        ...(text === undefined ? {} : { text }),
      };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, windowsVirtualKeyCode: codes[key] ?? 0 });
    },
    async type(text) {
      await send('Input.insertText', { text });
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(data as string, 'base64');
    },
  };
}

/** Messages are JSON with a NUL at the end, on descriptors 3 and 4. */
class Wire {
  readonly #out: Writable;
  readonly #waiting = new Map<
    number,
    { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }
  >();
  readonly #listeners: { session: string; method: string; hear: (params: Record<string, unknown>) => void }[] = [];
  #last = 0;

  constructor(child: ChildProcess) {
    this.#out = child.stdio[3] as Writable;
    this.#out.on('error', () => undefined);
    const chunks: Buffer[] = [];
    (child.stdio[4] as Readable).on('data', (chunk: Buffer) => {
      let start = 0;
      for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, start)) {
        chunks.push(chunk.subarray(start, end));
        this.#hear(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message);
        chunks.length = 0;
        start = end + 1;
      }
      if (start < chunk.length) chunks.push(Buffer.from(chunk.subarray(start)));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser ended'));
      this.#waiting.clear();
    });
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    this.#out.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  on(session: string, method: string, hear: (params: Record<string, unknown>) => void): void {
    this.#listeners.push({ session, method, hear });
  }

  once(session: string, method: string): Promise<void> {
    return new Promise((resolve) => this.on(session, method, () => resolve()));
  }

  #hear({ id, sessionId, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
    } else
      for (const each of this.#listeners)
        if (each.session === sessionId && each.method === method) each.hear(params ?? {});
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    process.kill(-child.pid!, 'SIGKILL');
  });
}
