/** As much of the browser as the page uses. The DOM's own types would let every file of the program name its globals. */
export interface Elem {
  textContent: string | null;
  className: string;
  id: string;
  hidden: boolean;
  disabled: boolean;
  readOnly: boolean;
  checked: boolean;
  open: boolean;
  value: string;
  /** Of a field for files. */
  readonly files?: ArrayLike<{ readonly size: number; text(): Promise<string> }>;
  readonly childElementCount: number;
  readonly children: ArrayLike<Elem>;
  readonly lastElementChild: Elem | null;
  readonly style: { setProperty(name: string, value: string): void };
  append(...nodes: readonly (Elem | string)[]): void;
  prepend(...nodes: readonly (Elem | string)[]): void;
  replaceChildren(...nodes: readonly (Elem | string)[]): void;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  contains(other: Elem | null): boolean;
  focus(): void;
  remove(): void;
  reset(): void;
  reportValidity(): boolean;
  showModal(): void;
  close(): void;
}

/** What the page uses of an event. */
export interface PageEvent {
  preventDefault(): void;
}

/** What the page uses of the document. */
export interface PageDocument {
  readonly activeElement: Elem | null;
  readonly hidden: boolean;
  getElementById(id: string): Elem | null;
  createElement(tag: string): Elem;
  createElementNS(namespace: string, tag: string): Elem;
  addEventListener(type: string, listener: () => void): void;
}

/** What the page uses of WebCrypto; keys are values that it looks not into. */
export interface PageSubtle {
  importKey(
    format: string,
    bytes: Uint8Array,
    algorithm: unknown,
    extractable: boolean,
    uses: string[],
  ): Promise<unknown>;
  exportKey(format: 'jwk', key: unknown): Promise<{ readonly x?: string }>;
  deriveKey(algorithm: unknown, key: unknown, derived: unknown, extractable: boolean, uses: string[]): Promise<unknown>;
  decrypt(algorithm: unknown, key: unknown, bytes: Uint8Array): Promise<ArrayBuffer>;
  sign(algorithm: unknown, key: unknown, bytes: Uint8Array): Promise<ArrayBuffer>;
  digest(algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer>;
}

/** What the page uses of the window. */
export interface PageWindow {
  readonly document: PageDocument;
  readonly location: { readonly hash: string };
  /** False of a page that came over plain http from another machine: the browser gives it no WebCrypto. */
  readonly isSecureContext: boolean;
  readonly crypto: {
    getRandomValues(bytes: Uint8Array): Uint8Array;
    readonly subtle: PageSubtle;
  };
  atob(base64: string): string;
  fetch(
    path: string,
    init: {
      readonly method?: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly signal?: AbortSignal;
      readonly credentials: 'omit';
      readonly cache: 'no-store';
      readonly redirect: 'error';
    },
  ): Promise<Response>;
  setTimeout(work: () => void, ms: number): number;
  clearTimeout(timer: number): void;
}
