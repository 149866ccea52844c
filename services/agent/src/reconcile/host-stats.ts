import type { EndpointId, NetworkId, Stamp } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { ScopeId } from './scope.ts';

/** Maximum number of repairs that are kept for the next report. Further repairs are only counted. */
const longestUnreported = 1_000;

/** Where a difference is: a scope, SAs and policies, an endpoint of a network, or the path of a namespace that belongs to no scope. */
type Place = ScopeId | 'encryption' | `${NetworkId}/${EndpointId}` | `/${string}`;

/** What this host has done to its kernel. Counted in one place, for the session's reports and for `status`. */
export class HostStats {
  readonly #applied = new Map<NetworkId, Stamp>();
  readonly #removed = new Set<NetworkId>();
  readonly #unresolved = new Map<Place, number>();
  readonly #listeners: (() => void)[] = [];
  #recovered: bigint | undefined;
  #repairs = 0;
  #kernelWrites = 0;
  readonly #failedOps = new Map<string, number>();
  #announced = 0;
  #notAnnounced = 0;
  #unreported: Drift[] = [];
  #kept: EndpointId[] = [];

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Number of repaired differences between intent and kernel since start. */
  get repairs(): number {
    return this.#repairs;
  }

  /** Number of steps that the kernel has carried out since start. */
  get kernelWrites(): number {
    return this.#kernelWrites;
  }

  /** Number of differences that remain because the kernel refuses to change. */
  get drift(): number {
    let sum = 0;
    for (const count of this.#unresolved.values()) sum += count;
    return sum;
  }

  /** The part of `drift` that is in networks, by network. */
  get networkDrift(): readonly (readonly [NetworkId, number])[] {
    const sums = new Map<NetworkId, number>();
    for (const [place, count] of this.#unresolved) {
      const network = networkOf(place);
      if (network !== undefined) sums.set(network, (sums.get(network) ?? 0) + count);
    }
    return [...sums];
  }

  /** By network: the stamp up to which the kernel has every change. */
  get applied(): ReadonlyMap<NetworkId, Stamp> {
    return this.#applied;
  }

  /** The newest epoch whose managers know every endpoint that this host holds from earlier epochs, or have refused it. */
  get recovered(): bigint | undefined {
    return this.#recovered;
  }

  recover(epoch: bigint): void {
    if (this.#recovered === epoch) return;
    this.#recovered = epoch;
    this.#tell();
  }

  /** By errno ("EEXIST"): number of steps that the kernel has refused since start. */
  get failedOps(): ReadonlyMap<string, number> {
    return this.#failedOps;
  }

  /** Number of announcements of new addresses that were sent to containers since start. */
  get announcedCount(): number {
    return this.#announced;
  }

  /** Number of such announcements that were dropped, because they were too many at once or could not be sent. */
  get notAnnouncedCount(): number {
    return this.#notAnnounced;
  }

  announced(count: number): void {
    this.#announced += count;
  }

  notAnnounced(count: number): void {
    this.#notAnnounced += count;
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

  /** Counts an endpoint that is kept although the record of its container is lost. It is reported once. */
  kept(id: EndpointId): void {
    this.#kept.push(id);
    this.#tell();
  }

  /** Kept endpoints that were not reported yet. The next call returns only newer ones. */
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

  /** Removed networks that were not reported yet. */
  takeRemoved(): NetworkId[] {
    const taken = [...this.#removed];
    this.#removed.clear();
    return taken;
  }

  /** Repairs that were not reported yet. The next call returns only newer ones. */
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
  return network === 'host' || network === 'encryption' || network === '' ? undefined : (network as NetworkId);
}
