import type { ContainerWatch, Expected, Kernel, Namespace, NetnsIdentity, NetnsPath } from '@causeway/datapath';

/** The containers of one network that are watched. A container that no path leads to has none. */
export class WatchedContainers {
  readonly #kernel: Pick<Kernel, 'watchContainer'>;
  readonly #expected: () => Expected;
  readonly #onChange: (container: NetnsPath) => void;
  readonly #watches = new Map<NetnsPath, { readonly identity: NetnsIdentity; readonly watch: ContainerWatch }>();

  constructor(modules: {
    readonly kernel: Pick<Kernel, 'watchContainer'>;
    /** The container that each path leads to. */
    readonly expected: () => Expected;
    readonly onChange: (container: NetnsPath) => void;
  }) {
    this.#kernel = modules.kernel;
    this.#expected = modules.expected;
    this.#onChange = modules.onChange;
  }

  /** Watches exactly these containers, with what is desired in each. */
  only(containers: ReadonlyMap<NetnsPath, Namespace>): void {
    for (const path of [...this.#watches.keys()]) if (!containers.has(path)) this.end(path);
    for (const [path, desired] of containers) this.follow(path, desired);
  }

  follow(path: NetnsPath, desired: Namespace): void {
    const expected = this.#expected();
    const identity = expected.get(path);
    const known = this.#watches.get(path);
    if (known !== undefined && known.identity === identity) {
      known.watch.expect(desired);
      return;
    }
    this.end(path);
    if (identity === undefined) return;
    const watch = this.#kernel.watchContainer(path, desired, () => this.#onChange(path), expected);
    if (watch !== undefined) this.#watches.set(path, { identity, watch });
  }

  end(path: NetnsPath): void {
    this.#watches.get(path)?.watch.close();
    this.#watches.delete(path);
  }

  close(): void {
    for (const path of [...this.#watches.keys()]) this.end(path);
  }
}
