import { type Clock, milliseconds } from '@causeway/runtime';
import { watchedInContainers } from '../../deviations.ts';
import { differences } from '../../difference.ts';
import type { ContainerWatch } from '../../kernel.ts';
import type { Namespace } from '../../kinds/table.ts';
import { scopeOf } from '../../scope.ts';
import type { NetnsPath } from '../../state.ts';
import type { FakeNamespace } from './host.ts';
import { viewOf } from './view.ts';

/** A deviation that lasts as long is reported. */
const lasting = milliseconds(25);
const notified: ReadonlySet<string> = new Set(watchedInContainers.map(({ name }) => name));

interface Entry {
  readonly path: NetnsPath;
  desired: Namespace;
  readonly onChange: () => void;
  /** Differences that are known: those before the watch began, and those that were reported. */
  known: ReadonlySet<string>;
}

/** Watches of what is desired in containers: Kernel.watchContainer. */
export class FakeContainerWatches {
  readonly #clock: Clock;
  readonly #entries = new Map<FakeNamespace, Set<Entry>>();
  readonly #checks = new Map<FakeNamespace, AbortController>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  add(path: NetnsPath, namespace: FakeNamespace, desired: Namespace, onChange: () => void): ContainerWatch {
    const entry: Entry = { path, desired, onChange, known: deviations(namespace, { path, desired }) };
    const entries = this.#entries.get(namespace) ?? new Set();
    this.#entries.set(namespace, entries.add(entry));
    return {
      expect: (changed) => {
        entry.desired = changed;
        entry.known = deviations(namespace, entry);
      },
      close: () => {
        entries.delete(entry);
        if (entries.size === 0) this.#forget(namespace);
      },
    };
  }

  /** Something may have changed in the namespace. */
  touched(namespace: FakeNamespace): void {
    const entries = this.#entries.get(namespace);
    if (entries === undefined) return;
    for (const entry of entries) {
      const now = deviations(namespace, entry);
      entry.known = new Set([...entry.known].filter((each) => now.has(each)));
    }
    if (!this.#checks.has(namespace)) void this.#checkLater(namespace);
  }

  close(): void {
    for (const namespace of [...this.#entries.keys()]) this.#forget(namespace);
  }

  async #checkLater(namespace: FakeNamespace): Promise<void> {
    const over = new AbortController();
    this.#checks.set(namespace, over);
    await this.#clock.sleep(lasting, over.signal);
    if (over.signal.aborted) return;
    this.#checks.delete(namespace);
    for (const entry of this.#entries.get(namespace) ?? []) {
      const { known } = entry;
      entry.known = deviations(namespace, entry);
      if ([...entry.known].some((each) => !known.has(each))) entry.onChange();
    }
  }

  #forget(namespace: FakeNamespace): void {
    this.#entries.delete(namespace);
    this.#checks.get(namespace)?.abort();
    this.#checks.delete(namespace);
  }
}

function deviations(namespace: FakeNamespace, { path, desired }: Pick<Entry, 'path' | 'desired'>): Set<string> {
  const found = viewOf(namespace, scopeOf(path, desired));
  const all = differences(new Map([[path, found]]), new Map([[path, desired]]));
  return new Set(all.filter(({ kind }) => notified.has(kind)).map(({ kind, key }) => `${kind} ${key}`));
}
