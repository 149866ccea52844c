import type { EndpointId, Name, NetworkId } from '@causeway/model';
import { type Clock, type Log, seconds, Worker } from '@causeway/runtime';
import type { OwnRows } from '../assignments/own-rows.ts';
import type { Tables } from '../assignments/tables.ts';
import { Later } from '../timing/later.ts';
import type { Claims } from './claims.ts';
import type { Sandboxes } from './sandboxes.ts';
import { planUpkeep } from './upkeep.ts';

const releaseWithin = seconds(5);

export interface CaretakerModules {
  readonly tables: Tables;
  readonly ownRows: OwnRows;
  readonly sandboxes: Sandboxes;
  readonly claims: Claims;
  readonly isUnderWay: (id: EndpointId, name: Name) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Carries out the upkeep whenever something it depends on has changed. */
export class Caretaker {
  readonly #modules: CaretakerModules;
  readonly #worker = new Worker((signal) => this.#run(signal));
  readonly #withdrawn = new Set<NetworkId>();
  readonly #lost = new Set<EndpointId>();
  readonly #later: Later;
  #orphanedSince: ReadonlyMap<EndpointId, number> = new Map();
  #confirmed: bigint | undefined;

  constructor(modules: CaretakerModules) {
    this.#modules = modules;
    this.#later = new Later({ clock: modules.clock, action: () => this.poke() });
    modules.tables.onChange(({ kind, networkId }) => {
      if (kind === 'dropped') this.#withdrawn.add(networkId);
      else if (kind === 'replaced') this.#withdrawn.delete(networkId);
      this.poke();
    });
  }

  poke(): void {
    void this.#worker.poke();
  }

  /** Nothing up to this store revision is missing in the tables. */
  confirm(revision: bigint): void {
    this.#confirmed = revision;
    this.poke();
  }

  /** The container behind the endpoint is dead. */
  lost(id: EndpointId): void {
    if (this.#lost.has(id)) return;
    this.#lost.add(id);
    this.#modules.log.warn('endpoint.lost', {
      endpointId: id,
      message: 'its namespace is gone, its endpoint is released',
    });
    this.poke();
  }

  async stop(): Promise<void> {
    this.#later.stop();
    await this.#worker.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { tables, ownRows, sandboxes, isUnderWay, clock, log } = this.#modules;
    const plan = planUpkeep({
      table: (networkId) => tables.get(networkId),
      ownRows: ownRows.all(),
      sandboxes: sandboxes.all(),
      confirmed: this.#confirmed,
      withdrawn: this.#withdrawn,
      lost: this.#lost,
      isUnderWay,
      orphanedSince: this.#orphanedSince,
      now: clock.now(),
    });
    this.#orphanedSince = plan.orphanedSince;
    for (const id of plan.forget) {
      log.info('endpoint.released-elsewhere', { endpointId: id });
      await this.#forget(id);
    }
    await Promise.all(plan.release.map((id) => this.#release(id, signal)));
    if (plan.again !== undefined) this.#later.in(plan.again);
  }

  async #release(id: EndpointId, signal: AbortSignal): Promise<void> {
    const { claims, log } = this.#modules;
    try {
      await claims.release(id, releaseWithin, { signal });
    } catch (error) {
      log.debug('endpoint.release-postponed', { endpointId: id, message: String(error) });
      return;
    }
    log.info('endpoint.reclaimed', { endpointId: id });
    await this.#forget(id);
  }

  async #forget(id: EndpointId): Promise<void> {
    await this.#modules.sandboxes.remove(id);
    this.#lost.delete(id);
  }
}
