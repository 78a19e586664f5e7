/** The part of `pg` that is used: its client alone. Its entry point would start another driver where NODE_PG_FORCE_NATIVE is set. */
declare module 'pg/lib/client.js' {
  import type { EventEmitter } from 'node:events';
  import type { ConnectionOptions } from 'node:tls';

  /** What the server said with an error or a notice. */
  export interface ServerMessage {
    readonly message?: string;
    readonly severity?: string;
    readonly code?: string;
    readonly hint?: string;
    readonly routine?: string;
  }

  export interface Result {
    readonly rows: readonly Record<string, unknown>[];
  }

  export interface ClientConfig {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
    readonly password: () => string | undefined;
    readonly ssl: false | ConnectionOptions;
    readonly application_name: string;
    readonly client_encoding: 'UTF8';
    readonly keepAlive: boolean;
    readonly options?: string;
  }

  export default class Client extends EventEmitter {
    constructor(config: ClientConfig);
    readonly connection: EventEmitter & { readonly stream: { destroy(error?: Error): void; unref?(): void } };
    connect(): Promise<unknown>;
    /** As the server told it last: I outside of a transaction, T in one, E in one that failed; null before it did. */
    getTransactionStatus(): string | null;
    /** Several statements without values give a list. */
    query(text: string, values?: readonly unknown[]): Promise<Result | readonly Result[]>;
    end(): Promise<void>;
  }
}
