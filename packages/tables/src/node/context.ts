import type { CausewayError, ClusterId, NetworkId, Result } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import { Refusals, type Why } from '../guard/refusals.ts';
import type { Signatures, Signer } from '../keys/signatures.ts';
import { TableKeys } from '../keys/table-keys.ts';
import type { TableKey, VouchedKey } from '../keys/vouched-key.ts';
import type { GroupMember } from '../multicast/interval.ts';
import { NetworkTable } from '../table/network-table.ts';
import { Reader } from '../wire/bytes.ts';
import type { Effect } from './effect.ts';
import { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';

export interface Parts {
  readonly random: Random;
  readonly signatures: Signatures;
  /** Unix ms: keys expire by it. */
  readonly wall: () => number;
  /** Whether a manager of this cluster vouches for the key (`verifyVouched`). */
  readonly verifyKey: (vouched: VouchedKey) => Result<TableKey, CausewayError>;
  /** On managers. */
  readonly signer?: Signer;
}

export interface Settings {
  readonly cluster: ClusterId;
  /** The name of this member. */
  readonly self: string;
}

/** What the parts of a node share. */
export class Context {
  readonly parts: Parts;
  readonly settings: Settings;
  readonly keys: TableKeys;
  readonly refusals = new Refusals();
  readonly outbox: Outbox;
  readonly tables = new Map<NetworkId, NetworkTable>();
  peers: ReadonlyMap<string, Peer> = new Map();
  effects: Effect[] = [];
  /** Monotonic, ms. */
  now: number;
  /** The nodes with rows, by live set: a live set never changes. */
  readonly #nodes = new WeakMap<object, ReadonlySet<string>>();

  constructor(settings: Settings, parts: Parts, now: number) {
    this.settings = settings;
    this.parts = parts;
    this.now = now;
    this.keys = new TableKeys(settings.cluster, parts.signatures);
    this.outbox = new Outbox(new Reader(parts.random.bytes(8)).u64());
  }

  refuse(from: string, why: Why): void {
    this.refusals.refuse(from, why, this.now);
    this.effects.push({ type: 'refused', from, why });
  }

  /** Peers that keep the table of the network: managers, and the nodes with rows in it. */
  group(network: NetworkId): readonly GroupMember[] {
    const live = this.tables.get(network)?.live;
    if (live === undefined) return [];
    let nodes = this.#nodes.get(live);
    if (nodes === undefined) {
      nodes = new Set(Array.from(live.rows(), ({ row }) => row.node));
      this.#nodes.set(live, nodes);
    }
    const members: GroupMember[] = [];
    for (const peer of this.peers.values()) if (peer.isManager || nodes.has(peer.name)) members.push(peer);
    return members;
  }

  follow(network: NetworkId): NetworkTable {
    const table = this.tables.get(network) ?? new NetworkTable(network);
    this.tables.set(network, table);
    return table;
  }
}
