import { identityOf } from '@causeway/netlink/io';
import { Deviations } from '../deviations.ts';
import type { ContainerWatch, Expected } from '../kernel.ts';
import type { Namespace } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import { ListeningPost } from './listening-post.ts';
import { openNamespace } from './namespaces.ts';

interface Entry {
  readonly deviations: Deviations;
  readonly onChange: () => void;
}

/** Watches of containers. Unlike a monitor they keep no namespace alive, and cost no socket each. */
export class ContainerWatches {
  readonly #entries = new Map<number, Set<Entry>>();
  readonly #settings: { readonly onLost?: (errno: string) => void };
  #post: ListeningPost | undefined;

  constructor(settings: { readonly onLost?: (errno: string) => void } = {}) {
    this.#settings = settings;
  }

  /** See Kernel.watchContainer. */
  add(path: NetnsPath, desired: Namespace, onChange: () => void, expected?: Expected): ContainerWatch | undefined {
    const open = openNamespace(path);
    if (open === undefined) return undefined;
    try {
      const { fd } = open;
      const identity = expected?.get(path);
      if (fd === undefined || (identity !== undefined && identityOf(fd) !== identity)) return undefined;
      this.#post ??= this.#open();
      const nsid = this.#post.listenTo(fd);
      // After the post listens, so that no change is missed.
      const links = new Map<number, string>();
      for (const name of desired.links.keys()) {
        const index = open.linkIndex(name);
        if (index !== undefined) links.set(index, name);
      }
      return this.#keep(nsid, { deviations: new Deviations(desired, links), onChange });
    } finally {
      open.close();
    }
  }

  close(): void {
    this.#entries.clear();
    this.#post?.close();
    this.#post = undefined;
  }

  #keep(nsid: number, entry: Entry): ContainerWatch {
    const entries = this.#entries.get(nsid) ?? new Set();
    this.#entries.set(nsid, entries.add(entry));
    return {
      expect: (desired) => entry.deviations.expect(desired),
      close: () => {
        entries.delete(entry);
        if (entries.size === 0) this.#entries.delete(nsid);
      },
    };
  }

  #open(): ListeningPost {
    /** The containers of which something was heard in the last two batches. */
    const heard = [new Set<Entry>(), new Set<Entry>()];
    return new ListeningPost(
      {
        onEvent: (nsid, message) => {
          for (const entry of this.#entries.get(nsid) ?? []) {
            entry.deviations.onEvent(message);
            heard[0]?.add(entry);
          }
        },
        onBatchEnd: () => {
          const concerned = new Set(heard.flatMap((entries) => [...entries]));
          heard.unshift(new Set());
          heard.length = 2;
          for (const { deviations, onChange } of concerned) if (deviations.onBatchEnd()) onChange();
        },
        onLost: () => {
          for (const { onChange } of this.#all()) onChange();
        },
      },
      this.#settings,
    );
  }

  #all(): Entry[] {
    return [...this.#entries.values()].flatMap((entries) => [...entries]);
  }
}
