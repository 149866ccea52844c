import { Peers, type State } from '@causeway/datapath';
import type { EndpointId, EndpointRow } from '@causeway/model';
import type { Slices } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { KnownTable } from '../tables/table.ts';
import { desiredState, type Former, type Host, stateChange, type Wanted } from './desired.ts';
import type { Changed } from './scope.ts';

/**
 * What is wanted of one network, as of one moment: tables change in place, and the kernel is made to follow the moment that
 * a pass began with. Going on to the next moment costs what has changed: at 20,000 rows nothing is built anew.
 */
export class WantedNetwork {
  readonly #host: Host;
  readonly #peers: Peers;
  /** Of this host's endpoints only. */
  #own: Wanted;
  #state: State | undefined;

  private constructor(host: Host, peers: Peers, own: Wanted) {
    this.#host = host;
    this.#peers = peers;
    this.#own = own;
  }

  /** The moment is that of the call, however long the rows take. */
  static async of(
    host: Host,
    table: KnownTable,
    sandboxes: readonly Sandbox[],
    slices: Slices,
  ): Promise<WantedNetwork> {
    const peers = new Peers(host);
    const wanted = new WantedNetwork(host, peers, ownPart(table, sandboxes));
    for (const row of [...table.rows.values()]) {
      peers.add(row);
      await slices.breathe();
    }
    return wanted;
  }

  get state(): State {
    this.#state ??= desiredState(this.#host, this.#own, this.#peers);
    return this.#state;
  }

  get sandboxes(): readonly Sandbox[] {
    return this.#own.sandboxes;
  }

  /** The containers were looked for, and are there now. */
  relocate(sandboxes: readonly Sandbox[]): void {
    this.#own = { ...this.#own, sandboxes };
    this.#state = undefined;
  }

  /** Goes on to this moment. `changes`: all endpoints that are different, as they were. */
  advance(changes: ReadonlyMap<EndpointId, Former>, table: KnownTable, sandboxes: readonly Sandbox[]): Changed {
    const { network, rows } = table;
    const { before, after } = stateChange(this.#host, changes, { network, rows, sandboxes });
    // Former rows go first: what one endpoint has given up, another may have.
    for (const { row } of changes.values()) if (row !== undefined) this.#peers.remove(row);
    for (const id of changes.keys()) {
      const row = rows.get(id);
      if (row !== undefined) this.#peers.add(row);
    }
    this.#own = ownPart(table, sandboxes);
    this.#state = undefined;
    return { kind: 'changed', wanted: after, known: before };
  }
}

function ownPart({ network, rows }: KnownTable, sandboxes: readonly Sandbox[]): Wanted {
  const own = new Map<EndpointId, EndpointRow>();
  for (const { endpoint } of sandboxes) {
    const row = rows.get(endpoint.id);
    if (row !== undefined) own.set(row.id, row);
  }
  return { network, rows: own, sandboxes };
}
