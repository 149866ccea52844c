import { hostNetns, isOverlayNetns, type Kernel, type NetnsIdentity, type NetnsPath } from '@causeway/datapath';
import { addressOf, CausewayError, type Ip, parseIp } from '@causeway/model';
import type { Overlays } from '../reconcile/overlays.ts';

/** The namespace of the machine itself. This process may run in another namespace. */
const firstProcess = '/proc/1/ns/net' as NetnsPath;

/**
 * Distinguishes containers from namespaces that must never be attached. It compares identities, because the name of a
 * path proves nothing.
 */
export class ContainerNamespaces {
  readonly #modules: { readonly kernel: Kernel; readonly overlays: Overlays };
  readonly #managers: ReadonlyMap<Ip, string>;

  /** `managers`: addresses as "10.0.0.1:7443". */
  constructor(
    modules: { readonly kernel: Kernel; readonly overlays: Overlays },
    settings: { readonly managers: readonly string[] },
  ) {
    this.#modules = modules;
    this.#managers = new Map(settings.managers.flatMap((manager) => ipOf(manager).map((ip) => [ip, manager] as const)));
  }

  /**
   * Identity of the container's namespace behind the path. Throws "netns-invalid" when the path leads to no namespace, or
   * to a namespace that must not be attached.
   */
  async identify(netns: NetnsPath): Promise<NetnsIdentity> {
    const { kernel, overlays } = this.#modules;
    if (isOverlayNetns(netns)) throw refuse(netns, 'is where Causeway mounts an overlay namespace of its own');
    const identity = await kernel.identify(netns);
    if (identity === undefined) throw refuse(netns, 'is not a network namespace');
    const overlay = overlays.at(identity);
    if (overlay !== undefined) throw refuse(netns, `is the overlay namespace ${overlay} of Causeway itself`);
    if (identity === (await kernel.identify(hostNetns))) throw refuse(netns, "is the host's own network namespace");
    if (identity === (await kernel.identify(firstProcess))) {
      throw refuse(netns, "is the machine's own network namespace, that of process 1");
    }
    const manager = await this.#managerIn(netns);
    if (manager !== undefined) throw refuse(netns, `is the network namespace of the manager at ${manager}`);
    return identity;
  }

  async #managerIn(netns: NetnsPath): Promise<string | undefined> {
    if (this.#managers.size === 0) return undefined;
    const found = await this.#modules.kernel.read(netns, { sysctls: [] });
    for (const addresses of found?.addresses.values() ?? []) {
      for (const address of addresses) {
        const manager = this.#managers.get(addressOf(address));
        if (manager !== undefined) return manager;
      }
    }
    return undefined;
  }
}

/** The manager's address; empty for a manager that is known by its name. */
function ipOf(manager: string): Ip[] {
  const host = manager.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const ip = parseIp(host);
  return ip.ok ? [ip.value] : [];
}

export async function hasInterface(kernel: Kernel, netns: NetnsPath, ifname: string): Promise<boolean> {
  const namespace = await kernel.read(netns, { links: [ifname], bare: true, sysctls: [] });
  return namespace?.links.has(ifname) ?? false;
}

export function ifnameTaken(netns: NetnsPath, ifname: string, by = 'an interface'): CausewayError {
  const message = `${netns} already has ${by} called ${ifname}: give another ifname`;
  return new CausewayError('ifname-taken', message, { field: 'ifname', netns, ifname });
}

function refuse(netns: NetnsPath, why: string): CausewayError {
  const message = `netns ${netns} ${why}: give the path of a container's network namespace, such as /run/netns/web`;
  return new CausewayError('netns-invalid', message, { field: 'netns', netns });
}
