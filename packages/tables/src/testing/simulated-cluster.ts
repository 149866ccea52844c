import type { ClusterId, NetworkId } from '@causeway/model';
import { ok } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import type { Why } from '../guard/refusals.ts';
import type { Signatures, Signer } from '../keys/signatures.ts';
import type { VouchedKey } from '../keys/vouched-key.ts';
import type { Effect, Input } from '../node/effect.ts';
import type { Peer } from '../node/peer.ts';
import { TablesNode } from '../node/tables-node.ts';
import { LiveSet } from '../table/live-set.ts';
import { rootSize } from '../wire/batch.ts';
import { comparePositions, type Position } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import { KeyedSignatures } from './keyed-signatures.ts';
import { type Station, VirtualNetwork } from './virtual-network.ts';

export const cluster = '0123456789abcdef' as ClusterId;
const wall = 1_795_737_600_000;
const day = 86_400_000;
/** In a statement: after the label, the cluster, the version, the network, the epoch and two positions. */
const rootAt = 'causeway table batch 1\n'.length + 17 + 1 + 8 + 8 + 10 + 10;

/** What the managers' store has, as a dumb map. */
export interface Truth {
  revision: bigint;
  epoch: bigint;
  readonly live: Map<NetworkId, LiveSet>;
}

/** A host with a node of tables. Its process may be killed and started again, with nothing that it knew. */
export class SimHost implements Station {
  readonly name: string;
  readonly isManager: boolean;
  isUp = true;
  node: TablesNode;
  readonly refused = new Map<string, Set<Why>>();
  readonly #cluster: SimCluster;
  readonly #reached = new Map<NetworkId, Position>();

  constructor(of: SimCluster, name: string, isManager: boolean) {
    this.#cluster = of;
    this.name = name;
    this.isManager = isManager;
    this.node = of.start(this);
  }

  nextWake = 0;

  receive(from: string, bytes: Uint8Array, now: number): void {
    this.give({ type: 'frame', from, bytes }, now);
  }

  wake(now: number): void {
    this.give({ type: 'timer' }, now);
  }

  give(input: Input, now = this.#cluster.network.now): void {
    for (const effect of this.node.step(input, now)) this.#carryOut(effect);
    this.nextWake = this.node.nextWake;
  }

  /** The process starts again. */
  restart(): void {
    this.isUp = true;
    this.#reached.clear();
    this.node = this.#cluster.start(this);
    this.#cluster.introduce(this);
  }

  #carryOut(effect: Effect): void {
    if (effect.type === 'send') this.#cluster.network.send(this.name, effect.to, effect.bytes, effect.isReliable);
    else if (effect.type === 'refused')
      this.refused.set(effect.from, (this.refused.get(effect.from) ?? new Set()).add(effect.why));
    else this.#changed(effect.network, effect.position);
  }

  /** Whatever happens, a table only goes forward, and has only what a manager has signed. */
  #changed(network: NetworkId, position: Position): void {
    const known = this.#reached.get(network);
    if (known !== undefined && comparePositions(known, position) > 0)
      throw new Error(`${this.name}: a table went back`);
    this.#reached.set(network, position);
    const root = Buffer.from(this.node.table(network)?.live.root ?? []).toString('hex');
    if (!this.#cluster.signed.has(root)) throw new Error(`${this.name}: rows that no manager has signed`);
  }
}

export interface ClusterOptions {
  readonly seed: number;
  readonly managers?: number;
  readonly agents: readonly string[];
  readonly networks: readonly NetworkId[];
  readonly signatures?: Signatures & { signer(publicKey: Uint8Array): Signer };
}

/** Managers and agents on a virtual network, and the truth that the tables have to reach. */
export class SimCluster {
  readonly network: VirtualNetwork;
  readonly hosts = new Map<string, SimHost>();
  readonly truth: Truth = { revision: 100n, epoch: 1n, live: new Map() };
  /** Roots of all that a manager has published, and of the steps on the way. */
  readonly signed = new Set<string>();
  /** Members that gossip lists beside the hosts: dead, or hostile. */
  readonly listed: Peer[] = [];
  readonly #options: ClusterOptions;
  readonly #signatures: Signatures & { signer(publicKey: Uint8Array): Signer };
  #boots = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#signatures = options.signatures ?? new KeyedSignatures();
    this.network = new VirtualNetwork(options.seed);
    for (let i = 1; i <= (options.managers ?? 2); i++) this.#add(`m${i}`, true);
    for (const name of options.agents) this.#add(name, false);
    this.introduceAll();
  }

  host(name: string): SimHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  start(host: SimHost): TablesNode {
    const key = this.keyOf(host.name);
    const parts = {
      random: new SeededRandom(1_000 * this.#options.seed + this.#boots++),
      signatures: this.#signatures,
      wall: () => wall + this.network.now,
      verifyKey: (vouched: VouchedKey) => ok(vouched),
      ...(host.isManager && { signer: this.#recording(this.#signatures.signer(key.publicKey)) }),
    };
    return new TablesNode({ cluster, self: host.name }, parts, this.network.now);
  }

  /** The key of a manager, in the present epoch. */
  keyOf(manager: string): VouchedKey {
    const publicKey = new Uint8Array(32).fill(manager.charCodeAt(1));
    publicKey[1] = Number(this.truth.epoch);
    return {
      manager,
      epoch: this.truth.epoch,
      publicKey,
      notAfter: wall + day,
      chain: [],
      signature: new Uint8Array(64),
    };
  }

  /** A signer that remembers the roots that it has signed. */
  #recording({ publicKey, sign }: Signer): Signer {
    return {
      publicKey,
      sign: (statement) => {
        this.signed.add(Buffer.from(statement.subarray(rootAt, rootAt + rootSize)).toString('hex'));
        return sign(statement);
      },
    };
  }

  introduce(host: SimHost): void {
    if (host.isManager) host.give({ type: 'key', key: this.keyOf(host.name) });
    for (const network of this.#options.networks) host.give({ type: 'follow', network });
    host.give({ type: 'peers', peers: this.#peersOf(host) });
  }

  introduceAll(): void {
    for (const host of this.hosts.values()) this.introduce(host);
  }

  /** The store changes, and a manager publishes. */
  change(network: NetworkId, changes: readonly RowChange[], by: string): void {
    this.truth.revision++;
    this.truth.live.set(network, (this.truth.live.get(network) ?? LiveSet.empty()).with(changes));
    this.publish(network, by);
  }

  publish(network: NetworkId, by: string): void {
    const { epoch, revision } = this.truth;
    const live = this.truth.live.get(network) ?? LiveSet.empty();
    this.host(by).give({ type: 'publish', network, epoch, revision, live });
  }

  /** Names of hosts that run and whose tables are not the truth. */
  behind(): readonly string[] {
    const running = [...this.hosts.values()].filter(({ isUp }) => isUp);
    const isEqual = ({ node }: SimHost): boolean =>
      [...this.truth.live].every(([network, live]) => {
        const table = node.table(network);
        return table?.position?.epoch === this.truth.epoch && Buffer.compare(table.live.root, live.root) === 0;
      });
    return running.filter((host) => !isEqual(host)).map(({ name }) => name);
  }

  #add(name: string, isManager: boolean): void {
    const host = new SimHost(this, name, isManager);
    this.hosts.set(name, host);
    this.network.attach(host);
  }

  #peersOf({ name }: SimHost): readonly Peer[] {
    const others = [...this.hosts.values()].filter((each) => each.name !== name);
    return [
      ...others.map((each) => ({ name: each.name, isManager: each.isManager, isSuspect: false })),
      ...this.listed,
    ];
  }
}
