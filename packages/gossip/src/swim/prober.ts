import { sample } from '../random.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Ack, Message, Nack, Ping, Suspect } from '../wire/message.ts';
import { understands } from '../wire/vsn.ts';
import { healthDelta } from './awareness.ts';
import type { Context } from './context.ts';
import { infoOf, isGone, type Member } from './member.ts';
import type { Membership } from './membership.ts';
import type { Packets } from './packets.ts';
import type { Pings } from './pings.ts';
import { lan } from './profile.ts';
import { nextOnRing } from './ring.ts';
import type { Timer } from './timers.ts';

/** A probe that is under way. */
interface Probe {
  readonly seqNo: number;
  readonly target: Member;
  readonly started: number;
  /** False: this node checks what another node suspects, out of its turn. */
  readonly isTurn: boolean;
  /** All that the probe still waits for. */
  readonly timers: Timer[];
  /** Other nodes were asked, so the time of an ack says nothing of the round trip. */
  isWidened: boolean;
  expectedNacks: number;
  nacks: number;
  /** The node answered by TCP. */
  answersTcp: boolean;
}

export interface ProberPeers {
  /** The outcome comes to `answeredByTcp`, `refusedByTcp` or `failedByTcp`. */
  pingByTcp(member: Member, ping: Ping): void;
  /** A node said with its ack how it sees the cluster. */
  compareViews(member: Member, view: Bytes): void;
}

/**
 * Finds dead nodes:
 *
 *     ping ── no ack in probeTimeout ──▶ ask others to ping, ping by TCP ── no ack in probeInterval ──▶ suspect
 *       └────────────── ack ──────────────────────────┴─────── ack ──▶ alive
 *
 * A node that refuses the TCP connection has no process: then the probe ends soon after.
 */
export class Prober {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #packets: Packets;
  readonly #peers: ProberPeers;
  readonly #pings: Pings;
  readonly #probes = new Map<number, Probe>();
  /** Second pings by TCP, of nodes that refused the first. */
  readonly #again = new Map<number, Member>();
  /** Where the round of probes is in the list of members. */
  #index = 0;
  #turns = 0;
  /** An interval began during a probe, so the next probe begins when this one ends. */
  #isLate = false;

  constructor(context: Context, membership: Membership, packets: Packets, pings: Pings, peers: ProberPeers) {
    this.#context = context;
    this.#membership = membership;
    this.#packets = packets;
    this.#pings = pings;
    this.#peers = peers;
  }

  start(): void {
    const { probeInterval } = this.#context.settings.profile;
    this.#context.after(this.#context.random.float() * probeInterval, () => this.#tick());
  }

  /** This process did not run for a while, so silence proves nothing: the probes under way end without a verdict. */
  stalled(): void {
    for (const probe of [...this.#probes.values()]) this.#end(probe, 0);
  }

  /** Another node is suspected. If this node is one of the observers of the suspect, it finds out for itself. */
  check({ node, from }: Suspect): void {
    const member = this.#membership.get(node);
    const { me } = this.#membership;
    if (member === undefined || from === me.name || !this.#observers(member).includes(me)) return;
    const isProbed = [...this.#probes.values()].some(({ target }) => target === member);
    if (!isProbed && member.suspicion?.of.isBy(me.name) === false) this.#start(member, false);
  }

  #tick(): void {
    this.#context.after(this.#context.settings.profile.probeInterval, () => this.#tick());
    if (this.#hasTurn()) this.#isLate = true;
    else this.#begin();
  }

  #hasTurn(): boolean {
    return [...this.#probes.values()].some(({ isTurn }) => isTurn);
  }

  #begin(): void {
    this.#isLate = false;
    const target = this.#watched() ?? this.#next();
    if (target !== undefined) this.#start(target, true);
  }

  /** Four turns of five go to the next nodes on the ring, so that no node waits long for its next probe. */
  #watched(): Member | undefined {
    const { watched } = this.#context.settings.profile;
    const turn = this.#turns++ % (2 * watched + 1);
    if (turn === 2 * watched) return undefined;
    const { me, all } = this.#membership;
    return nextOnRing(me, all, watched, (each) => each !== me && !isGone(each))[turn % watched];
  }

  #start(target: Member, isTurn: boolean): void {
    const { profile } = this.#context.settings;
    const seqNo = this.#context.nextSequence();
    const answers = { isWidened: false, expectedNacks: 0, nacks: 0, answersTcp: false };
    const probe: Probe = { seqNo, target, started: this.#context.now, isTurn, timers: [], ...answers };
    this.#probes.set(seqNo, probe);
    for (const at of profile.pingTimes) {
      if (at === 0) this.#pingTarget(probe);
      else this.#after(probe, at, () => this.#pingTarget(probe));
    }
    this.#after(probe, profile.probeTimeout, () => this.#widen(probe));
    // A suspected node is asked in both ways at once.
    if (profile.tcpPings && (target.vsn[1] ?? 0) >= understands.tcpPings) {
      this.#after(probe, isTurn ? profile.tcpPingAfter : 0, () =>
        this.#peers.pingByTcp(target, this.#pings.of(seqNo, target.name)),
      );
    }
  }

  #pingTarget({ seqNo, target }: Probe): void {
    const messages: Message[] = [this.#pings.of(seqNo, target.name)];
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

  /** The node did not answer in time: others try. */
  #widen(probe: Probe): void {
    probe.isWidened = true;
    const { me, all, awareness } = this.#membership;
    const { profile } = this.#context.settings;
    const { target, seqNo } = probe;
    const helps = (each: Member): boolean => each !== me && each !== target && each.state === 'alive';
    for (const relay of sample(all, profile.indirectChecks, this.#context.random, helps)) {
      const nack = (relay.vsn[1] ?? 0) >= understands.nacks;
      if (nack && this.#nacksInTime(relay)) probe.expectedNacks++;
      const { addr, port, name: node } = target;
      const source = this.#pings.source();
      this.#packets.send(relay, [{ type: 'indirectPing', seqNo, target: addr, port, node, nack, ...source }], relay);
    }
    const left = probe.started + awareness.scale(profile.probeInterval) - this.#context.now;
    this.#after(probe, left, () => this.#conclude(probe));
  }

  /** Nodes in Go wait 500 ms before they send a nack, whatever our profile says. */
  #nacksInTime({ isKin }: Member): boolean {
    const { probeInterval, probeTimeout } = this.#context.settings.profile;
    return isKin || probeInterval - probeTimeout >= lan.probeTimeout;
  }

  /** No ack came by UDP. */
  #conclude(probe: Probe): void {
    const { target, expectedNacks, nacks, answersTcp, isTurn } = probe;
    const delta = healthDelta(answersTcp ? 'answered' : 'silent', expectedNacks, nacks);
    this.#end(probe, isTurn ? delta : 0);
    if (answersTcp) {
      this.#context.event({ type: 'udpBlocked', member: infoOf(target) });
      return;
    }
    const { incarnation, name: node } = target;
    const claim: Suspect = { type: 'suspect', incarnation, node, from: this.#membership.me.name };
    this.#membership.suspect(claim);
    // The other observers hear of the suspicion at once, and find out for themselves.
    for (const observer of this.#observers(target)) {
      if (observer !== this.#membership.me) this.#packets.send(observer, [claim], observer);
    }
  }

  #observers(target: Member): readonly Member[] {
    const { observers } = this.#context.settings.profile;
    return nextOnRing(target, this.#membership.all, observers, (each) => each !== target && each.state === 'alive');
  }

  #end(probe: Probe, delta: number): void {
    for (const timer of probe.timers) timer.isCancelled = true;
    this.#probes.delete(probe.seqNo);
    this.#membership.awareness.add(delta);
    // In a step of its own: the suspicion of this probe comes first.
    if (probe.isTurn && this.#isLate) this.#context.after(0, () => this.#beginLate());
  }

  #beginLate(): void {
    if (!this.#hasTurn()) this.#begin();
  }

  #after(probe: Probe, span: number, then: () => void): void {
    probe.timers.push(this.#context.after(span, then));
  }

  answeredByTcp(seqNo: number): void {
    const probe = this.#probes.get(seqNo);
    if (probe !== undefined) probe.answersTcp = true;
    this.#again.delete(seqNo);
  }

  /** No process listens there. Others are asked at once, since a firewall can refuse too, and get half a timeout to answer. */
  refusedByTcp(seqNo: number): void {
    const twice = this.#again.get(seqNo);
    this.#again.delete(seqNo);
    if (twice !== undefined) this.#membership.refusedTwice(twice);
    const probe = this.#probes.get(seqNo);
    if (probe === undefined) return;
    this.#context.event({ type: 'refused', member: infoOf(probe.target) });
    const { probeTimeout, refusedHold, observers } = this.#context.settings.profile;
    if (!probe.isWidened) this.#widen(probe);
    this.#after(probe, probeTimeout / 2, () => this.#conclude(probe));
    if (observers > 0) this.#context.after(refusedHold, () => this.#pingAgain(probe.target));
  }

  #pingAgain(member: Member): void {
    if (member.state !== 'suspect') return;
    const seqNo = this.#context.nextSequence();
    this.#again.set(seqNo, member);
    this.#peers.pingByTcp(member, this.#pings.of(seqNo, member.name));
  }

  /** A ping by TCP ended in another way. */
  failedByTcp(seqNo: number): void {
    this.#again.delete(seqNo);
  }

  acked({ seqNo, payload, view }: Ack): void {
    const probe = this.#probes.get(seqNo);
    if (probe === undefined) return;
    const { target, started, isWidened, isTurn } = probe;
    this.#end(probe, isTurn ? healthDelta('answered', 0, 0) : 0);
    if (view.length > 0) this.#peers.compareViews(target, view);
    if (isWidened) return;
    this.#context.delegate.pingCompleted?.(infoOf(target), this.#context.now - started, new Uint8Array(payload));
  }

  nacked({ seqNo }: Nack): void {
    const probe = this.#probes.get(seqNo);
    if (probe !== undefined) probe.nacks++;
  }
}
