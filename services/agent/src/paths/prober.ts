import { family, type Ip, type NodeId } from '@causeway/model';
import { type Random, TokenBucket } from '@causeway/runtime';
import { Path, type PathState, type Sizes } from './path.ts';
import { answerTo, decodeProbe, encodeProbe, type Probe } from './probe.ts';
import { answerRate, longestGap, restOf, sendRate } from './rules.ts';

/** A host that is probed, by one of its tunnels. */
export interface Target {
  readonly node: NodeId;
  /** Its tunnel address, which is also its address in the system network. */
  readonly vtep: Ip;
  /** UDP port of the tunnel. */
  readonly port: number;
  /** Bytes of the largest packet that the networks of both hosts send by the tunnel, IP header included. */
  readonly full: number;
}

/** Where a packet goes, or comes from. */
export type Way = Pick<Target, 'vtep' | 'port'>;

export interface Packet extends Way {
  readonly bytes: Uint8Array;
}

/** What is known of the path to a target. */
export interface PathView extends Target {
  readonly state: PathState;
  /** For how long it has been up, or not up; ms. */
  readonly age: number;
  /** How long the last answer took, ms. */
  readonly rtt: number | undefined;
  /** Bytes of the largest packet that is known to pass; 0: none. */
  readonly largest: number;
}

interface Probed {
  readonly target: Target;
  readonly path: Path;
  readonly answers: TokenBucket;
  /** Probes whose answers may still come, by number. */
  readonly open: Map<number, { readonly at: number; readonly size: number }>;
}

/** The size of a small packet, bytes. */
const small = 100;
/** Probes of one path whose answers may still come; an older one counts as lost for good. */
const mostOpen = 32;
const udpHeader = 8;
const headers = { 4: 20 + udpHeader, 6: 40 + udpHeader } as const;

/**
 * Probes the paths of one host, and answers the probes of other hosts. It takes packets and the time, and returns packets: the
 * caller sends them in the system network, so that they travel as the packets of containers do. Times are those of one
 * monotonic clock, ms.
 */
export class Prober {
  readonly #random: Random;
  /** Proves that an answer is to a probe of this process. */
  readonly #session: bigint;
  readonly #bucket: TokenBucket;
  readonly #probed = new Map<string, Probed>();
  #number = 0;
  #polledAt: number;

  constructor({ random }: { readonly random: Random }, now: number) {
    this.#random = random;
    this.#session = new DataView(random.bytes(8).slice().buffer).getBigUint64(0);
    this.#bucket = new TokenBucket(sendRate, now);
    this.#polledAt = now;
  }

  /** Whom to probe from now on. A target that is known already keeps what is known of its path. */
  aim(targets: readonly Target[], now: number): void {
    const rest = restOf(targets.length);
    const wanted = new Map(targets.map((target) => [keyOf(target), target]));
    for (const [key, { target }] of this.#probed) {
      if (wanted.get(key)?.node !== target.node) this.#probed.delete(key);
    }
    for (const [key, target] of wanted) {
      const known = this.#probed.get(key);
      if (known !== undefined) {
        known.path.change(sizesOf(target), rest);
        this.#probed.set(key, { ...known, target });
        continue;
      }
      // Hosts that start together, and the targets of one host, do not probe at the same moment.
      const path = new Path(sizesOf(target), rest, now, now + this.#random.float() * rest);
      this.#probed.set(key, { target, path, answers: new TokenBucket(answerRate, now), open: new Map() });
    }
  }

  /** Judges all paths, and returns the probes to send now. `wakeAt`: when to call again at the latest. */
  poll(now: number): { readonly packets: readonly Packet[]; readonly wakeAt: number } {
    const probed = [...this.#probed.values()];
    if (now - this.#polledAt > longestGap) for (const { path } of probed) path.forgive();
    for (const { path } of probed) path.judge(now);
    const due = probed.filter(({ path }) => path.dueAt() <= now).sort((a, b) => a.path.dueAt() - b.path.dueAt());
    const packets: Packet[] = [];
    for (const each of due) {
      if (!this.#bucket.take(now)) break;
      packets.push(this.#probe(each, now));
    }
    this.#polledAt = now;
    const moments = probed.map(({ path }) => Math.min(path.dueAt(), path.judgeAt(now)));
    const next = Math.min(now + longestGap / 2, ...moments);
    return { packets, wakeAt: next > now ? next : Math.max(now + 1, this.#bucket.readyAt(now)) };
  }

  /** A packet has arrived. Returns the packet to send for it, if there is one. Strangers get no answer. */
  receive({ bytes, ...way }: Packet, now: number): Packet | undefined {
    const probed = this.#probed.get(keyOf(way));
    const probe = decodeProbe(bytes);
    if (probed === undefined || probe === undefined) return undefined;
    if (probe.kind === 'answer') {
      this.#answered(probed, probe, now);
      return undefined;
    }
    if (!probed.answers.take(now)) return undefined;
    probed.path.heard(now, probe.interval);
    return { ...way, bytes: answerTo(bytes) };
  }

  *paths(now: number): Generator<PathView> {
    for (const { target, path } of this.#probed.values()) {
      const { state, since, rtt, largest } = path;
      yield { ...target, state, age: now - since, rtt, largest };
    }
  }

  #probe({ target, path, open }: Probed, now: number): Packet {
    const { vtep, port } = target;
    const size = path.send(now);
    const number = this.#number;
    this.#number = (number + 1) >>> 0;
    open.set(number, { at: now, size });
    const [oldest] = open.keys();
    if (open.size > mostOpen && oldest !== undefined) open.delete(oldest);
    const probe: Probe = { kind: 'request', session: this.#session, number, interval: Math.round(path.rest) };
    return { vtep, port, bytes: encodeProbe(probe, size - headers[family(vtep)]) };
  }

  #answered({ path, open }: Probed, { session, number }: Probe, now: number): void {
    const sent = session === this.#session ? open.get(number) : undefined;
    if (sent === undefined) return;
    open.delete(number);
    path.heard(now);
    path.answered(now, sent.size, now - sent.at);
  }
}

function keyOf({ vtep, port }: Way): string {
  return `${port} ${vtep}`;
}

function sizesOf({ full }: Target): Sizes {
  return { small: Math.min(small, full), full };
}
