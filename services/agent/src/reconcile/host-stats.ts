import type { EndpointId, NetworkId, Stamp } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { ScopeId } from './scope.ts';

/** Repairs kept until a manager has heard of them; beyond, only their number is kept. */
const longestUnreported = 1_000;

/** Where a difference stands: a scope, an endpoint of a network, or the path of a namespace that belongs to no scope. */
type Place = ScopeId | `${NetworkId}/${EndpointId}` | `/${string}`;

/** What this host has done to its kernel: counted in one place, for the session's reports and for `status`. */
export class HostStats {
  readonly #applied = new Map<NetworkId, Stamp>();
  readonly #removed = new Set<NetworkId>();
  readonly #unresolved = new Map<Place, number>();
  readonly #listeners: (() => void)[] = [];
  #recovered: bigint | undefined;
  #repairs = 0;
  #kernelWrites = 0;
  readonly #failedOps = new Map<string, number>();
  #unreported: Drift[] = [];
  #kept: EndpointId[] = [];

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Differences between intent and kernel repaired since start. */
  get repairs(): number {
    return this.#repairs;
  }

  /** Steps the kernel took for us since start. */
  get kernelWrites(): number {
    return this.#kernelWrites;
  }

  /** Differences that stand because the kernel refuses. */
  get drift(): number {
    let sum = 0;
    for (const count of this.#unresolved.values()) sum += count;
    return sum;
  }

  /** Of it, what stands in networks. */
  get networkDrift(): readonly (readonly [NetworkId, number])[] {
    const sums = new Map<NetworkId, number>();
    for (const [place, count] of this.#unresolved) {
      const network = networkOf(place);
      if (network !== undefined) sums.set(network, (sums.get(network) ?? 0) + count);
    }
    return [...sums];
  }

  /** By network: up to where the kernel has everything. */
  get applied(): ReadonlyMap<NetworkId, Stamp> {
    return this.#applied;
  }

  /** The newest epoch whose managers know all that this host holds of earlier ones, or have refused it. */
  get recovered(): bigint | undefined {
    return this.#recovered;
  }

  recover(epoch: bigint): void {
    if (this.#recovered === epoch) return;
    this.#recovered = epoch;
    this.#tell();
  }

  /** By errno ("EEXIST"): steps that the kernel refused since start. */
  get failedOps(): ReadonlyMap<string, number> {
    return this.#failedOps;
  }

  failed(errno: string): void {
    this.#failedOps.set(errno, (this.#failedOps.get(errno) ?? 0) + 1);
  }

  wrote(count: number): void {
    this.#kernelWrites += count;
  }

  repaired(drift: readonly Drift[]): void {
    if (drift.length === 0) return;
    this.#repairs += drift.length;
    this.#unreported = [...this.#unreported, ...drift].slice(-longestUnreported);
    this.#tell();
  }

  /** An endpoint that is kept although the record of its container is lost: reported once. */
  kept(id: EndpointId): void {
    this.#kept.push(id);
    this.#tell();
  }

  /** Endpoints kept that were not reported yet; the next call gives only newer ones. */
  takeKept(): EndpointId[] {
    const taken = this.#kept;
    this.#kept = [];
    return taken;
  }

  unresolved(place: Place, count: number): void {
    if ((this.#unresolved.get(place) ?? 0) === count) return;
    if (count === 0) this.#unresolved.delete(place);
    else this.#unresolved.set(place, count);
    this.#tell();
  }

  reached(networkId: NetworkId, { epoch, revision }: Stamp): void {
    const before = this.#applied.get(networkId);
    if (before?.epoch === epoch && before.revision === revision) return;
    this.#applied.set(networkId, { epoch, revision });
    this.#removed.delete(networkId);
    this.#tell();
  }

  /** The kernel holds nothing of the network any more. */
  forget(networkId: NetworkId): void {
    this.#applied.delete(networkId);
    this.#removed.add(networkId);
    this.unresolved(networkId, 0);
    this.#tell();
  }

  /** Networks of which nothing is left, that nobody has been told of. */
  takeRemoved(): NetworkId[] {
    const taken = [...this.#removed];
    this.#removed.clear();
    return taken;
  }

  /** Repairs nobody has been told of; the next call gives only newer ones. */
  takeUnreported(): Drift[] {
    const taken = this.#unreported;
    this.#unreported = [];
    return taken;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function networkOf(place: Place): NetworkId | undefined {
  const [network] = place.split('/');
  return network === 'host' || network === '' ? undefined : (network as NetworkId);
}
