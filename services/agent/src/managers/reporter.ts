import type { NetworkId } from '@causeway/model';
import type { ConnectRequest, NetworkApplied } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Duration, milliseconds, Worker } from '@causeway/runtime';
import type { HostStats } from '../reconcile/host-stats.ts';

/**
 * Pause after each batch of reports, so that a burst of changes becomes one message. The first report after a rest is not
 * delayed. In a burst, 20 ms would mean a report for nearly each delta, which costs agent and manager as much as the delta.
 */
const batch = milliseconds(50);

/**
 * Reports to one manager what this host has done. Each applied revision is reported once, soon after it was applied. The
 * host's report (repairs, drift, health) is sent soon after a change, and as the heartbeat.
 */
export class Reporter {
  readonly #clock: Clock;
  readonly #stats: HostStats;
  readonly #underlayMtu: () => number;
  readonly #health: () => HostHealth;
  readonly #epoch: () => bigint | undefined;
  readonly #send: (request: ConnectRequest) => void;
  readonly #reported = new Map<NetworkId, bigint>();
  readonly #worker = new Worker((signal) => this.#report(signal));
  #toldHost = '';

  constructor(modules: {
    readonly clock: Clock;
    readonly stats: HostStats;
    readonly underlayMtu: () => number;
    readonly health: () => HostHealth;
    /** Epoch of the session's manager, which has no use for revisions of another epoch. */
    readonly epoch: () => bigint | undefined;
    readonly send: (request: ConnectRequest) => void;
  }) {
    this.#clock = modules.clock;
    this.#stats = modules.stats;
    this.#underlayMtu = modules.underlayMtu;
    this.#health = modules.health;
    this.#epoch = modules.epoch;
    this.#send = modules.send;
  }

  /** To be called when something may have changed. */
  poke(): void {
    void this.#worker.poke();
  }

  /** Sends the host's report at this interval, until the signal aborts. */
  async beat(every: Duration, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#sendHost();
      await this.#clock.sleep(every, signal);
    }
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async #report(signal: AbortSignal): Promise<void> {
    const networks: NetworkApplied[] = [];
    for (const [networkId, { epoch, revision }] of this.#stats.applied) {
      if (epoch !== this.#epoch() || this.#reported.get(networkId) === revision) continue;
      this.#reported.set(networkId, revision);
      networks.push({ networkId, revision });
    }
    const withdrawnIds = this.#stats.takeRemoved();
    for (const id of withdrawnIds) this.#reported.delete(id);
    if (networks.length > 0 || withdrawnIds.length > 0)
      this.#send({ message: { oneofKind: 'applied', applied: { networks, withdrawnIds } } });
    if (this.#host() !== this.#toldHost) this.#sendHost();
    await this.#clock.sleep(batch, signal);
  }

  #sendHost(): void {
    const { repairs, drift } = this.#stats;
    const networkDrift = Object.fromEntries(this.#stats.networkDrift);
    this.#toldHost = this.#host();
    const repaired = this.#stats.takeUnreported();
    const keptIds = this.#stats.takeKept();
    const recovered = this.#recovered();
    const underlayMtu = this.#underlayMtu();
    const health = this.#health();
    const report = { repairs: BigInt(repairs), drift, repaired, underlayMtu, networkDrift, recovered, health, keptIds };
    this.#send({ message: { oneofKind: 'report', report } });
  }

  #host(): string {
    const { repairs, drift, networkDrift } = this.#stats;
    return `${repairs} ${drift} ${networkDrift.join(' ')} ${this.#underlayMtu()} ${this.#recovered()}`;
  }

  #recovered(): boolean {
    return this.#stats.recovered !== undefined && this.#stats.recovered === this.#epoch();
  }
}
