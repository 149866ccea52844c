import { CausewayError, clip, type EndpointId, type NetworkId, type RequestId } from '@causeway/model';
import type { Duration, Log } from '@causeway/runtime';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Claims } from '../managers/claims.ts';
import type { OwnRows } from '../tables/own-rows.ts';
import type { Tables } from '../tables/tables.ts';
import type { Settle } from './attach-steps.ts';

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

interface LocalEndpoint {
  readonly id: EndpointId;
  readonly name: string;
  readonly networkId: NetworkId;
  /** undefined: this host does not have the network's table (yet). */
  readonly network: string | undefined;
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
    const endpoint = pick([...this.#local()], target);
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
      const network = this.#tables.get(endpoint.network)?.network.name;
      yield { id: endpoint.id, name: endpoint.name, networkId: endpoint.network, network };
    }
    for (const [id, networkId] of this.#ownRows.all()) {
      const table = this.#tables.get(networkId);
      const row = table?.rows.endpoint.get(id);
      if (row === undefined || this.#sandboxes.get(id) !== undefined) continue;
      yield { id, name: row.name, networkId, network: table?.network.name };
    }
  }
}

/** Returns undefined when no endpoint of this host matches. */
function pick(local: readonly LocalEndpoint[], target: string): LocalEndpoint | undefined {
  const byId = local.find((endpoint) => endpoint.id === target);
  if (byId !== undefined) return byId;
  const [network, name] = target.includes('/') ? split(target) : [undefined, target];
  const matches = local.filter(
    (endpoint) =>
      endpoint.name === name &&
      (network === undefined || network === endpoint.network || network === endpoint.networkId),
  );
  const [match] = matches;
  if (match === undefined) return undefined;
  if (matches.length === 1) return match;
  const choices = matches.map((endpoint) => `${endpoint.network ?? endpoint.networkId}/${endpoint.name}`).join(', ');
  throw new CausewayError(
    'name-ambiguous',
    `endpoint "${clip(target)}" is in several networks: use one of ${choices}`,
    {
      endpoint: clip(target),
    },
  );
}

function split(text: string): [string, string] {
  const at = text.indexOf('/');
  return [text.slice(0, at), text.slice(at + 1)];
}
