import { Core } from '../swim/core.ts';
import type { Effect, Input } from '../swim/effect.ts';
import type { Bytes } from '../wire/bytes.ts';
import { maxDatagram, maxStream } from '../wire/limits.ts';
import type { Refusal } from '../wire/refusal.ts';
import { EventStream } from './event-stream.ts';
import { Host } from './host.ts';
import { formatIp } from './ip.ts';
import { type CheckedOptions, checkedOptions, checkMeta, type MemberlistOptions } from './options.ts';
import { addressOf, type Node, type NodeAddress, type NodeEvent, readable, readableEvent } from './readable.ts';
import { advertised, joinEach, layersOf } from './settings.ts';
import { Sockets } from './sockets.ts';

type Told = Extract<Effect, { readonly type: 'event' }>;

/** How long news of this node may take to leave. */
const announceTimeout = 5000;

/** Opens the sockets of a node. The node is alone until it joins. */
export async function createMemberlist(options: MemberlistOptions): Promise<Memberlist> {
  const checked = checkedOptions(options);
  const sockets = await Sockets.open(checked.bindAddr, checked.bindPort, checked.profile.streamTimeout + 1000);
  try {
    return new Memberlist(checked, sockets);
  } catch (error) {
    await sockets.close();
    throw error;
  }
}

/** A node of a cluster. */
export class Memberlist {
  readonly #core: Core;
  readonly #host: Host<Input, Told>;
  readonly #name: string;
  readonly #readers = new Set<EventStream<NodeEvent>>();

  constructor(options: CheckedOptions, sockets: Sockets) {
    const { name, meta, profile, delegate = {}, delegateVersions = { min: 0, max: 0, current: 0 } } = options;
    this.#name = name;
    const address = advertised(options, sockets.port);
    const settings = { name, address, meta, delegateVersions, profile, layers: layersOf(options) };
    this.#core = new Core(settings, { float: Math.random }, delegate, performance.now());
    this.#host = new Host<Input, Told>(this.#core, sockets, ({ event }) => {
      for (const reader of this.#readers) reader.push(readableEvent(event));
    });
    this.#host.start();
  }

  /** This node. */
  get local(): Node {
    const me = this.#core.member(this.#name);
    if (me === undefined) throw new Error('a node knows itself');
    return readable(me);
  }

  /** Every known node, this node included. Nodes that are dead or have left stay for a while. */
  members(): Node[] {
    return this.#core.members().map(readable);
  }

  /** 0: healthy. Higher: this node misses answers, and probes more slowly. */
  get health(): number {
    return this.#core.health;
  }

  /** How often input was refused, by reason. */
  get refusals(): ReadonlyMap<Refusal, number> {
    return this.#core.refusals;
  }

  /** What happens from now on. Ends when the node shuts down. */
  events(): AsyncIterable<NodeEvent> {
    const reader = new EventStream<NodeEvent>(() => this.#readers.delete(reader));
    if (this.#host.isOver) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /**
   * Joins a cluster by its nodes: `host`, `host:port`, `[address]:port`; a host with several addresses counts as several
   * nodes. Returns how many answered, and throws if none did.
   */
  async join(hosts: readonly string[]): Promise<number> {
    return await joinEach(hosts, (to) =>
      this.#host.command(`join ${formatIp(to.addr)}:${to.port}`, (command) => ({ type: 'join', command, to })),
    );
  }

  /** Tells the cluster that this node leaves, so that it does not count as dead. The node still answers until it shuts down. */
  async leave(timeout = announceTimeout): Promise<void> {
    await this.#host.command('leave', (command) => ({ type: 'leave', command, timeout }));
  }

  /** Gives every node other bytes about this node. */
  async updateMeta(meta: Bytes, timeout = announceTimeout): Promise<void> {
    checkMeta(meta);
    await this.#host.command('update meta', (command) => ({ type: 'updateMeta', command, meta, timeout }));
  }

  /** Sends a datagram, which may be lost. A payload longer than about 1,400 bytes is cut on its way, and lost more often. */
  sendBestEffort(to: NodeAddress, payload: Bytes): void {
    if (payload.length > maxDatagram - 512) throw new RangeError(`a datagram cannot carry ${payload.length} bytes`);
    this.#host.give({ type: 'sendBestEffort', to: addressOf(to), payload });
  }

  /**
   * A node is no member any more, by what the application knows: it counts as left at once. It is alive again with its next news, unless
   * the delegate ignores that.
   */
  evict(name: string): void {
    this.#host.give({ type: 'evict', name });
  }

  /** The delegate has new broadcasts: where the profile gossips eagerly, they leave at once and not at the next interval. */
  spread(): void {
    this.#host.give({ type: 'spread' });
  }

  /** Sends by TCP. Resolves when the bytes have left this node; only an answer of the application says that they arrived. */
  async sendReliable(to: NodeAddress, payload: Bytes): Promise<void> {
    if (payload.length > maxStream - 1024) throw new RangeError(`a message cannot carry ${payload.length} bytes`);
    const what = `send to ${to.address}:${to.port}`;
    await this.#host.command(what, (command) => ({ type: 'sendReliable', command, to: addressOf(to), payload }));
  }

  /** Closes all sockets. Without `leave` before, other nodes find this node dead after a while. */
  async shutdown(): Promise<void> {
    await this.#host.shutdown();
    for (const reader of this.#readers) reader.end();
  }
}
