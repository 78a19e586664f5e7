/** What the command line and the library stand on: adapters, each built on first use, kept, and closed together. */
import { pathsOf } from '../adapters/files/paths.js';
import type { Paths } from '../app/ports/paths.js';
import type { World } from './world.js';

/** Something that is closed at the end: a command, or a workspace of the library. */
export interface Lifetime {
  /** Runs at the end, in reverse order: closing files, sockets, the state. */
  afterwards(finish: () => void | Promise<void>): void;
}

/** The adapters of one folder of config, state and keys. `state.ts`, `keys.ts`, `mesh.ts` and their neighbours build them. */
export interface LocalWorkspace extends Lifetime {
  readonly world: World;
  /** Where things live on this machine. */
  paths(): Paths;
  /** What `build` returns, built once until the workspace is closed. What fails is built anew when it is asked for again. */
  once<T>(key: unknown, build: () => T): T;
  /** Closes what was built; what is asked for after that is built anew. Rejects with the first failure, after trying all. */
  close(): Promise<void>;
}

/** Nothing is opened or made before it is used. */
export function localWorkspace(world: World): LocalWorkspace {
  const built = new Map<unknown, unknown>();
  const lifetime = new OwnLifetime();
  return {
    world,
    paths: () => pathsOf(world, world.home),
    once<T>(key: unknown, build: () => T): T {
      if (!built.has(key)) {
        const made = build();
        built.set(key, made);
        if (made instanceof Promise) {
          made.catch(() => {
            if (built.get(key) === made) built.delete(key);
          });
        }
      }
      return built.get(key) as T;
    },
    afterwards: (finish) => lifetime.afterwards(finish),
    close() {
      built.clear();
      return lifetime.close();
    },
  };
}

/** The lifetime of a part that ends before its workspace does, such as a connection. */
export class OwnLifetime implements Lifetime {
  readonly #finishers: (() => void | Promise<void>)[] = [];

  afterwards(finish: () => void | Promise<void>): void {
    this.#finishers.push(finish);
  }

  /** Rejects with the first failure, after trying all. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const finish of this.#finishers.splice(0).reverse()) {
      try {
        await finish();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
