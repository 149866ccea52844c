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

/** Applies every change of the store to a view. */
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

  /** Resolves when the view has the first snapshot. Waits while the store is unreachable. */
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

  /** An error of a listener must not stop the view: the error is logged, and the next change is applied all the same. */
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
