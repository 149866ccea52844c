import { isOverlayNetns, type Kernel, type NetnsPath, overlayNetns, teardown } from '@causeway/datapath';
import type { EndpointId, Name, NetworkId } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Log, type Random, Worker } from '@causeway/runtime';
import { isGranted, isUnrecorded } from '../disk/sandbox.ts';
import type { SandboxChange, Sandboxes } from '../disk/sandboxes.ts';
import type { TableChange, Tables } from '../tables/tables.ts';
import { countWrites } from './counting-kernel.ts';
import type { Former, Host } from './desired.ts';
import { driftOf, unreadable } from './drift.ts';
import { inTurns, kernelCallsAtOnce } from './kernel-turns.ts';
import { NetworkReconciler } from './network-reconciler.ts';
import type { Overlays } from './overlays.ts';
import { SweepPace } from './sweep-pace.ts';
import type { Tally } from './tally.ts';

export interface ReconcilerModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tally: Tally;
  readonly tables: Tables;
  readonly sandboxes: Sandboxes;
  readonly overlays: Overlays;
  readonly onLost: (id: EndpointId) => void;
}

/** Keeps the kernel as tables and sandboxes want it, each network by itself; removes what is nobody's. */
export class Reconciler {
  readonly #modules: ReconcilerModules;
  readonly #settings: { readonly host: Host; readonly name: Name };
  readonly #networks = new Map<NetworkId, NetworkReconciler>();
  readonly #cleaner = new Worker(() => this.#removeStrays());
  readonly #pace = new SweepPace();
  #confirmed = false;

  constructor(modules: ReconcilerModules, settings: { readonly host: Host; readonly name: Name }) {
    const kernel = inTurns(countWrites(modules.kernel, modules.tally), modules);
    this.#modules = { ...modules, kernel };
    this.#settings = settings;
    modules.tables.onChange((change) => this.#onTable(change));
    modules.sandboxes.onChange((change) => this.#onSandbox(change));
  }

  /** Begins with what the ledger held: adds what is missing of it, and removes nothing before `confirm`. */
  start(): void {
    for (const id of this.#wantedNetworks()) void this.#network(id).look();
  }

  /** The tables are whole and new enough: what is in none of them goes. */
  confirm(): void {
    if (!this.#confirmed) for (const network of this.#networks.values()) network.intentChanged();
    this.#confirmed = true;
    void this.#cleaner.poke();
  }

  /** Removes what is nobody's; each network is looked at by its own reconciler. */
  sweep(): void {
    if (this.#confirmed) void this.#cleaner.poke();
  }

  /** Follows the intent as it is now; then what stands in the endpoint's way, in words. */
  settle(networkId: NetworkId, endpointId: EndpointId): Promise<readonly string[]> {
    return this.#network(networkId).settle(endpointId);
  }

  /** Every difference between intent and kernel at this moment; with `repair` they are put right before the answer. */
  async verify(repair: boolean): Promise<Drift[]> {
    const { tables } = this.#modules;
    const host = this.#settings.name;
    const networks = [...this.#networks];
    const drift = await eachOf(networks, async ([networkId, reconciler]) => {
      const name = tables.get(networkId)?.network.name ?? networkId;
      // A network that cannot be read is said to be so, beside what the others are.
      const found = await reconciler.verify().catch((error: unknown) => [unreadable(networkId, error)]);
      return found.map((difference) => driftOf(host, name, difference));
    });
    const strays = this.#confirmed ? await this.#strays() : [];
    if (repair) {
      await this.#cleaner.poke();
      await eachOf(networks, ([, network]) => network.look());
    }
    const ofStrays = strays.map((netns) =>
      driftOf(host, '', { netns, kind: 'netns', key: netns, actual: 'present', intended: 'absent' }),
    );
    return [...drift.flat(), ...ofStrays, ...this.#unrecorded()];
  }

  /** Containers whose interface cannot be looked at: only the kernel knows where they are. */
  #unrecorded(): Drift[] {
    const { tables, sandboxes } = this.#modules;
    return [...sandboxes.all()].filter(isUnrecorded).map(({ endpoint }) => ({
      host: this.#settings.name,
      network: tables.get(endpoint.network)?.network.name ?? endpoint.network,
      kind: 'sandbox',
      key: endpoint.name,
      actual: 'its record is lost',
      intended: 'attached once more as it was',
    }));
  }

  async stop(): Promise<void> {
    await Promise.all([this.#cleaner.stop(), ...Array.from(this.#networks.values(), (network) => network.stop())]);
  }

  #onTable(change: TableChange): void {
    const network = this.#network(change.networkId);
    if (change.kind !== 'stepped' || change.networkChanged) {
      network.intentChanged();
      return;
    }
    const former = new Map<EndpointId, Former>();
    for (const [id, row] of change.before) former.set(id, { row, sandbox: this.#modules.sandboxes.get(id) });
    network.endpointsChanged(former);
  }

  #onSandbox({ networkId, endpointId, before }: SandboxChange): void {
    const row = this.#modules.tables.get(networkId)?.rows.get(endpointId);
    this.#network(networkId).endpointsChanged(new Map([[endpointId, { row, sandbox: before }]]));
  }

  #network(networkId: NetworkId): NetworkReconciler {
    const known = this.#networks.get(networkId);
    if (known !== undefined) return known;
    const { tables, sandboxes, tally, log } = this.#modules;
    const made = new NetworkReconciler(
      {
        ...this.#modules,
        pace: this.#pace,
        intent: () => ({ table: tables.get(networkId), sandboxes: sandboxes.of(networkId) }),
        allSandboxes: () => sandboxes.all(),
        confirmed: () => this.#confirmed,
        onRemoved: () => this.#forget(networkId),
        onRepaired: (network, repaired) => {
          const drift = repaired.map((difference) => driftOf(this.#settings.name, network, difference));
          log.warn('drift.repaired', { network, count: drift.length, first: drift[0] });
          tally.repaired(drift);
        },
      },
      { host: this.#settings.host, networkId },
    );
    this.#networks.set(networkId, made);
    return made;
  }

  /** A network that comes back gets a reconciler that knows nothing yet. */
  #forget(networkId: NetworkId): void {
    const gone = this.#networks.get(networkId);
    if (gone === undefined || this.#wantedNetworks().has(networkId)) return;
    this.#networks.delete(networkId);
    this.#pace.forget(networkId);
    void gone.stop();
  }

  #wantedNetworks(): Set<NetworkId> {
    const { tables, sandboxes } = this.#modules;
    return new Set([
      ...Array.from(tables.all(), ({ network }) => network.id),
      ...Array.from(sandboxes.all())
        .filter(isGranted)
        .map(({ endpoint }) => endpoint.network),
    ]);
  }

  /** Overlay namespaces that this agent has made, no table or sandbox wants, and no reconciler is at work on. */
  async #strays(): Promise<NetnsPath[]> {
    const { kernel, overlays } = this.#modules;
    const wanted = new Set([...this.#wantedNetworks(), ...this.#networks.keys()].map(overlayNetns));
    const strays: NetnsPath[] = [];
    for (const netns of await kernel.ownNetns()) {
      if (isOverlayNetns(netns) && !wanted.has(netns) && (await overlays.isRecorded(netns))) strays.push(netns);
    }
    return strays;
  }

  async #removeStrays(): Promise<void> {
    try {
      for (const netns of await this.#strays()) await this.#removeStray(netns);
    } catch (error) {
      this.#modules.log.error('netns.not-listed', { message: String(error) });
    }
  }

  async #removeStray(netns: NetnsPath): Promise<void> {
    const { kernel, overlays, log, tally } = this.#modules;
    try {
      await overlays.found(netns);
      const failures = await teardown(kernel, netns);
      if (failures.length === 0) overlays.removed(netns);
      log.warn('netns.stray-removed', { netns, failed: failures.length });
      tally.standing(netns, failures.length);
    } catch (error) {
      tally.standing(netns, 1);
      log.error('netns.not-removed', { netns, message: String(error) });
    }
  }
}

/** As many at once as the kernel is asked at once, so that other calls need not wait for all of them. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const one = async (): Promise<void> => {
    for (const [place, item] of left) results[place] = await work(item);
  };
  await Promise.all(Array.from({ length: kernelCallsAtOnce }, one));
  return results;
}
