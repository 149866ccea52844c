import { type NewAddress, Peers, type State } from '@causeway/datapath';
import type { EndpointId, EndpointRow, Mac } from '@causeway/model';
import type { Slices } from '@causeway/runtime';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';
import type { KnownTable } from '../tables/table.ts';
import { type Desired, desiredState, type Former, type Host, stateChange } from './desired.ts';
import type { Changed } from './scope.ts';

/**
 * What is desired of one network at one moment. Tables change in place, but a pass makes the kernel follow the moment at
 * which the pass began. Moving on to the next moment costs only what has changed: nothing is built anew, not even with
 * 20,000 rows.
 */
export class DesiredNetwork {
  readonly #host: Host;
  readonly #peers: Peers;
  /** Only the part of this host's endpoints. */
  #own: OwnPart;
  #state: State | undefined;

  private constructor(host: Host, peers: Peers, own: OwnPart) {
    this.#host = host;
    this.#peers = peers;
    this.#own = own;
  }

  /** The result is as of the time of the call, however long the rows take. */
  static async of(
    host: Host,
    table: KnownTable,
    sandboxes: readonly Sandbox[],
    slices: Slices,
  ): Promise<DesiredNetwork> {
    const peers = new Peers(host);
    const desired = new DesiredNetwork(host, peers, ownPart(table, sandboxes));
    for (const row of [...table.rows.endpoint.values()]) {
      peers.add(row);
      await slices.maybeYield();
    }
    return desired;
  }

  get state(): State {
    this.#state ??= desiredState(this.#host, this.#own, this.#peers);
    return this.#state;
  }

  get sandboxes(): readonly Sandbox[] {
    return this.#own.sandboxes;
  }

  /** The MACs of the network's containers on this host. */
  get ownMacs(): readonly Mac[] {
    return this.#own.sandboxes.filter(isGranted).map(({ endpoint }) => endpoint.mac);
  }

  /** Whether a container still has this address, which was new at an earlier moment. */
  hasStill({ ip, mac, isOwn }: NewAddress): boolean {
    return isOwn ? this.ownMacs.includes(mac) : this.#peers.neighbours.get(ip) === mac;
  }

  /** The containers were located again. `sandboxes`: each where its container is now. */
  relocate(sandboxes: readonly Sandbox[]): void {
    this.#own = { ...this.#own, sandboxes };
    this.#state = undefined;
  }

  /** Moves on to the present moment. `changes`: all endpoints that have changed, as they were before. */
  advance(changes: ReadonlyMap<EndpointId, Former>, table: KnownTable, sandboxes: readonly Sandbox[]): Changed {
    const { network } = table;
    const rows = table.rows.endpoint;
    const { before, after } = stateChange(this.#host, changes, { network, rows, sandboxes });
    // Former rows are removed first: what one endpoint has given up, another endpoint may have now.
    for (const { row } of changes.values()) if (row !== undefined) this.#peers.remove(row);
    for (const id of changes.keys()) {
      const row = rows.get(id);
      if (row !== undefined) this.#peers.add(row);
    }
    this.#own = { network, rows: this.#ownRows(changes.keys(), table, sandboxes), sandboxes };
    this.#state = undefined;
    return { kind: 'changed', desired: after, known: before };
  }

  /** The rows of this host's endpoints, after these endpoints have changed. */
  #ownRows(
    changed: Iterable<EndpointId>,
    { rows }: KnownTable,
    sandboxes: readonly Sandbox[],
  ): Map<EndpointId, EndpointRow> {
    const own = this.#own.rows;
    const ids = new Set(changed);
    for (const id of ids) own.delete(id);
    for (const { endpoint } of sandboxes) {
      const row = ids.has(endpoint.id) ? rows.endpoint.get(endpoint.id) : undefined;
      if (row !== undefined) own.set(row.id, row);
    }
    return own;
  }
}

/** The part of a network that the sandboxes of this host need. */
interface OwnPart extends Desired {
  readonly rows: Map<EndpointId, EndpointRow>;
}

function ownPart({ network, rows }: KnownTable, sandboxes: readonly Sandbox[]): OwnPart {
  const own = new Map<EndpointId, EndpointRow>();
  for (const { endpoint } of sandboxes) {
    const row = rows.endpoint.get(endpoint.id);
    if (row !== undefined) own.set(row.id, row);
  }
  return { network, rows: own, sandboxes };
}
