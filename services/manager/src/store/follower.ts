import type { Log, Startable } from '@causeway/runtime';
import type { Change, Store } from './store.ts';
import type { View } from './view.ts';

export interface FollowerParts {
  readonly store: Pick<Store, 'follow'>;
  readonly view: View;
  readonly log: Log;
}

export interface FollowerSettings {
  readonly prefix: string;
}

/** Keeps a view in step with the store. */
export class Follower implements Startable {
  readonly #parts: FollowerParts;
  readonly #settings: FollowerSettings;
  readonly #stop = new AbortController();
  readonly #reported = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: FollowerParts, settings: FollowerSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** Resolves with the first snapshot in the view; while the store is unreachable it waits. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve).finally(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(firstApplied: () => void): Promise<void> {
    for await (const change of this.#parts.store.follow(this.#settings.prefix, this.#stop.signal)) {
      this.#apply(change);
      firstApplied();
    }
  }

  /** What a listener does wrong must not stop the view: it is logged, and the next change comes all the same. */
  #apply(change: Change): void {
    const { view, log } = this.#parts;
    try {
      view.apply(change);
    } catch (error) {
      log.error('view.listener-failed', { revision: `${change.revision}`, error });
    }
    for (const [key, error] of view.damaged) {
      if (this.#reported.has(key)) continue;
      this.#reported.add(key);
      log.error('view.record-unreadable', { key, reason: error.message });
    }
  }
}
