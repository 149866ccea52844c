import type { EndpointId, RequestId } from '@causeway/model';
import type { Duration, Log } from '@causeway/runtime';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Claims } from '../managers/claims.ts';
import type { OwnRows } from '../tables/own-rows.ts';
import type { Tables } from '../tables/tables.ts';
import { type LocalEndpoint, pickEndpoint } from './pick-endpoint.ts';
import type { Settle } from './settle.ts';

/** Number of answers that are kept for retries after a lost reply. */
const remembered = 256;

export interface Detached {
  /** Store revision of the release. */
  readonly revision: bigint;
  /** Name of the endpoint's host, when that is another host. */
  readonly host?: string;
  readonly interfaceRemoved: boolean;
}

export interface DetachSpec {
  readonly requestId: RequestId;
  /** Id, name, or NETWORK/NAME of an endpoint of this host or of another host. */
  readonly target: string;
  /** For an endpoint of another host: detach also when that host is not ready. */
  readonly force: boolean;
}

/**
 * Detaches endpoints: first at the managers, then in the kernel. Only the managers can refuse or be unavailable, and in
 * that case nothing is half done. After a crash between the two steps, garbage collection removes the sandbox whose
 * endpoint is gone.
 */
export class Detacher {
  readonly #claims: Claims;
  readonly #tables: Tables;
  readonly #ownRows: OwnRows;
  readonly #sandboxes: Sandboxes;
  readonly #settle: Settle;
  readonly #log: Log;
  readonly #outcomes = new Map<RequestId, Promise<Detached>>();
  readonly #underWay = new Map<EndpointId, Promise<Detached>>();

  constructor(modules: {
    readonly claims: Claims;
    readonly tables: Tables;
    readonly ownRows: OwnRows;
    readonly sandboxes: Sandboxes;
    readonly settle: Settle;
    readonly log: Log;
  }) {
    this.#claims = modules.claims;
    this.#tables = modules.tables;
    this.#ownRows = modules.ownRows;
    this.#sandboxes = modules.sandboxes;
    this.#settle = modules.settle;
    this.#log = modules.log;
  }

  isUnderWay(id: EndpointId): boolean {
    return this.#underWay.has(id);
  }

  detach(spec: DetachSpec, timeout: Duration): Promise<Detached> {
    const { requestId } = spec;
    const known = this.#outcomes.get(requestId);
    if (known !== undefined) return known;
    const outcome = this.#detach(spec, timeout);
    this.#outcomes.set(requestId, outcome);
    outcome.catch(() => this.#outcomes.delete(requestId));
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= remembered) break;
      this.#outcomes.delete(oldest);
    }
    return outcome;
  }

  async #detach({ requestId, target, force }: DetachSpec, timeout: Duration): Promise<Detached> {
    const endpoint = pickEndpoint([...this.#local()], target);
    if (endpoint === undefined) return await this.#claims.detachAnywhere(requestId, target, { force, timeout });
    const before = this.#underWay.get(endpoint.id);
    if (before !== undefined) return await before;
    const outcome = this.#perform(requestId, endpoint, timeout).finally(() => this.#underWay.delete(endpoint.id));
    this.#underWay.set(endpoint.id, outcome);
    return await outcome;
  }

  async #perform(requestId: RequestId, { id, name, networkId }: LocalEndpoint, timeout: Duration): Promise<Detached> {
    const revision = await this.#claims.release(id, timeout, { requestId });
    await this.#sandboxes.remove(id);
    await this.#settle(networkId, id);
    this.#log.info('endpoint.detached', { endpointId: id, endpoint: name, networkId });
    return { revision: revision ?? 0n, interfaceRemoved: true };
  }

  /** Endpoints of this host: those with a sandbox, and those that are claimed but have no sandbox. */
  *#local(): Generator<LocalEndpoint> {
    for (const { endpoint } of this.#sandboxes.all()) {
      const { id, name, network: networkId } = endpoint;
      const table = this.#tables.get(networkId);
      const isLeaving = this.isUnderWay(id) || (table !== undefined && !table.rows.endpoint.has(id));
      yield { id, name, networkId, network: table?.network.name, isLeaving };
    }
    for (const [id, networkId] of this.#ownRows.all()) {
      const table = this.#tables.get(networkId);
      const row = table?.rows.endpoint.get(id);
      if (row === undefined || this.#sandboxes.get(id) !== undefined) continue;
      yield { id, name: row.name, networkId, network: table?.network.name, isLeaving: this.isUnderWay(id) };
    }
  }
}
