import {
  hostNetns,
  isOverlayNetns,
  type Kernel,
  type Namespace,
  type NetnsIdentity,
  type NetnsPath,
} from '@causeway/datapath';
import { addressOf, CausewayError, type Ip, parseIp } from '@causeway/model';
import type { Overlays } from '../reconcile/overlays.ts';

/** The namespace of the machine itself. This process may run in another namespace. */
const firstProcess = '/proc/1/ns/net' as NetnsPath;

/** A container's namespace as an attach finds it. */
export interface ContainerNetns {
  readonly identity: NetnsIdentity;
  /** Names of all its interfaces but "lo". */
  readonly interfaces: ReadonlySet<string>;
}

/**
 * Distinguishes containers from namespaces that must never be attached. It compares identities, because the name of a
 * path proves nothing.
 */
export class ContainerNamespaces {
  readonly #modules: { readonly kernel: Kernel; readonly overlays: Overlays };
  readonly #managers: ReadonlyMap<Ip, string>;
  /** The identity of the machine's own namespace, which stays the same until the machine boots. */
  #machine: NetnsIdentity | undefined;

  /** `managers`: addresses as "10.0.0.1:7443". */
  constructor(
    modules: { readonly kernel: Kernel; readonly overlays: Overlays },
    settings: { readonly managers: readonly string[] },
  ) {
    this.#modules = modules;
    this.#managers = new Map(settings.managers.flatMap((manager) => ipOf(manager).map((ip) => [ip, manager] as const)));
  }

  /**
   * The container's namespace behind the path. Throws "netns-invalid" when the path leads to no namespace, or to a namespace
   * that must not be attached.
   */
  async inspect(netns: NetnsPath): Promise<ContainerNetns> {
    const { kernel, overlays } = this.#modules;
    if (isOverlayNetns(netns)) throw refuse(netns, 'is where Causeway mounts an overlay namespace of its own');
    const identity = await kernel.identify(netns);
    if (identity === undefined) throw refuse(netns, 'is not a network namespace');
    const overlay = overlays.at(identity);
    if (overlay !== undefined) throw refuse(netns, `is the overlay namespace ${overlay} of Causeway itself`);
    if (identity === (await kernel.identify(hostNetns))) throw refuse(netns, "is the host's own network namespace");
    this.#machine ??= await kernel.identify(firstProcess);
    if (identity === this.#machine) {
      throw refuse(netns, "is the machine's own network namespace, that of process 1");
    }
    const found = await kernel.read(netns, { of: ['addresses'], sysctls: [] });
    const manager = this.#managerIn(found);
    if (manager !== undefined) throw refuse(netns, `is the network namespace of the manager at ${manager}`);
    return { identity, interfaces: new Set(found?.links.keys()) };
  }

  #managerIn(found: Namespace | undefined): string | undefined {
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

export function ifnameTaken(netns: NetnsPath, ifname: string, by = 'an interface'): CausewayError {
  const message = `${netns} already has ${by} called ${ifname}: use another --ifname`;
  return new CausewayError('ifname-taken', message, { field: 'ifname', netns, ifname });
}

function refuse(netns: NetnsPath, why: string): CausewayError {
  const message = `netns ${netns} ${why}: give the path of a container's network namespace, such as /run/netns/web`;
  return new CausewayError('netns-invalid', message, { field: 'netns', netns });
}
