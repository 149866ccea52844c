import { sample } from '../random.ts';
import { type Bytes, noBytes } from '../wire/bytes.ts';
import type { Ack, IndirectPing, Message, Nack, Ping } from '../wire/message.ts';
import { understands } from '../wire/vsn.ts';
import { healthDelta } from './awareness.ts';
import type { Context } from './context.ts';
import { type Address, infoOf, isGone, type Member } from './member.ts';
import type { Membership } from './membership.ts';
import type { Packets } from './packets.ts';
import type { Timer } from './timers.ts';

/** The probe that is under way. */
interface Probe {
  readonly seqNo: number;
  readonly target: Member;
  readonly started: number;
  timer: Timer;
  /** Other nodes were asked, so the time of an ack says nothing of the round trip. */
  isWidened: boolean;
  expectedNacks: number;
  nacks: number;
  /** The node answered by TCP. */
  answersTcp: boolean;
}

/** A ping for another node, whose ack is passed on. */
interface Relay {
  readonly seqNo: number;
  readonly to: Address;
  readonly timer: Timer;
}

/** Pings a node by TCP; the answer comes to `answeredByTcp`. */
export type PingByTcp = (member: Member, ping: Ping) => void;

/**
 * Finds dead nodes:
 *
 *     ping ── no ack in probeTimeout ──▶ ask others to ping, ping by TCP ── no ack in probeInterval ──▶ suspect
 *       └────────────── ack ──────────────────────────┴─────── ack ──▶ alive
 */
export class Prober {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #packets: Packets;
  readonly #pingByTcp: PingByTcp;
  readonly #relays = new Map<number, Relay>();
  #probe: Probe | undefined;
  /** Where the round of probes is in the list of members. */
  #index = 0;
  /** An interval began during a probe, so the next probe begins when this one ends. */
  #isLate = false;

  constructor(context: Context, membership: Membership, packets: Packets, pingByTcp: PingByTcp) {
    this.#context = context;
    this.#membership = membership;
    this.#packets = packets;
    this.#pingByTcp = pingByTcp;
  }

  start(): void {
    const { probeInterval } = this.#context.settings.profile;
    this.#context.after(this.#context.random.float() * probeInterval, () => this.#tick());
  }

  #tick(): void {
    this.#context.after(this.#context.settings.profile.probeInterval, () => this.#tick());
    if (this.#probe === undefined) this.#begin();
    else this.#isLate = true;
  }

  #begin(): void {
    this.#isLate = false;
    const target = this.#next();
    if (target === undefined) return;
    const { profile } = this.#context.settings;
    const seqNo = this.#context.nextSequence();
    const timer = this.#context.after(profile.probeTimeout, () => this.#widen());
    const started = this.#context.now;
    const answers = { isWidened: false, expectedNacks: 0, nacks: 0, answersTcp: false };
    this.#probe = { seqNo, target, started, timer, ...answers };
    const messages: Message[] = [this.#ping(seqNo, target.name)];
    // A suspected node learns of the suspicion with the ping, so that it can refute at once (the paper's Buddy System).
    if (target.state === 'suspect') {
      const { incarnation, name: node } = target;
      messages.push({ type: 'suspect', incarnation, node, from: this.#membership.me.name });
    }
    this.#packets.send(target, messages, target);
  }

  /** The next node of the round that may be alive. A node is skipped at most twice before the search ends. */
  #next(): Member | undefined {
    for (let looked = 0; looked <= this.#membership.size; looked++) {
      if (this.#index >= this.#membership.size) {
        this.#membership.startRound();
        this.#index = 0;
      }
      const member = this.#membership.all[this.#index++];
      if (member !== undefined && member !== this.#membership.me && !isGone(member)) return member;
    }
    return undefined;
  }

  /** The node did not answer in time: others try, and TCP. */
  #widen(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    probe.isWidened = true;
    const { me, all, awareness } = this.#membership;
    const { profile } = this.#context.settings;
    const { target, seqNo } = probe;
    const helps = (each: Member): boolean => each !== me && each !== target && each.state === 'alive';
    for (const relay of sample(all, profile.indirectChecks, this.#context.random, helps)) {
      const nack = (relay.vsn[1] ?? 0) >= understands.nacks;
      if (nack) probe.expectedNacks++;
      const { addr, port, name: node } = target;
      const source = this.#source();
      this.#packets.send(relay, [{ type: 'indirectPing', seqNo, target: addr, port, node, nack, ...source }], relay);
    }
    if (profile.tcpPings && (target.vsn[1] ?? 0) >= understands.tcpPings) {
      this.#pingByTcp(target, this.#ping(seqNo, target.name));
    }
    const left = probe.started + awareness.scale(profile.probeInterval) - this.#context.now;
    probe.timer = this.#context.after(left, () => this.#conclude());
  }

  /** No ack came by UDP. */
  #conclude(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { target, expectedNacks, nacks, answersTcp } = probe;
    this.#end(healthDelta(answersTcp ? 'answered' : 'silent', expectedNacks, nacks));
    if (answersTcp) {
      this.#context.event({ type: 'udpBlocked', member: infoOf(target) });
      return;
    }
    const { incarnation, name: node } = target;
    this.#membership.suspect({ type: 'suspect', incarnation, node, from: this.#membership.me.name });
  }

  #end(delta: number): void {
    if (this.#probe !== undefined) this.#probe.timer.isCancelled = true;
    this.#probe = undefined;
    this.#membership.awareness.add(delta);
    // In a step of its own: the suspicion of this probe comes first.
    if (this.#isLate) this.#context.after(0, () => this.#beginLate());
  }

  #beginLate(): void {
    if (this.#probe === undefined) this.#begin();
  }

  answeredByTcp(seqNo: number): void {
    if (this.#probe?.seqNo === seqNo) this.#probe.answersTcp = true;
  }

  acked({ seqNo, payload }: Ack): void {
    const relay = this.#relays.get(seqNo);
    if (relay !== undefined) {
      relay.timer.isCancelled = true;
      this.#relays.delete(seqNo);
      this.#packets.send(relay.to, [{ type: 'ack', seqNo: relay.seqNo, payload: noBytes }]);
      return;
    }
    const probe = this.#probe;
    if (probe === undefined || probe.seqNo !== seqNo) return;
    const { target, started, isWidened } = probe;
    this.#end(healthDelta('answered', 0, 0));
    if (isWidened) return;
    this.#context.delegate.pingCompleted?.(infoOf(target), this.#context.now - started, new Uint8Array(payload));
  }

  nacked({ seqNo }: Nack): void {
    if (this.#probe?.seqNo === seqNo) this.#probe.nacks++;
  }

  pinged(ping: Ping, from: Address): void {
    if (!this.isForMe(ping)) return;
    this.#packets.send(sourceOf(ping, from), [{ type: 'ack', seqNo: ping.seqNo, payload: this.ackPayload() }]);
  }

  /** Pings the target, and passes its ack on. */
  askedToPing(request: IndirectPing, from: Address): void {
    const seqNo = this.#context.nextSequence();
    const to = sourceOf(request, from);
    const timer = this.#context.after(this.#context.settings.profile.probeTimeout, () => {
      this.#relays.delete(seqNo);
      if (request.nack) this.#packets.send(to, [{ type: 'nack', seqNo: request.seqNo }]);
    });
    this.#relays.set(seqNo, { seqNo: request.seqNo, to, timer });
    const { target: addr, port, node } = request;
    this.#packets.send({ addr: new Uint8Array(addr), port }, [this.#ping(seqNo, node)]);
  }

  /** A ping for another name came to an address that this node took over. */
  isForMe({ node }: Ping): boolean {
    return node === '' || node === this.#membership.me.name;
  }

  ackPayload(): Bytes {
    return this.#context.delegate.ackPayload?.() ?? noBytes;
  }

  #ping(seqNo: number, node: string): Ping {
    return { type: 'ping', seqNo, node, ...this.#source() };
  }

  #source(): Pick<Ping, 'sourceAddr' | 'sourcePort' | 'sourceNode'> {
    const { addr, port, name } = this.#membership.me;
    return { sourceAddr: addr, sourcePort: port, sourceNode: name };
  }
}

/** Where the answer goes. */
function sourceOf({ sourceAddr, sourcePort }: Ping | IndirectPing, from: Address): Address {
  const isGiven = sourceAddr.length > 0 && sourcePort > 0;
  return isGiven ? { addr: new Uint8Array(sourceAddr), port: sourcePort } : from;
}
