import { type EndpointId, isCausewayError, messageOf, type Name, type NetworkId, type Stamp } from '@causeway/model';
import { type Clock, DelayedAction, type Duration, type Log, seconds, Worker } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Claims } from '../managers/claims.ts';
import type { OwnRows } from '../tables/own-rows.ts';
import type { Tables } from '../tables/tables.ts';
import { planGc, type Release } from './gc-plan.ts';

const answerWithin = seconds(5);
/**
 * Delay of a plan after steps of tables that change no endpoint which may have to be released or forgotten. They move a
 * table past the revision of a claim, which matters for a claim whose row is gone, and after a crash only.
 */
const afterOthers = seconds(1);

export interface GarbageCollectorModules {
  readonly tables: Tables;
  readonly ownRows: OwnRows;
  readonly sandboxes: Sandboxes;
  readonly claims: Claims;
  readonly isUnderWay: (id: EndpointId, name: Name) => boolean;
  /** Called when the managers of this epoch know every endpoint that this host holds, or have refused it. */
  readonly onRecovered: (epoch: bigint) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs garbage collection whenever something changes that the plan depends on. */
export class GarbageCollector {
  readonly #modules: GarbageCollectorModules;
  readonly #worker = new Worker((signal) => this.#run(signal));
  readonly #withdrawn = new Map<NetworkId, bigint>();
  readonly #lost = new Set<EndpointId>();
  readonly #refusedAt = new Map<EndpointId, number>();
  /** Releases that the managers may carry out at any time: those under way, and those that were not answered. */
  readonly #begun = new Map<EndpointId, { readonly release: Release; readonly answered: Promise<boolean> }>();
  readonly #later: DelayedAction;
  readonly #afterOthers: DelayedAction;
  #orphanedSince: ReadonlyMap<EndpointId, number> = new Map();
  #confirmed: Stamp | undefined;
  #recovering = false;

  constructor(modules: GarbageCollectorModules, settings: { readonly epoch: () => bigint }) {
    this.#modules = modules;
    this.#later = new DelayedAction({ clock: modules.clock, action: () => this.poke() });
    this.#afterOthers = new DelayedAction({ clock: modules.clock, action: () => this.poke() });
    modules.tables.onChange((change) => {
      const { kind, networkId } = change;
      if (kind === 'stepped' && this.#isSettled(networkId, modules.ownRows.changedBy(change))) {
        this.#afterOthers.in(afterOthers);
        return;
      }
      if (kind === 'dropped') this.#withdrawn.set(networkId, settings.epoch());
      else if (kind === 'replaced') this.#withdrawn.delete(networkId);
      this.poke();
    });
  }

  poke(): void {
    void this.#worker.poke();
  }

  /** The store was restored. Nothing may be decided by the old tables: the managers must first confirm the tables anew. */
  beginEpoch(): void {
    this.#confirmed = undefined;
    this.#recovering = true;
    this.#refusedAt.clear();
  }

  /** Nothing is missing in the tables up to this stamp. */
  confirm(stamp: Stamp): void {
    this.#confirmed = stamp;
    this.poke();
  }

  /** The endpoint's container is dead. */
  lost(id: EndpointId): void {
    if (this.#lost.has(id)) return;
    this.#lost.add(id);
    this.#modules.log.warn('endpoint.lost', {
      endpointId: id,
      message: 'its namespace is gone, its endpoint is released',
    });
    this.poke();
  }

  /**
   * Ends every release of an endpoint with this name that was begun, so that an attach does not take over an endpoint
   * that the managers may release afterwards. Returns whether there was any. Throws when the managers do not answer.
   * While an attach of this name is under way, no other release is begun.
   */
  async endReleases(name: Name, timeout: Duration): Promise<boolean> {
    const begun = [...this.#begun.values()].filter(({ release }) => release.name === name);
    for (const { release, answered } of begun) {
      if (await answered) continue;
      await this.#modules.claims.release(release.id, timeout, { reason: release.reason });
      await this.#forget(release.id);
    }
    return begun.length > 0;
  }

  async stop(): Promise<void> {
    this.#later.stop();
    this.#afterOthers.stop();
    await this.#worker.stop();
  }

  /** Whether each of these endpoints has its row, and its container or a call that works on it: so nothing is to be done. */
  #isSettled(networkId: NetworkId, ids: readonly EndpointId[]): boolean {
    const { tables, sandboxes, isUnderWay } = this.#modules;
    const rows = tables.get(networkId)?.rows.endpoint;
    return ids.every((id) => {
      const row = rows?.get(id);
      return row !== undefined && (sandboxes.get(id) !== undefined || isUnderWay(id, row.name));
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { tables, ownRows, sandboxes, isUnderWay, onRecovered, clock, log } = this.#modules;
    const confirmed = this.#confirmed;
    const plan = planGc({
      table: (networkId) => tables.get(networkId),
      ownRows: ownRows.all(),
      sandboxes: sandboxes.all(),
      confirmed,
      withdrawn: this.#withdrawn,
      lost: this.#lost,
      isUnderWay,
      orphanedSince: this.#orphanedSince,
      recovering: this.#recovering,
      refusedAt: this.#refusedAt,
      now: clock.now(),
    });
    this.#orphanedSince = plan.orphanedSince;
    this.#prune();
    // Begun in the turn of the plan: what the plan knows of containers and attaches may be wrong later.
    const releases = plan.release.map((release) => this.#begin(release, signal));
    await sandboxes.change(plan.renew);
    for (const id of plan.forget) {
      const message = 'the managers have released it, its interface is removed from its container';
      log.warn('endpoint.released-elsewhere', { endpointId: id, message });
      await this.#forget(id);
    }
    const released = await Promise.all(releases);
    const answered = await this.#reclaim(plan.reclaim, signal);
    if (
      confirmed !== undefined &&
      confirmed === this.#confirmed &&
      plan.recovers &&
      answered &&
      released.every(Boolean)
    ) {
      this.#recovering = false;
      onRecovered(confirmed.epoch);
    }
    if (plan.again !== undefined) this.#later.in(plan.again);
  }

  /** Same as `#release`. The release is remembered in `#begun`. */
  #begin(release: Release, signal: AbortSignal): Promise<boolean> {
    const answered = this.#release(release, signal);
    this.#begun.set(release.id, { release, answered });
    return answered;
  }

  /** An unanswered release of an endpoint without row and container was carried out. */
  #prune(): void {
    if (this.#begun.size === 0) return;
    const rows = new Map(this.#modules.ownRows.all());
    for (const id of this.#begun.keys())
      if (!rows.has(id) && this.#modules.sandboxes.get(id) === undefined) this.#begun.delete(id);
  }

  /** Returns whether the managers have the release. */
  async #release({ id, reason }: Release, signal: AbortSignal): Promise<boolean> {
    const { claims, log } = this.#modules;
    try {
      await claims.release(id, answerWithin, { reason, signal });
    } catch (error) {
      log.debug('endpoint.release-postponed', { endpointId: id, message: String(error) });
      return false;
    }
    log.info('endpoint.reclaimed', { endpointId: id });
    await this.#forget(id);
    return true;
  }

  /**
   * Claims one sandbox after the other, so that the claims keep their order. Returns whether the managers accepted or
   * refused every claim.
   */
  async #reclaim(former: readonly Sandbox[], signal: AbortSignal): Promise<boolean> {
    for (const sandbox of former) if (!(await this.#claimAgain(sandbox, signal))) return false;
    return true;
  }

  async #claimAgain(sandbox: Sandbox, signal: AbortSignal): Promise<boolean> {
    const { claims, sandboxes, clock, log } = this.#modules;
    const { endpoint } = sandbox;
    const fields = { endpointId: endpoint.id, endpoint: endpoint.name, networkId: endpoint.network };
    try {
      const claimed = await claims.reclaim(endpoint, answerWithin, signal);
      // Its container may have been recorded meanwhile.
      const { refused, ...kept } = sandboxes.get(endpoint.id) ?? sandbox;
      await sandboxes.change([{ ...kept, claimed }]);
      log.warn('endpoint.claimed-again', { ...fields, addresses: endpoint.addresses });
    } catch (error) {
      const message = messageOf(error);
      if (isCausewayError(error) && error.kind === 'unavailable') {
        log.debug('endpoint.claim-postponed', { ...fields, message });
        return false;
      }
      this.#refusedAt.set(endpoint.id, clock.now());
      if (sandbox.refused === message) return true;
      log.error('endpoint.cut-off', { ...fields, addresses: endpoint.addresses, message });
      await sandboxes.change([{ ...(sandboxes.get(endpoint.id) ?? sandbox), refused: message }]);
    }
    return true;
  }

  async #forget(id: EndpointId): Promise<void> {
    await this.#modules.sandboxes.remove(id);
    this.#begun.delete(id);
    this.#lost.delete(id);
    this.#refusedAt.delete(id);
  }
}
