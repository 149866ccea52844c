import type { Home } from '@causeway/enrollment';
import { MemoryHome } from '@causeway/enrollment/testing';
import type { Contexts, StoredContext } from '../contexts.ts';

/** Contexts in memory. */
export class MemoryContexts implements Contexts {
  readonly homes = new Map<string, MemoryHome>();
  readonly damaged = new Set<string>();
  #chosen: string | undefined;

  async all(): Promise<readonly StoredContext[]> {
    return [...this.homes.keys()].sort().flatMap((name) => this.#stored(name) ?? []);
  }

  async chosen(): Promise<string | undefined> {
    return this.#chosen;
  }

  async use(name: string): Promise<void> {
    this.#chosen = name;
  }

  async remove(name: string): Promise<void> {
    this.homes.delete(name);
    if (this.#chosen === name) this.#chosen = undefined;
  }

  home(name: string): Home {
    const home = this.homes.get(name) ?? new MemoryHome();
    this.homes.set(name, home);
    return home;
  }

  #stored(name: string): StoredContext | undefined {
    if (this.damaged.has(name)) return { name, state: { kind: 'damaged', why: 'its file is damaged' } };
    const kept = this.homes.get(name)?.kept;
    if (kept === undefined) return undefined;
    const { name: holder, managers, credential } = kept;
    return { name, state: { kind: 'whole', holder, managers, expires: credential.chain[0].notAfter } };
  }
}
