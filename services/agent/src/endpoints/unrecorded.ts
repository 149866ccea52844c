import { gatewayPriorities, hostEnd, type Kernel, type NetnsPath, overlayNetns } from '@causeway/datapath';
import { CausewayError, type EndpointId, type NetworkId, type RequestId } from '@causeway/model';
import { type Clock, type Duration, type Log, waitOver } from '@causeway/runtime';
import { isUnrecorded, type Sandbox, unknownIdentity, unknownNetns } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { HostStats } from '../reconcile/host-stats.ts';
import type { OwnRows } from '../tables/own-rows.ts';
import type { Tables } from '../tables/tables.ts';

export interface UnrecordedModules {
  readonly kernel: Kernel;
  readonly tables: Tables;
  readonly ownRows: OwnRows;
  readonly sandboxes: Sandboxes;
  readonly isDetaching: (id: EndpointId) => boolean;
}

/**
 * Endpoints of this host that the managers know but the host's records lack, although the container lives: the host's end
 * of the endpoint's pair of links exists, and the kernel removes this end with the container. So the records are wrong:
 * their newest copy was damaged or lost. The container keeps its endpoint. Its namespace is unknown until the runtime
 * attaches the container once more.
 */
export async function findUnrecorded(modules: UnrecordedModules): Promise<readonly Sandbox[]> {
  const { kernel, tables, ownRows, sandboxes, isDetaching } = modules;
  const ports = new Map<NetworkId, ReadonlySet<string>>();
  for (const [id, networkId] of [...ownRows.all()]) {
    if (sandboxes.get(id) === undefined && !ports.has(networkId))
      ports.set(networkId, await portsOf(kernel, networkId));
  }
  // The kernel was read. From here on nothing waits, so the answer is of one moment.
  const found: Sandbox[] = [];
  for (const [id, networkId] of ownRows.all()) {
    const table = tables.get(networkId);
    const row = table?.rows.endpoint.get(id);
    if (table === undefined || row === undefined || sandboxes.get(id) !== undefined || isDetaching(id)) continue;
    if (ports.get(networkId)?.has(hostEnd(id)) !== true) continue;
    const { name, node, addresses, mac } = row;
    const claimed = { epoch: table.epoch, revision: table.revision };
    found.push({
      endpoint: { id, network: networkId, name, node, addresses, mac },
      claimed,
      requestId: '' as RequestId,
      netns: unknownNetns,
      identity: unknownIdentity,
      ifname: '',
      gateway: { priority: gatewayPriorities.usual, slot: 0 },
    });
  }
  return found;
}

export interface KeptModules extends UnrecordedModules {
  readonly stats: HostStats;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps such containers, and reports that their records are lost for as long as they are. Until they have been searched
 * for, a claim that this host has no record of may be that of a living container, so no attach may take the claim over.
 */
export class UnrecordedContainers {
  readonly #modules: KeptModules;
  readonly #waiting = new AbortController();
  #isSearched = false;

  constructor(modules: KeptModules) {
    this.#modules = modules;
    const { sandboxes } = modules;
    sandboxes.onChange(({ networkId, endpointId }) => this.#count(networkId, endpointId));
    for (const { endpoint } of sandboxes.all()) this.#count(endpoint.network, endpoint.id);
  }

  /**
   * To be called once the tables are whole, and before anything is removed that no record wants. Later calls do nothing.
   */
  async keep(): Promise<void> {
    if (this.#isSearched) return;
    await Promise.all((await findUnrecorded(this.#modules)).map((sandbox) => this.#keep(sandbox)));
    this.#isSearched = true;
    this.#waiting.abort(waitOver);
  }

  get isSearched(): boolean {
    return this.#isSearched;
  }

  /** Resolves after the search. @throws CausewayError manager-unavailable, when the timeout passes before */
  async searched(timeout: Duration): Promise<void> {
    // Each wait has a signal of its own: Node takes more than ten listeners at one signal for a leak.
    await this.#modules.clock.sleep(timeout, AbortSignal.any([this.#waiting.signal]));
    if (this.#isSearched) return;
    const message =
      "the managers have not sent all of this host's endpoints since the agent started: nothing was attached, try again";
    throw new CausewayError('manager-unavailable', message);
  }

  /** Refuses those who wait. */
  stop(): void {
    this.#waiting.abort(waitOver);
  }

  async #keep(sandbox: Sandbox): Promise<void> {
    const { id, name: endpoint, network } = sandbox.endpoint;
    const message = 'its record is lost, its container lives: it is kept; attach it once more as it was, or detach it';
    this.#modules.log.error('endpoint.kept', { endpointId: id, endpoint, networkId: network, message });
    await this.#modules.sandboxes.add(sandbox);
    this.#modules.stats.kept(id);
  }

  #count(networkId: NetworkId, id: EndpointId): void {
    const sandbox = this.#modules.sandboxes.get(id);
    this.#modules.stats.unresolved(`${networkId}/${id}`, sandbox !== undefined && isUnrecorded(sandbox) ? 1 : 0);
  }
}

/** Whether the interface in the container's namespace is the endpoint's: no other interface has the endpoint's MAC. */
export async function holdsEnd(
  kernel: Kernel,
  { endpoint }: Sandbox,
  netns: NetnsPath,
  ifname: string,
): Promise<boolean> {
  const found = await kernel.read(netns, { links: [ifname], of: [], sysctls: [] });
  const link = found?.links.get(ifname);
  return link?.kind === 'veth' && link.mac === endpoint.mac;
}

async function portsOf(kernel: Kernel, networkId: NetworkId): Promise<ReadonlySet<string>> {
  const found = await kernel.read(overlayNetns(networkId), { of: [], sysctls: [] });
  return new Set(found?.links.keys() ?? []);
}
