import type { NodeId } from '@causeway/model';
import { mostGenerations, type Pair, samePair, spiOf } from '../pair.ts';
import { withGeneration } from '../protocol/generations.ts';
import type { PeerPlan } from '../protocol/peer-plan.ts';
import { planRekey } from '../protocol/plan.ts';
import { type Delay, emptyKeyring, type PeerView, type Receipt } from '../protocol/view.ts';
import type { RekeyWorld } from './rekey-world.ts';

/** A record of a node, and which private key each generation stands for: two keys may get one number, never one name. */
export interface SimulatedRecord {
  readonly version: number;
  readonly index: number;
  readonly keys: ReadonlyMap<number, string>;
  /** By generation; absent: plain ESP. */
  readonly encapPorts: ReadonlyMap<number, number>;
}

/**
 * A host that says what is not true, so that others keep their keys. "unchanging": it confirms each record, and says for ever that it
 * sends and receives with the SAs that it said first. "halting": the same, and it confirms only one more record. "silent": it
 * publishes keys, and says nothing. Other hosts cannot know what such a host really has.
 */
export type Rogue = 'unchanging' | 'halting' | 'silent';

interface Sa {
  readonly pair: Pair;
  /**
   * Names of the private keys of sender and receiver, from which the key of the SA follows, and whether it is ESP in UDP: what one
   * end sends, the other takes only if these are the same.
   */
  readonly key: string;
}

interface PeerKernel {
  /** By SPI, as a kernel has SAs. */
  readonly received: Map<number, Sa>;
  readonly sent: Map<number, Sa>;
  sendsWith: Pair | undefined;
}

let names = 0;

/** A host: what outlives its agent (kernel, keyring, records of peers), and what does not. It does what `planRekey` says. */
export class SimulatedNode {
  readonly id: NodeId;
  isPaused = false;
  rogue: Rogue | undefined;
  keyring = emptyKeyring;
  /** The host needs ESP in UDP, and has this port. */
  encapPort: number | undefined;
  #delay: Delay | undefined;
  #isRequested = false;
  published: SimulatedRecord | 'unknown' | undefined = 'unknown';
  readonly inbox = new Map<NodeId, Receipt>();
  outbox: ReadonlyMap<NodeId, Receipt> = new Map();
  toPublish: SimulatedRecord | undefined;
  readonly #index: number;
  readonly #world: RekeyWorld;
  readonly #kernel = new Map<NodeId, PeerKernel>();
  readonly #keys = new Map<number, string>();
  readonly #peers = new Map<NodeId, SimulatedRecord>();
  readonly #firstSaid = new Map<NodeId, Receipt>();

  constructor(id: NodeId, index: number, world: RekeyWorld) {
    this.id = id;
    this.#index = index;
    this.#world = world;
  }

  get newest(): number | undefined {
    return this.keyring.generations.at(-1)?.generation;
  }

  kernelOf(peer: NodeId): PeerKernel {
    const kernel = this.#kernel.get(peer) ?? { received: new Map(), sent: new Map(), sendsWith: undefined };
    this.#kernel.set(peer, kernel);
    return kernel;
  }

  /** With which key packets to the peer are protected now. Undefined: they are dropped. */
  sendingKey(peer: NodeId): string | undefined {
    const { sendsWith, sent } = this.kernelOf(peer);
    return sendsWith && sent.get(spiOf(sendsWith, this.#index))?.key;
  }

  receives(peer: NodeId, key: string | undefined): boolean {
    return [...this.kernelOf(peer).received.values()].some((sa) => sa.key === key);
  }

  /** Undefined: this host shares no network with the node, or the node has no record. */
  seesPeer(peer: NodeId, record: SimulatedRecord | undefined): void {
    if (record !== undefined) this.#peers.set(peer, record);
    else if (this.#peers.delete(peer)) this.inbox.delete(peer);
  }

  restart(): void {
    this.#delay = undefined;
    this.published = 'unknown';
    this.inbox.clear();
    this.outbox = new Map();
    this.toPublish = undefined;
  }

  loseKeys(): void {
    for (const [peer, { received }] of this.#kernel)
      for (const { key } of this.#peers.has(peer) ? received.values() : []) this.#world.lostSa(key);
    this.keyring = emptyKeyring;
    this.#keys.clear();
    this.restart();
  }

  loseSas(isLost: () => boolean): void {
    for (const kernel of this.#kernel.values()) {
      for (const [spi, { key }] of kernel.received) {
        if (!isLost()) continue;
        kernel.received.delete(spi);
        this.#world.lostSa(key);
      }
      for (const spi of [...kernel.sent.keys()]) if (isLost()) kernel.sent.delete(spi);
      if (isLost()) kernel.sendsWith = undefined;
    }
  }

  /** An operator asks for a new generation, in the next round. */
  request(): void {
    this.#isRequested = true;
  }

  /** One round. `interruption`: after so many ops the agent ends. */
  work(interruption: number | undefined): 'done' | 'interrupted' {
    const plan = planRekey(this.#view(), this.#isRequested ? 'requested' : undefined, this.#world.now);
    this.keyring = plan.keyring;
    for (const generation of this.#keys.keys()) if (!this.#has(generation)) this.#keys.delete(generation);
    if (plan.create !== undefined) {
      this.#isRequested = false;
      this.keyring = withGeneration(plan.keyring, plan.create, this.#world.now);
      this.#keys.set(plan.create.generation, `k${++names}`);
      this.#world.log(`${this.id} makes ${plan.create.generation}: ${plan.create.reason}`);
    }
    if (this.keyring.generations.length > mostGenerations) this.#world.fault(`${this.id} has too many generations`);
    this.#delay = plan.delay;
    let ops = 0;
    for (const op of this.#ops(plan.peers)) {
      if (ops++ === interruption) return 'interrupted';
      op();
      this.#world.check();
    }
    if (interruption !== undefined) return 'interrupted';
    const offered = this.keyring.generations.filter(({ withdrawnIn }) => withdrawnIn === undefined);
    const keys = new Map(offered.map(({ generation }) => [generation, this.#keys.get(generation) ?? '']));
    const encapPorts = new Map(
      offered.flatMap(({ generation, encapPort }) =>
        encapPort === undefined ? [] : [[generation, encapPort] as const],
      ),
    );
    if (plan.publish !== undefined)
      this.toPublish = { version: plan.publish.version, index: this.#index, keys, encapPorts };
    const receipts = [...plan.peers].flatMap(([peer, { receipt }]) => this.#said(peer, receipt));
    this.outbox = new Map(receipts);
    return 'done';
  }

  /** With its peer; nothing, if the host does not say anything. */
  #said(peer: NodeId, receipt: Receipt): readonly (readonly [NodeId, Receipt])[] {
    if (this.rogue === undefined) return [[peer, receipt]];
    if (this.rogue === 'silent') return [];
    const first = this.#firstSaid.get(peer) ?? receipt;
    this.#firstSaid.set(peer, first);
    const last = this.rogue === 'unchanging' ? receipt.version : first.version + 1;
    return [[peer, { ...first, version: Math.min(receipt.version, last) }]];
  }

  #has(wanted: number): boolean {
    return this.keyring.generations.some(({ generation }) => generation === wanted);
  }

  #view(): Parameters<typeof planRekey>[0] {
    const peers = new Map([...this.#peers].map(([peer, record]) => [peer, this.#viewOf(peer, record)]));
    const { published } = this;
    return {
      keyring: this.keyring,
      published:
        published === 'unknown' || published === undefined
          ? published
          : { version: published.version, newest: Math.max(...published.keys.keys()) },
      peers,
      ...(this.#delay && { delay: this.#delay }),
      ...(this.encapPort !== undefined && { encapPort: this.encapPort }),
    };
  }

  #viewOf(peer: NodeId, record: SimulatedRecord): PeerView {
    const { received, sent, sendsWith } = this.kernelOf(peer);
    const receipt = this.inbox.get(peer);
    return {
      version: record.version,
      generations: [...record.keys.keys()],
      ...(receipt && { receipt }),
      kernel: {
        received: [...received.values()].filter(({ pair, key }) => key === this.#key(record, pair, 'in')).map(pairOf),
        sent: [...sent.values()].filter(({ pair, key }) => this.#mayBe(record, pair, key)).map(pairOf),
      },
      ...(sendsWith && { sendsWith }),
    };
  }

  /** Whether an SA that sends is the one of the pair, also when the peer has withdrawn its generation since. */
  #mayBe(record: SimulatedRecord, pair: Pair, key: string): boolean {
    return record.keys.has(pair.receiver) ? key === this.#key(record, pair, 'out') : this.#keys.has(pair.sender);
  }

  #key(record: SimulatedRecord, { sender, receiver }: Pair, direction: 'in' | 'out'): string {
    const [own, theirs] = direction === 'in' ? [receiver, sender] : [sender, receiver];
    const isEncapsulated = record.encapPorts.has(theirs) || this.encapPortOf(own) !== undefined;
    const [from, to] = [this.#keys.get(own), record.keys.get(theirs)];
    return `${direction === 'in' ? `${to}>${from}` : `${from}>${to}`}${isEncapsulated ? ' in UDP' : ''}`;
  }

  encapPortOf(wanted: number | undefined): number | undefined {
    return this.keyring.generations.find(({ generation }) => generation === wanted)?.encapPort;
  }

  /** In the order of plans: additions before removals, receiving before sending. */
  *#ops(plans: ReadonlyMap<NodeId, PeerPlan>): Generator<() => void> {
    for (const direction of ['in', 'out'] as const)
      for (const [peer, plan] of plans)
        yield* this.#additions(peer, direction, direction === 'in' ? plan.receives : plan.sends);
    for (const [peer, { sendsWith }] of plans) {
      const kernel = this.kernelOf(peer);
      if (sendsWith !== undefined && !samePair(kernel.sendsWith, sendsWith)) yield () => (kernel.sendsWith = sendsWith);
    }
    for (const [peer, kernel] of this.#kernel) {
      const plan = plans.get(peer);
      if (plan?.sendsWith === undefined && kernel.sendsWith !== undefined) yield () => (kernel.sendsWith = undefined);
      yield* removals(kernel.sent, plan?.sends ?? [], (sa) => sa);
      const isDeliberate = plan !== undefined;
      yield* removals(kernel.received, plan?.receives ?? [], (sa) => {
        // A host that shares no network with the peer any more may know it before the peer does.
        if (!isDeliberate) this.#world.lostSa(sa.key);
      });
    }
  }

  *#additions(peer: NodeId, direction: 'in' | 'out', wanted: readonly Pair[]): Generator<() => void> {
    const record = this.#peers.get(peer);
    const { received, sent } = this.kernelOf(peer);
    const [sas, index] = direction === 'in' ? [received, record?.index ?? 0] : [sent, this.#index];
    for (const pair of wanted) {
      const spi = spiOf(pair, index);
      const found = sas.get(spi);
      const key = record && this.#key(record, pair, direction);
      // The peer may have withdrawn the generation of an SA that still sends.
      const isKept = direction === 'out' && record?.keys.has(pair.receiver) === false;
      if (key === undefined || (found !== undefined && (found.key === key || isKept))) continue;
      yield () => {
        sas.set(spi, { pair, key });
        this.#world.madeSa(direction, key);
      };
    }
  }
}

function pairOf({ pair }: Sa): Pair {
  return pair;
}

function* removals(sas: Map<number, Sa>, wanted: readonly Pair[], removed: (sa: Sa) => void): Generator<() => void> {
  for (const [spi, sa] of [...sas]) {
    if (wanted.some((pair) => samePair(pair, sa.pair))) continue;
    yield () => {
      sas.delete(spi);
      removed(sa);
    };
  }
}
