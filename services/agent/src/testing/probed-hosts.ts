import { Ip, type NodeId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { type Packet, type PathView, Prober, type Target } from '../paths/prober.ts';

export const probedPort = 4789;
export const fullSize = 1450;

/** What the underlay does with a packet. `size`: bytes, IP header included. */
export type Underlay = (way: {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}) => 'lost' | { readonly delay: number };

interface Due {
  readonly at: number;
  run(): void;
}

/** Hosts with a prober each, on one underlay, in virtual time. */
export class ProbedHosts {
  readonly random: SeededRandom;
  readonly sent: { readonly at: number; readonly from: number; readonly isAnswer: boolean }[] = [];
  underlay: Underlay;
  #now = 0;
  readonly #probers: Prober[];
  readonly #wakes: number[];
  /** Hosts whose process does not run. What they miss waits for them. */
  readonly #asleep = new Set<number>();
  #arrivals: Due[] = [];

  /** `probes`: whether a host probes another one. */
  constructor(
    seed: number,
    hosts: number,
    underlay: Underlay,
    probes: (from: number, to: number) => boolean = () => true,
  ) {
    this.random = new SeededRandom(seed);
    this.underlay = underlay;
    const numbers = Array.from({ length: hosts }, (_, host) => host);
    this.#probers = numbers.map(() => new Prober({ random: this.random }, 0));
    this.#wakes = numbers.map(() => 0);
    for (const [host, prober] of this.#probers.entries()) {
      const targets = numbers.filter((each) => each !== host && probes(host, each)).map(targetOf);
      prober.aim(targets, 0);
    }
  }

  get now(): number {
    return this.#now;
  }

  sleep(host: number): void {
    this.#asleep.add(host);
  }

  wake(host: number): void {
    this.#asleep.delete(host);
  }

  path(from: number, to: number): PathView {
    const { vtep } = targetOf(to);
    for (const view of this.#probers[from]?.paths(this.#now) ?? []) if (view.vtep === vtep) return view;
    throw new TypeError(`host ${from} does not probe host ${to}`);
  }

  states(): string[] {
    return this.#probers.flatMap((prober, from) =>
      [...prober.paths(this.#now)].map(({ vtep, state }) => `${from}>${hostOf(vtep)} ${state}`),
    );
  }

  /** Runs for a time; with `until`, at most. Returns how long it took until the condition held. */
  run(span: number, until: () => boolean = () => false): number | undefined {
    const from = this.#now;
    while (!until()) {
      const at = Math.min(this.#next(), from + span);
      this.#now = Math.max(this.#now, at);
      if (this.#now >= from + span) return undefined;
      this.#turn();
    }
    return this.#now - from;
  }

  #next(): number {
    const awake = this.#wakes.filter((_, host) => !this.#asleep.has(host));
    return Math.min(...awake, ...this.#arrivals.map(({ at }) => at));
  }

  #turn(): void {
    const ready = this.#arrivals.filter(({ at }) => at <= this.#now);
    this.#arrivals = this.#arrivals.filter(({ at }) => at > this.#now);
    for (const { run } of ready) run();
    for (const [host, prober] of this.#probers.entries()) {
      if (this.#asleep.has(host) || (this.#wakes[host] ?? 0) > this.#now) continue;
      const { packets, wakeAt } = prober.poll(this.#now);
      for (const packet of packets) this.#carry(host, packet, false);
      this.#wakes[host] = wakeAt;
    }
  }

  #carry(from: number, packet: Packet, isAnswer: boolean): void {
    this.sent.push({ at: this.#now, from, isAnswer });
    const to = hostOf(packet.vtep);
    const fate = this.underlay({ from, to, size: packet.bytes.length + 28 });
    if (fate === 'lost') return;
    this.#arrivals.push({ at: this.#now + fate.delay, run: () => this.#arrive(from, to, packet) });
  }

  #arrive(from: number, to: number, packet: Packet): void {
    if (this.#asleep.has(to)) {
      this.#arrivals.push({ at: this.#now + 10, run: () => this.#arrive(from, to, packet) });
      return;
    }
    const answer = this.#probers[to]?.receive({ ...packet, vtep: targetOf(from).vtep }, this.#now);
    if (answer !== undefined) this.#carry(to, answer, true);
    this.#wakes[to] = this.#now;
  }
}

function targetOf(host: number): Target {
  const digits = host.toString(16).padStart(12, '0');
  const vtep = Ip(`10.0.${host >> 8}.${host & 255}`);
  return { node: `00000000-0000-4000-8000-${digits}` as NodeId, vtep, port: probedPort, full: fullSize };
}

function hostOf(vtep: Ip): number {
  const [, , high, low] = vtep.split('.').map(Number);
  return (high ?? 0) * 256 + (low ?? 0);
}
