import { type Kernel, type NetnsPath, overlayNetns, vxlanName, type Watch } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Host } from './lab.ts';

/** Watches the kernel of one host of a lab from outside, without the host's agent. */
export class Observer {
  readonly host: Host;
  readonly #kernel: Kernel;
  readonly #netns: NetnsPath;
  readonly #watch: Watch;
  /** When an entry, link or address of that kernel last changed, by `performance.now()`. */
  lastChange = 0;

  /** The network's namespace must exist on the host. */
  constructor(kernel: Kernel, host: Host, network: string) {
    this.host = host;
    this.#kernel = kernel;
    this.#netns = host.path(overlayNetns(network as NetworkId));
    const watch = kernel.watch(this.#netns, (event) => {
      if (event !== 'changed') throw new Error(`${host.name}: the monitor was ${event}`);
      this.lastChange = performance.now();
    });
    if (watch === undefined) throw new Error(`${host.name} has no namespace of network ${network}`);
    this.#watch = watch;
  }

  /** Whether the FDB entries and neighbours are exactly those of the endpoints of other hosts. */
  async isExact(endpoints: readonly Endpoint[], vteps: ReadonlyMap<string, string>): Promise<boolean> {
    const found = await this.#kernel.read(this.#netns, { links: [vxlanName], sysctls: [] });
    const remote = endpoints.filter((endpoint) => endpoint.host !== this.host.name);
    const neighbours = remote.flatMap(({ addresses, mac }) =>
      addresses.map((a): Entry => [a.replace(/\/.*/, ''), mac]),
    );
    const fdb = remote.map(({ mac, host }): Entry => [mac, vteps.get(host) ?? '']);
    return isSame(found?.fdb.get(vxlanName), fdb) && isSame(found?.neighbours.get(vxlanName), neighbours);
  }

  close(): void {
    this.#watch.close();
  }
}

type Entry = readonly [string, string];

function isSame(found: ReadonlyMap<string, unknown> | undefined, expected: readonly Entry[]): boolean {
  return (found?.size ?? 0) === expected.length && expected.every(([key, value]) => found?.get(key) === value);
}
