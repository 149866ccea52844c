import { type Kernel, type NetnsPath, overlayNetns } from '@causeway/datapath';
import { type EndpointId, type EndpointRow, type Name, type NetworkId, usesEsp } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Clock, Log, Random } from '@causeway/runtime';
import { Announcer } from '../announce/announcer.ts';
import { isGranted, isUnrecorded } from '../disk/sandbox.ts';
import type { SandboxChange, Sandboxes } from '../disk/sandboxes.ts';
import type { TableChange, Tables } from '../tables/tables.ts';
import { countWrites } from './counting-kernel.ts';
import type { Former, Host } from './desired.ts';
import { driftOf, unreadable } from './drift.ts';
import { HostScope } from './host-scope.ts';
import type { HostStats } from './host-stats.ts';
import { inTurns, kernelCallsAtOnce } from './kernel-turns.ts';
import { NetworkScope } from './network-scope.ts';
import type { Overlays } from './overlays.ts';
import type { Protection } from './protection.ts';
import type { Scope } from './scope.ts';
import { ScopeReconciler } from './scope-reconciler.ts';
import { SweepPace } from './sweep-pace.ts';

export interface ReconcilerModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly stats: HostStats;
  readonly tables: Tables;
  readonly sandboxes: Sandboxes;
  readonly overlays: Overlays;
  readonly protection: Protection;
  readonly onLost: (id: EndpointId) => void;
}

interface NetworkPart {
  readonly scope: NetworkScope;
  readonly reconciler: ScopeReconciler;
}

/** Keeps the kernel as tables and sandboxes want it. The host's own part and each network are reconciled separately. */
export class Reconciler {
  readonly #modules: ReconcilerModules;
  readonly #settings: { readonly host: Host; readonly name: Name };
  readonly #host: { readonly scope: Scope; readonly reconciler: ScopeReconciler };
  readonly #networks = new Map<NetworkId, NetworkPart>();
  readonly #pace = new SweepPace();
  readonly #announcer: Announcer;
  readonly #stopped = new AbortController();
  #announcing = Promise.resolve();
  #confirmed = false;

  constructor(modules: ReconcilerModules, settings: { readonly host: Host; readonly name: Name }) {
    const kernel = inTurns(countWrites(modules.kernel, modules.stats), modules);
    this.#modules = { ...modules, kernel };
    this.#settings = settings;
    this.#announcer = new Announcer(this.#modules);
    const confirmed = (): boolean => this.#confirmed;
    const isInUse = (netns: NetnsPath): boolean => this.#overlaysInUse().has(netns);
    const scope = new HostScope({ ...this.#modules, confirmed, isInUse });
    this.#host = { scope, reconciler: this.#reconciler(scope) };
    modules.tables.onChange((change) => this.#onTable(change));
    modules.sandboxes.onChange((change) => this.#onSandbox(change));
    modules.protection.onChange(() => this.#onProtection());
  }

  /** Begins with the content of the ledger: adds what is missing in the kernel, and removes nothing before `confirm`. */
  start(): void {
    for (const id of this.#networksInUse()) void this.#network(id).reconciler.reread();
    this.#announcing = this.#announcer.run(this.#stopped.signal);
  }

  /** The tables are complete and new enough, so what is in none of them is removed. */
  confirm(): void {
    const isFirst = !this.#confirmed;
    this.#confirmed = true;
    if (isFirst) for (const network of this.#networks.values()) this.#everythingChanged(network);
    void this.#host.reconciler.reread();
  }

  /** Makes the kernel follow the present intent. Returns, in words, what prevents the endpoint from working. */
  async settle(networkId: NetworkId, endpointId: EndpointId): Promise<readonly string[]> {
    const { scope, reconciler } = this.#network(networkId);
    return scope.obstacles(endpointId, await reconciler.follow());
  }

  /** Every difference between intent and kernel at this moment. With `repair`, they are repaired before the answer. */
  async verify(repair: boolean): Promise<Drift[]> {
    const parts = [...this.#networks.values(), this.#host];
    const drift = await eachOf(parts, async ({ scope, reconciler }) => {
      // A scope that cannot be read is reported as unreadable, beside the differences of the other scopes.
      const found = await reconciler.verify().catch((error: unknown) => [unreadable(scope, error)]);
      return found.map((difference) => driftOf(this.#settings.name, scope.name, difference));
    });
    if (repair) await eachOf(parts, ({ reconciler }) => reconciler.reread());
    return [...drift.flat(), ...this.#unrecorded()];
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#announcing;
    const parts = [...this.#networks.values(), this.#host];
    await Promise.all(parts.map(({ reconciler }) => reconciler.stop()));
  }

  /**
   * Containers whose interface cannot be compared, because their records are lost and only the kernel knows where they
   * are.
   */
  #unrecorded(): Drift[] {
    const { tables, sandboxes } = this.#modules;
    return [...sandboxes.all()].filter(isUnrecorded).map(({ endpoint }) => ({
      host: this.#settings.name,
      network: tables.get(endpoint.network)?.network.name ?? endpoint.network,
      kind: 'sandbox',
      key: endpoint.name,
      actual: 'its record is lost',
      desired: 'attached once more as it was',
    }));
  }

  #onTable(change: TableChange): void {
    const network = this.#network(change.networkId);
    if (change.kind !== 'stepped' || change.networkChanged) {
      this.#everythingChanged(network);
      return;
    }
    const former = new Map<EndpointId, Former>();
    for (const [id, row] of change.before.endpoint as ReadonlyMap<EndpointId, EndpointRow | undefined>)
      former.set(id, { row, sandbox: this.#modules.sandboxes.get(id) });
    this.#endpointsChanged(network, former);
  }

  #onSandbox({ networkId, endpointId, before }: SandboxChange): void {
    const row = this.#modules.tables.get(networkId)?.rows.endpoint.get(endpointId);
    this.#endpointsChanged(this.#network(networkId), new Map([[endpointId, { row, sandbox: before }]]));
  }

  /** Encrypted networks have waited for it. */
  #onProtection(): void {
    for (const [id, { reconciler }] of this.#networks) {
      const network = this.#modules.tables.get(id)?.network;
      if (network !== undefined && usesEsp(network)) void reconciler.follow();
    }
  }

  #everythingChanged({ scope, reconciler }: NetworkPart): void {
    scope.everythingChanged();
    void reconciler.follow();
  }

  #endpointsChanged({ scope, reconciler }: NetworkPart, former: ReadonlyMap<EndpointId, Former>): void {
    scope.endpointsChanged(former);
    void reconciler.follow();
  }

  #network(networkId: NetworkId): NetworkPart {
    const known = this.#networks.get(networkId);
    if (known !== undefined) return known;
    const { tables, sandboxes } = this.#modules;
    const scope = new NetworkScope(
      {
        ...this.#modules,
        intent: () => ({ table: tables.get(networkId), sandboxes: sandboxes.of(networkId) }),
        inContainer: (identity) => sandboxes.in(identity),
        confirmed: () => this.#confirmed,
        announce: (found) => this.#announcer.announce(found),
        onRemoved: () => this.#forget(networkId),
      },
      { host: this.#settings.host, networkId },
    );
    const made = { scope, reconciler: this.#reconciler(scope) };
    this.#networks.set(networkId, made);
    return made;
  }

  #reconciler(scope: Scope): ScopeReconciler {
    const { log, stats } = this.#modules;
    const onRepaired: ConstructorParameters<typeof ScopeReconciler>[0]['onRepaired'] = (network, repaired) => {
      const drift = repaired.map((difference) => driftOf(this.#settings.name, network, difference));
      log.warn('drift.repaired', { network, count: drift.length, first: drift[0] });
      stats.repaired(drift);
    };
    return new ScopeReconciler({ ...this.#modules, pace: this.#pace, onRepaired }, scope);
  }

  /** If the network comes back, it gets a new reconciler without any knowledge. */
  #forget(networkId: NetworkId): void {
    const gone = this.#networks.get(networkId);
    if (gone === undefined || this.#networksInUse().has(networkId)) return;
    this.#networks.delete(networkId);
    this.#pace.forget(networkId);
    void gone.reconciler.stop();
  }

  #networksInUse(): Set<NetworkId> {
    const { tables, sandboxes } = this.#modules;
    return new Set([
      ...Array.from(tables.all(), ({ network }) => network.id),
      ...Array.from(sandboxes.all())
        .filter(isGranted)
        .map(({ endpoint }) => endpoint.network),
    ]);
  }

  /** The overlays of networks that are desired, or that a reconciler is working on. */
  #overlaysInUse(): ReadonlySet<NetnsPath> {
    return new Set([...this.#networksInUse(), ...this.#networks.keys()].map(overlayNetns));
  }
}

/**
 * Works on as many items at once as there may be kernel calls at once, so that other calls need not wait for all items.
 */
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
