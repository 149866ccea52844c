import type { Random } from '../random.ts';
import { decodeDatagram } from '../wire/datagram.ts';
import type { Message, Ping } from '../wire/message.ts';
import type { Refusal } from '../wire/refusal.ts';
import { Agreement } from './agreement.ts';
import { Context, type Settings } from './context.ts';
import type { Delegate } from './delegate.ts';
import type { Effect, Input } from './effect.ts';
import { Exchanges } from './exchanges.ts';
import { Gate } from './gate.ts';
import { type Address, infoOf, type MemberInfo } from './member.ts';
import { Membership } from './membership.ts';
import { Packets } from './packets.ts';
import { Pings } from './pings.ts';
import { Prober } from './prober.ts';
import { Rejoin } from './rejoin.ts';

/**
 * A node of memberlist without sockets, clock or chance: each step takes one input and the time, and returns what its host
 * has to do. The same inputs give the same effects.
 */
export class Core {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #packets: Packets;
  readonly #pings: Pings;
  readonly #prober: Prober;
  readonly #exchanges: Exchanges;
  readonly #agreement: Agreement;
  readonly #rejoin: Rejoin;
  readonly #gate = new Gate();

  /** `now`: as in `step`. */
  constructor(settings: Settings, random: Random, delegate: Delegate, now: number) {
    this.#context = new Context(settings, random, delegate);
    this.#context.now = now;
    this.#membership = new Membership(this.#context);
    this.#packets = new Packets(this.#context, this.#membership);
    this.#pings = new Pings(this.#context, this.#membership, this.#packets);
    this.#exchanges = new Exchanges(this.#context, this.#membership, this.#gate, this.#pings, () => this.#prober);
    this.#prober = new Prober(this.#context, this.#membership, this.#packets, this.#pings, {
      pingByTcp: (member, ping) => this.#exchanges.ping(member, ping),
      compareViews: (member, view) => this.#agreement.compare(member, view),
    });
    this.#agreement = new Agreement(this.#context, this.#membership, (peer) => this.#exchanges.exchange(peer));
    this.#rejoin = new Rejoin(this.#context, this.#membership, (to, answered) => this.#exchanges.retry(to, answered));
  }

  /** This node, and every node that is not forgotten: also those that are dead or have left. */
  members(): readonly MemberInfo[] {
    return this.#membership.all.map(infoOf);
  }

  /** How many nodes `members` has. */
  get size(): number {
    return this.#membership.size;
  }

  member(name: string): MemberInfo | undefined {
    const member = this.#membership.get(name);
    return member === undefined ? undefined : infoOf(member);
  }

  /** 0: healthy. Higher: this node misses answers, and probes more slowly. */
  get health(): number {
    return this.#membership.awareness.score;
  }

  /** How often input was refused, by reason. */
  get refusals(): ReadonlyMap<Refusal, number> {
    return this.#context.refusals;
  }

  /** When the next `timer` input is due. */
  get nextWake(): number | undefined {
    return this.#context.timers.next;
  }

  /** `now`: milliseconds since any start; never goes back. */
  step(input: Input, now: number): readonly Effect[] {
    this.#context.now = Math.max(this.#context.now, now);
    this.#notice();
    this.#take(input);
    return this.#context.takeEffects();
  }

  /**
   * A timer that is late by half a probe interval says that this process did not run: what others sent waits in its sockets, so
   * that no silence of that time proves anything.
   */
  #notice(): void {
    const { timers, now, settings } = this.#context;
    const late = now - (timers.next ?? now);
    if (late <= settings.profile.probeInterval / 2) return;
    this.#context.event({ type: 'stalled', span: late });
    this.#membership.awareness.add(1);
    this.#membership.suspicions.postpone(late);
    this.#prober.stalled();
    this.#fire();
  }

  #take(input: Input): void {
    switch (input.type) {
      case 'start':
        this.#membership.announce();
        this.#packets.start();
        this.#prober.start();
        this.#exchanges.start();
        this.#rejoin.start();
        break;
      case 'timer':
        this.#fire();
        break;
      case 'datagram':
        this.#read(input.from, input.bytes);
        break;
      case 'accepted':
        this.#exchanges.accepted(input.stream, input.from);
        break;
      case 'received':
        this.#exchanges.received(input.stream, input.bytes);
        break;
      case 'sent':
        this.#exchanges.sent(input.stream);
        break;
      case 'closed':
        this.#exchanges.closed(input.stream, input.why);
        break;
      case 'join':
        this.#exchanges.join(input.to, input.command);
        break;
      case 'leave':
        this.#announce(input, (done) => this.#membership.leave(done));
        break;
      case 'updateMeta':
        this.#announce(input, (done) => this.#membership.updateMeta(input.meta, done));
        break;
      case 'sendReliable':
        this.#exchanges.sendUser(input.to, input.payload, input.command);
        break;
      case 'sendBestEffort':
        this.#packets.sendAlone(input.to, { type: 'user', payload: input.payload });
        break;
      case 'evict':
        this.#membership.evict(input.name);
        break;
      case 'spread':
        this.#packets.soon();
        break;
    }
  }

  #fire(): void {
    const { timers, now } = this.#context;
    for (let timer = timers.due(now); timer !== undefined; timer = timers.due(now)) timer.fire();
  }

  /** Settles the command when the news was sent as often as it will be, or at the timeout. */
  #announce(
    { command, timeout }: { readonly command: number; readonly timeout: number },
    make: (done: () => void) => void,
  ): void {
    let isSettled = false;
    const settle = (error: string | undefined): void => {
      if (!isSettled) this.#context.emit({ type: 'settled', command, error });
      isSettled = true;
      timer.isCancelled = true;
    };
    const timer = this.#context.after(timeout, () => settle('timeout'));
    make(() => settle(undefined));
    if (!this.#membership.hasOthers) settle(undefined);
  }

  #read(from: Address, bytes: Uint8Array): void {
    if (this.#context.delegate.admits?.(from.addr) === false) {
      this.#context.refuse('stranger');
      return;
    }
    if (!this.#gate.admits(from.addr, this.#context.now)) {
      this.#context.refuse('rate-limited');
      return;
    }
    const { messages, refused } = decodeDatagram(bytes, this.#context.settings.layers);
    for (const why of refused) {
      this.#context.refuse(why);
      if (why === 'no-key-opens') this.#gate.failed(from.addr, this.#context.now);
    }
    for (const message of messages) this.#handle(from, message);
  }

  #handle(from: Address, message: Message): void {
    switch (message.type) {
      case 'ping':
        this.#pings.pinged(message, from);
        this.#compare(message);
        break;
      case 'indirectPing':
        this.#pings.askedToPing(message, from);
        break;
      case 'ack':
        if (!this.#pings.relayed(message)) this.#prober.acked(message);
        break;
      case 'nack':
        this.#prober.nacked(message);
        break;
      case 'alive':
        this.#membership.alive(message);
        break;
      case 'suspect':
        this.#membership.suspect(message);
        this.#prober.check(message);
        break;
      case 'dead':
        this.#membership.dead(message);
        break;
      case 'user': {
        const payload = new Uint8Array(message.payload);
        this.#context.event({ type: 'message', from, payload, isReliable: false });
        break;
      }
    }
  }

  #compare({ view, sourceNode }: Ping): void {
    const sender = view.length > 0 ? this.#membership.get(sourceNode) : undefined;
    if (sender?.state === 'alive') this.#agreement.compare(sender, view);
  }
}
