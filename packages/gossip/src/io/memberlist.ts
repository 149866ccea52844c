import { lookup } from 'node:dns/promises';
import { Core } from '../swim/core.ts';
import type { Effect, Input, MemberlistEvent } from '../swim/effect.ts';
import type { Address, MemberInfo } from '../swim/member.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Layers } from '../wire/datagram.ts';
import { labelBytes } from '../wire/label.ts';
import { maxDatagram, maxStream } from '../wire/limits.ts';
import type { Refusal } from '../wire/refusal.ts';
import { AesGcm } from './aes-gcm.ts';
import { EventStream, type Overflow } from './event-stream.ts';
import { defaultAdvertised, formatIp, parseIp } from './ip.ts';
import { type CheckedOptions, checkedOptions, checkMeta, type MemberlistOptions, parseHostPort } from './options.ts';
import { Sockets } from './sockets.ts';

/** Where a node receives. */
export interface NodeAddress {
  readonly address: string;
  readonly port: number;
}

/** What is known of a node. */
export interface Node extends NodeAddress, Pick<MemberInfo, 'name' | 'meta' | 'state' | 'incarnation' | 'vsn'> {}

/** An event, with addresses as text. */
export type NodeEvent = Overflow | Readable<MemberlistEvent>;

type Readable<Event> = Event extends unknown
  ? {
      readonly [Key in keyof Event]: Event[Key] extends MemberInfo
        ? Node
        : Event[Key] extends Address
          ? NodeAddress
          : Event[Key];
    }
  : never;

/** An operation failed: `code` says why (`refused`, `timeout`, `closed`, …, or the text of the other node). */
export class MemberlistError extends Error {
  readonly code: string;

  constructor(what: string, code: string) {
    super(`${what}: ${code}`);
    this.name = 'MemberlistError';
    this.code = code;
  }
}

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
  readonly #sockets: Sockets;
  readonly #name: string;
  readonly #readers = new Set<EventStream<NodeEvent>>();
  readonly #commands = new Map<number, (error: string | undefined) => void>();
  readonly #waiting: Input[] = [];
  #lastCommand = 0;
  #isStepping = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CheckedOptions, sockets: Sockets) {
    const { name, meta, profile, delegate = {}, delegateVersions = { min: 0, max: 0, current: 0 } } = options;
    this.#name = name;
    this.#sockets = sockets;
    const address = advertised(options, sockets.port);
    const settings = { name, address, meta, delegateVersions, profile, layers: layersOf(options) };
    this.#core = new Core(settings, { float: Math.random }, delegate, performance.now());
    sockets.start((input) => this.#give(input));
    this.#give({ type: 'start' });
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
    if (this.#isOver) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /**
   * Joins a cluster by its nodes: `host`, `host:port`, `[address]:port`; a host with several addresses counts as several
   * nodes. Returns how many answered, and throws if none did.
   */
  async join(hosts: readonly string[]): Promise<number> {
    const found = await Promise.allSettled(hosts.map(resolve));
    const targets = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const joined = await Promise.allSettled(
      targets.map((to) =>
        this.#command(`join ${formatIp(to.addr)}:${to.port}`, (command) => ({ type: 'join', command, to })),
      ),
    );
    const count = joined.filter(({ status }) => status === 'fulfilled').length;
    if (count > 0 || hosts.length === 0) return count;
    const reasons = [...found, ...joined].flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    throw new AggregateError(reasons, `no node answered: ${reasons.map((each) => (each as Error).message).join('; ')}`);
  }

  /** Tells the cluster that this node leaves, so that it does not count as dead. The node still answers until it shuts down. */
  async leave(timeout = announceTimeout): Promise<void> {
    await this.#command('leave', (command) => ({ type: 'leave', command, timeout }));
  }

  /** Gives every node other bytes about this node. */
  async updateMeta(meta: Bytes, timeout = announceTimeout): Promise<void> {
    checkMeta(meta);
    await this.#command('update meta', (command) => ({ type: 'updateMeta', command, meta, timeout }));
  }

  /** Sends a datagram, which may be lost. A payload longer than about 1,400 bytes is cut on its way, and lost more often. */
  sendBestEffort(to: NodeAddress, payload: Bytes): void {
    if (payload.length > maxDatagram - 512) throw new RangeError(`a datagram cannot carry ${payload.length} bytes`);
    this.#give({ type: 'sendBestEffort', to: addressOf(to), payload });
  }

  /** The delegate has new broadcasts: where the profile gossips eagerly, they leave at once and not at the next interval. */
  spread(): void {
    this.#give({ type: 'spread' });
  }

  /** Sends by TCP. Resolves when the bytes have left this node; only an answer of the application says that they arrived. */
  async sendReliable(to: NodeAddress, payload: Bytes): Promise<void> {
    if (payload.length > maxStream - 1024) throw new RangeError(`a message cannot carry ${payload.length} bytes`);
    const what = `send to ${to.address}:${to.port}`;
    await this.#command(what, (command) => ({ type: 'sendReliable', command, to: addressOf(to), payload }));
  }

  /** Closes all sockets. Without `leave` before, other nodes find this node dead after a while. */
  async shutdown(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#sockets.close();
    for (const settle of this.#commands.values()) settle('shut down');
    for (const reader of this.#readers) reader.end();
  }

  #command(what: string, input: (command: number) => Input): Promise<void> {
    const command = ++this.#lastCommand;
    return new Promise((resolve, reject) => {
      const settle = (error: string | undefined): void => {
        this.#commands.delete(command);
        if (error === undefined) resolve();
        else reject(new MemberlistError(what, error));
      };
      if (this.#isOver) {
        settle('shut down');
        return;
      }
      this.#commands.set(command, settle);
      this.#give(input(command));
    });
  }

  /** A delegate or a reader may call this node while the core takes a step; then the input waits until the step is over. */
  #give(input: Input): void {
    this.#waiting.push(input);
    if (this.#isStepping || this.#isOver) return;
    this.#isStepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const effect of this.#core.step(next, performance.now())) this.#carryOut(effect);
      }
    } finally {
      this.#isStepping = false;
      this.#arm();
    }
  }

  #carryOut(effect: Effect): void {
    if (effect.type === 'settled') this.#commands.get(effect.command)?.(effect.error);
    else if (effect.type !== 'event') this.#sockets.carryOut(effect);
    else for (const reader of this.#readers) reader.push(readableEvent(effect.event));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#core.nextWake;
    if (next === undefined || this.#isOver) return;
    this.#timer = setTimeout(() => this.#give({ type: 'timer' }), Math.max(0, next - performance.now()));
  }
}

function layersOf(options: CheckedOptions): Layers {
  const { keyring, encryptionVersion: version = 1, label = '', compression = true } = options;
  const { verifyIncoming: refusesPlaintext = true, verifyOutgoing: encryptsOutgoing = true } = options;
  return {
    label: labelBytes(label),
    compresses: compression,
    encryption:
      keyring === undefined ? undefined : { aead: new AesGcm(), keyring, version, encryptsOutgoing, refusesPlaintext },
  };
}

function advertised({ bindAddr, advertiseAddr, advertisePort }: CheckedOptions, port: number): Address {
  const isAll = bindAddr === '0.0.0.0' || bindAddr === '::';
  const text = advertiseAddr ?? (isAll ? defaultAdvertised() : bindAddr);
  return addressOf({ address: text, port: advertisePort ?? port });
}

function addressOf({ address, port }: NodeAddress): Address {
  const addr = parseIp(address);
  if (addr === undefined) throw new RangeError(`not an IP address: ${address}`);
  return { addr, port };
}

async function resolve(text: string): Promise<Address[]> {
  const { host, port } = parseHostPort(text);
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => addressOf({ address, port }));
}

function readable({ name, addr, port, meta, state, incarnation, vsn }: MemberInfo): Node {
  return { name, address: formatIp(addr), port, meta, state, incarnation, vsn };
}

function readableAddress({ addr, port }: Address): NodeAddress {
  return { address: formatIp(addr), port };
}

function readableEvent(event: MemberlistEvent): NodeEvent {
  switch (event.type) {
    case 'conflict':
      return { ...event, member: readable(event.member), other: readableAddress(event.other) };
    case 'exchangeFailed':
      return { ...event, with: readableAddress(event.with) };
    case 'stalled':
      return event;
    case 'message':
      return { ...event, from: readableAddress(event.from) };
    default:
      return { ...event, member: readable(event.member) };
  }
}
