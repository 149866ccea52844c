import type { NetnsIdentity } from '@causeway/datapath';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Settle } from './settle.ts';

/**
 * Interfaces whose record was removed, until the kernel has removed them: after a detach, after a release elsewhere, and
 * after a failed attach. Such an interface does not take its name in the container.
 */
export class LeavingInterfaces {
  readonly #leaving = new Map<NetnsIdentity, Set<Promise<unknown>>>();

  constructor({
    sandboxes,
    settle,
  }: { readonly sandboxes: Pick<Sandboxes, 'get' | 'onChange'>; readonly settle: Settle }) {
    sandboxes.onChange(({ networkId, endpointId, before }) => {
      if (before !== undefined && sandboxes.get(endpointId) === undefined)
        this.#add(before.identity, settle(networkId, endpointId));
    });
  }

  /** Resolves when the kernel has removed the interfaces that are leaving this container, or has refused to. */
  async gone(container: NetnsIdentity): Promise<void> {
    await Promise.allSettled(this.#leaving.get(container) ?? []);
  }

  #add(container: NetnsIdentity, removal: Promise<unknown>): void {
    const all = this.#leaving.get(container) ?? new Set();
    this.#leaving.set(container, all.add(removal));
    const over = (): void => {
      all.delete(removal);
      if (all.size === 0 && this.#leaving.get(container) === all) this.#leaving.delete(container);
    };
    removal.then(over, over);
  }
}
