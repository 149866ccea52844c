import type { NodeId } from '@causeway/model';
import { firstNodeIndex } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import type { Receipt } from '../protocol/view.ts';
import { SimulatedNode, type SimulatedRecord } from './simulated-node.ts';

/** How often, per step, each thing happens. 0: never. */
export interface Chances {
  /** That a message arrives, or a record is read. The rest is lost, and tried again in a later step. */
  readonly delivery: number;
  readonly pause: number;
  readonly resume: number;
  readonly rekey: number;
  /** The agent ends, also in the middle of its work, and starts again. */
  readonly restart: number;
  /** The host loses its kernel's state and its private keys. */
  readonly reboot: number;
  /** The host loses its private keys only. */
  readonly keyLoss: number;
  /** The kernel loses one SA, or all. */
  readonly saLoss: number;
  /** Two hosts begin or cease to share a network. */
  readonly sharing: number;
  /** A NAT comes before a host, goes, or gives it another port. */
  readonly nat: number;
  /** The managers forget all receipts, as a new leader has none. */
  readonly newLeader: number;
}

export const calm: Chances = {
  ...{ delivery: 1, pause: 0, resume: 1, rekey: 0, restart: 0 },
  ...{ reboot: 0, keyLoss: 0, saLoss: 0, sharing: 0, nat: 0, newLeader: 0 },
};

/** One step is so long. */
export const stepMs = 100;

/** Hosts, the managers' records and receipts between them, and what goes wrong. Everything that must hold is checked after each op. */
export class RekeyWorld {
  readonly nodes: readonly SimulatedNode[];
  readonly records = new Map<NodeId, SimulatedRecord>();
  readonly receipts = new Map<string, Receipt>();
  readonly history: string[] = [];
  /** What was broken, in words. */
  readonly faults: string[] = [];
  now = 0;
  readonly #random: Random;
  readonly #apart = new Set<string>();
  /** SAs that were made anywhere, one way: an SA with the same key must not be made again. */
  readonly #everMade = new Set<string>();
  /** Keys of SAs that a receiver has lost by no decision of its own: a sender cannot know. */
  readonly #lost = new Set<string>();

  constructor(count: number, random: Random) {
    this.#random = random;
    this.nodes = Array.from({ length: count }, (_, i) => {
      return new SimulatedNode(`${i + 1}`.padStart(16, '0') as NodeId, firstNodeIndex + i, this);
    });
  }

  step(chances: Chances): void {
    this.now += stepMs;
    for (const node of this.nodes) {
      this.#break(node, chances);
      if (node.isPaused) continue;
      this.#deliver(node, chances);
      const interruption = this.#happens(chances.restart) ? Math.floor(this.#random.float() * 8) : undefined;
      if (this.#happens(chances.rekey)) node.request();
      if (node.work(interruption) === 'interrupted') this.#restart(node);
    }
  }

  steps(count: number, chances: Chances): void {
    for (let i = 0; i < count && this.faults.length === 0; i++) this.step(chances);
  }

  /** Undefined: every pair sends with the newest keys of both, and no other generation is left. */
  unfinished(): string | undefined {
    for (const one of this.nodes) {
      if (one.encapPortOf(one.newest) !== one.encapPort) return `${one.id} has not the port that it needs`;
      if (one.keyring.generations.length !== 1) return `${one.id} has ${one.keyring.generations.length} generations`;
      for (const other of this.nodes) {
        if (one === other || !this.areSharing(one, other)) continue;
        const pair = one.kernelOf(other.id).sendsWith;
        if (pair?.sender !== one.newest || pair?.receiver !== other.newest)
          return `${one.id} to ${other.id} is not on the newest`;
        if (!other.receives(one.id, one.sendingKey(other.id))) return `${other.id} does not receive from ${one.id}`;
      }
    }
    return undefined;
  }

  areSharing(one: SimulatedNode, other: SimulatedNode): boolean {
    return !this.#apart.has(pairOf(one, other));
  }

  /** From now on a pair that sends must not stop. */
  readonly #flowing = new Set<string>();
  mustFlow = false;

  /** Called after each op of each kernel. */
  check(): void {
    for (const sender of this.nodes) {
      for (const receiver of this.nodes) {
        if (sender === receiver || (sender.rogue ?? receiver.rogue) !== undefined) continue;
        const key = sender.sendingKey(receiver.id);
        const pair = `${sender.id} ${receiver.id}`;
        if (this.mustFlow && key === undefined && this.#flowing.has(pair)) this.fault(`${pair} has stopped`);
        if (key !== undefined) this.#flowing.add(pair);
        if (key === undefined || receiver.receives(sender.id, key) || this.#lost.has(key)) continue;
        this.fault(`${sender.id} sends to ${receiver.id} with ${key}, which the receiver lacks`);
      }
    }
  }

  madeSa(direction: 'in' | 'out', key: string): void {
    const text = `${direction} ${key}`;
    if (this.#everMade.has(text)) this.fault(`the SA ${text} was made twice`);
    this.#everMade.add(text);
  }

  lostSa(key: string): void {
    this.#lost.add(key);
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  log(text: string): void {
    this.history.push(`${this.now} ${text}`);
  }

  #break(node: SimulatedNode, chances: Chances): void {
    if (this.#happens(node.isPaused ? chances.resume : chances.pause)) node.isPaused = !node.isPaused;
    if (this.#happens(chances.reboot)) {
      this.log(`${node.id} reboots`);
      node.loseSas(() => true);
      node.loseKeys();
    }
    if (this.#happens(chances.keyLoss)) {
      this.log(`${node.id} loses its keys`);
      node.loseKeys();
    }
    if (this.#happens(chances.saLoss)) {
      this.log(`${node.id} loses SAs`);
      const all = this.#random.float() < 0.2;
      node.loseSas(() => all || this.#random.float() < 0.1);
    }
    if (this.#happens(chances.sharing)) {
      const other = this.nodes[Math.floor(this.#random.float() * this.nodes.length)];
      if (other === undefined || other === node) return;
      const pair = pairOf(node, other);
      if (!this.#apart.delete(pair)) this.#apart.add(pair);
      this.log(`${node.id} and ${other.id} ${this.#apart.has(pair) ? 'part' : 'share'}`);
    }
    if (this.#happens(chances.nat)) {
      node.encapPort = [undefined, 4500, 4501][Math.floor(this.#random.float() * 3)];
      this.log(`${node.id} needs the port ${node.encapPort}`);
    }
    if (this.#happens(chances.newLeader)) this.receipts.clear();
  }

  #restart(node: SimulatedNode): void {
    this.log(`${node.id} restarts`);
    node.restart();
  }

  /** Records and receipts come in order, later or never, and one by one. */
  #deliver(node: SimulatedNode, { delivery }: Chances): void {
    const arrives = (): boolean => this.#happens(delivery);
    if (node.toPublish !== undefined && arrives()) {
      const there = this.records.get(node.id);
      if ((there?.version ?? 0) < node.toPublish.version) this.records.set(node.id, node.toPublish);
    }
    if (arrives()) node.published = this.records.get(node.id);
    for (const other of this.nodes) {
      if (other === node) continue;
      const slot = `${other.id} ${node.id}`;
      const receipt = other.outbox.get(node.id);
      if (!other.isPaused && receipt !== undefined && arrives()) this.receipts.set(slot, receipt);
      if (arrives()) node.seesPeer(other.id, this.areSharing(node, other) ? this.records.get(other.id) : undefined);
      const arrived = this.receipts.get(slot);
      if (arrived !== undefined && arrives()) node.inbox.set(other.id, arrived);
    }
  }

  #happens(chance: number): boolean {
    return chance > 0 && this.#random.float() < chance;
  }
}

function pairOf(one: SimulatedNode, other: SimulatedNode): string {
  return [one.id, other.id].sort().join(' ');
}
