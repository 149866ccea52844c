import { createHash } from 'node:crypto';
import { below, type Random } from '../random.ts';
import { Core } from '../swim/core.ts';
import type { Delegate } from '../swim/delegate.ts';
import type { Effect, Input, MemberlistEvent, StreamId } from '../swim/effect.ts';
import type { Address } from '../swim/member.ts';
import { lan, type Profile } from '../swim/profile.ts';
import { type Timer, Timers } from '../swim/timers.ts';
import { type Bytes, noBytes } from '../wire/bytes.ts';
import type { Layers } from '../wire/datagram.ts';
import { SeededRandom } from './seeded-random.ts';

export interface SimOptions {
  readonly seed: number;
  readonly profile?: Profile;
  readonly layers?: Layers;
  /** Milliseconds from node to node. */
  readonly delay?: readonly [number, number];
  /** Default true. False: `events` and `trace` stay empty, which saves memory and time. */
  readonly isWatched?: boolean;
}

/** What happened at a node. */
export interface SimEvent {
  readonly at: number;
  readonly node: string;
  readonly event: MemberlistEvent;
}

/** What a node runs: a core, or a layer around it. */
export interface SimMachine {
  readonly nextWake: number | undefined;
  step(input: Input, now: number): readonly Effect[];
}

/** A node of the simulated network: a core, and whether its process runs. */
export class SimNode {
  readonly name: string;
  address: Address;
  core: Core;
  machine: SimMachine;
  isUp = true;
  /** A slow process sees everything so many milliseconds late. */
  lag = 0;
  /** A frozen process takes nothing in; what comes waits. */
  frozenUntil = 0;
  wake: Timer | undefined;
  readonly streams = new Map<StreamId, { readonly peer: SimNode; readonly id: StreamId }>();
  nextStream = 1;

  constructor(name: string, address: Address, core: Core, machine: SimMachine = core) {
    this.name = name;
    this.address = address;
    this.core = core;
    this.machine = machine;
  }
}

/** Cores in virtual time, with a network between them that loses, delays and cuts. The same seed gives the same run. */
export class SimNetwork {
  now = 0;
  /** Share of datagrams that are lost. */
  loss = 0;
  /** Share of datagrams that arrive twice. */
  duplication = 0;
  /** Share of datagrams that others may overtake, by up to so many milliseconds. */
  reorder: { readonly share: number; readonly upTo: number } = { share: 0, upTo: 0 };
  /** Whether datagrams and streams get from one node to another. */
  reaches: (from: SimNode, to: SimNode) => boolean = () => true;
  /** Whether datagrams get through where streams do. */
  passesUdp: (from: SimNode, to: SimNode) => boolean = () => true;
  readonly nodes: SimNode[] = [];
  readonly events: SimEvent[] = [];
  readonly settled = new Map<number, string | undefined>();
  packets = 0;
  bytes = 0;
  readonly #byAddress = new Map<string, SimNode>();
  #addresses = 0;
  readonly #options: SimOptions;
  readonly #isWatched: boolean;
  readonly #random: Random;
  readonly #timers = new Timers();
  readonly #trace = createHash('sha256');
  #commands = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#isWatched = options.isWatched ?? true;
    this.#random = new SeededRandom(options.seed);
  }

  /** A digest of all packets and their times. */
  get trace(): string {
    return this.#trace.copy().digest('hex');
  }

  add(name: string, delegate: Delegate = {}): SimNode {
    const address = this.newAddress();
    return this.host(new SimNode(name, address, this.#core(name, address, delegate)));
  }

  /** Starts a node that was made elsewhere, at a new address. */
  host(node: SimNode): SimNode {
    this.nodes.push(node);
    this.#byAddress.set(`${node.address.addr}`, node);
    this.give(node, { type: 'start' });
    return node;
  }

  /** The process dies. Its host refuses connections. */
  kill(node: SimNode): void {
    node.isUp = false;
    if (node.wake !== undefined) node.wake.isCancelled = true;
  }

  /** The host gets another address; nothing answers at the old one. */
  move(node: SimNode): void {
    this.#byAddress.delete(`${node.address.addr}`);
    node.address = this.newAddress();
    this.#byAddress.set(`${node.address.addr}`, node);
  }

  /** The process starts again, with nothing that it knew. */
  restart(node: SimNode, delegate: Delegate = {}): void {
    const core = this.#core(node.name, node.address, delegate);
    this.revive(node, core, core);
  }

  /** The process starts again, and runs this. */
  revive(node: SimNode, core: Core, machine: SimMachine): void {
    this.kill(node);
    node.isUp = true;
    node.frozenUntil = 0;
    node.streams.clear();
    node.core = core;
    node.machine = machine;
    this.give(node, { type: 'start' });
  }

  join(node: SimNode, to: SimNode): number {
    return this.#command((command) => this.give(node, { type: 'join', command, to: to.address }));
  }

  leave(node: SimNode): number {
    return this.#command((command) => this.give(node, { type: 'leave', command, timeout: 5000 }));
  }

  updateMeta(node: SimNode, meta: Bytes): number {
    return this.#command((command) => this.give(node, { type: 'updateMeta', command, meta, timeout: 5000 }));
  }

  /** Runs for so many milliseconds, or until the condition holds; looks after each 100 ms. Returns when that was. */
  run(span: number, until: () => boolean = () => false): number {
    const started = this.now;
    while (this.now < started + span && !until()) {
      const end = Math.min(this.now + 100, started + span);
      for (let timer = this.#timers.due(end); timer !== undefined; timer = this.#timers.due(end)) {
        this.now = Math.max(this.now, timer.at);
        timer.fire();
      }
      this.now = end;
    }
    return this.now - started;
  }

  give(node: SimNode, input: Input): void {
    this.act(node, (now) => node.machine.step(input, now));
  }

  /** The node takes a step of its own. */
  act(node: SimNode, step: (now: number) => readonly Effect[]): void {
    if (!node.isUp) return;
    if (node.frozenUntil > this.now) {
      const { core } = node;
      this.#timers.at(node.frozenUntil, () => {
        if (node.core === core) this.act(node, step);
      });
      return;
    }
    for (const effect of step(this.now)) this.#carryOut(node, effect);
    const next = node.machine.nextWake;
    if (node.wake?.at === next && node.wake?.isCancelled === false) return;
    if (node.wake !== undefined) node.wake.isCancelled = true;
    if (next === undefined) return;
    node.wake = this.#timers.at(Math.max(next, this.now), () => {
      node.wake = undefined;
      this.give(node, { type: 'timer' });
    });
  }

  #core(name: string, address: Address, delegate: Delegate): Core {
    const { profile = lan, layers = { label: noBytes, encryption: undefined, compresses: false } } = this.#options;
    const settings = {
      name,
      address,
      meta: noBytes,
      delegateVersions: { min: 0, max: 0, current: 0 },
      profile,
      layers,
    };
    return new Core(settings, new SeededRandom(below(this.#random, 2 ** 32)), delegate, this.now);
  }

  #command(give: (command: number) => void): number {
    const command = this.#commands++;
    give(command);
    return command;
  }

  #carryOut(node: SimNode, effect: Effect): void {
    switch (effect.type) {
      case 'datagram':
        this.#send(node, effect.to, effect.bytes);
        break;
      case 'connect':
        this.#connect(node, effect.stream, effect.to, effect.bytes);
        break;
      case 'reply':
      case 'close': {
        const end = node.streams.get(effect.stream);
        node.streams.delete(effect.stream);
        if (end === undefined) break;
        const bytes = effect.type === 'reply' ? effect.bytes : noBytes;
        this.#later(end.peer, () => this.#deliver(node, end, bytes));
        break;
      }
      case 'event':
        if (this.#isWatched) this.events.push({ at: this.now, node: node.name, event: effect.event });
        break;
      case 'settled':
        this.settled.set(effect.command, effect.error);
        break;
    }
  }

  #send(from: SimNode, to: Address, bytes: Bytes): void {
    this.packets++;
    this.bytes += bytes.length;
    if (this.#isWatched) this.#trace.update(`${this.now} ${from.name} ${to.addr} `).update(bytes);
    const peer = this.#at(to);
    if (peer === undefined || this.#random.float() < this.loss) return;
    if (!this.reaches(from, peer) || !this.passesUdp(from, peer)) return;
    const copies = this.#random.float() < this.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const isOvertaken = this.#random.float() < this.reorder.share;
      const more = isOvertaken ? this.#random.float() * this.reorder.upTo : 0;
      this.#later(peer, () => this.give(peer, { type: 'datagram', from: from.address, bytes }), more);
    }
  }

  #connect(from: SimNode, stream: StreamId, to: Address, bytes: Bytes): void {
    const peer = this.#at(to);
    if (peer === undefined || !this.reaches(from, peer) || !this.reaches(peer, from)) return;
    this.#later(peer, () => {
      if (!peer.isUp) {
        this.#later(from, () => this.give(from, { type: 'closed', stream, why: 'refused' }));
        return;
      }
      const id = peer.nextStream;
      peer.nextStream += 2;
      from.streams.set(stream, { peer, id });
      peer.streams.set(id, { peer: from, id: stream });
      this.give(peer, { type: 'accepted', stream: id, from: from.address });
      this.give(from, { type: 'sent', stream });
      // In two pieces, as TCP may cut anywhere.
      const cut = below(this.#random, bytes.length + 1);
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        this.give(peer, { type: 'received', stream: id, bytes: piece });
      }
    });
  }

  #deliver(from: SimNode, end: { readonly peer: SimNode; readonly id: StreamId }, bytes: Bytes): void {
    if (!this.reaches(from, end.peer)) return;
    if (bytes.length > 0) this.give(end.peer, { type: 'received', stream: end.id, bytes });
    this.give(end.peer, { type: 'closed', stream: end.id, why: 'closed' });
  }

  #later(receiver: SimNode, then: () => void, more = 0): void {
    const [min, max] = this.#options.delay ?? [0.3, 1];
    this.#timers.at(this.now + min + this.#random.float() * (max - min) + receiver.lag + more, then);
  }

  #at({ addr }: Address): SimNode | undefined {
    return this.#byAddress.get(`${addr}`);
  }

  /** An address that no node has. */
  newAddress(): Address {
    const index = this.#addresses++;
    return { addr: Uint8Array.of(10, 0, index >> 8, index & 0xff), port: 7946 };
  }
}
