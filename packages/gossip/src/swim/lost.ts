import type { Address } from './member.ts';

/** serf gives up a failed node after as long. */
const remembered = 24 * 3600 * 1000;
const maxLost = 1024;

interface LostNode extends Address {
  readonly name: string;
  readonly since: number;
}

/**
 * Nodes that died, for longer than they are members: half a cluster that was cut off is forgotten by the other half long
 * before the network heals.
 */
export class Lost {
  readonly #byName = new Map<string, LostNode>();

  /** The names that died first come first. */
  get all(): readonly LostNode[] {
    return [...this.#byName.values()];
  }

  get size(): number {
    return this.#byName.size;
  }

  add({ name, addr, port }: Address & { readonly name: string }, now: number): void {
    this.#byName.delete(name);
    this.#byName.set(name, { name, addr, port, since: now });
    for (const { name: each, since } of this.#byName.values()) {
      if (this.#byName.size <= maxLost && now - since <= remembered) break;
      this.#byName.delete(each);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The node is alive, or left by its own will. */
  remove(name: string): void {
    this.#byName.delete(name);
  }
}
