import { noBytes } from '../wire/bytes.ts';
import type { Ack, IndirectPing, Ping } from '../wire/message.ts';
import type { Context } from './context.ts';
import type { Address } from './member.ts';
import type { Membership } from './membership.ts';
import type { Packets } from './packets.ts';
import type { Timer } from './timers.ts';

/** A ping for another node, whose ack is passed on. */
interface Relay {
  readonly seqNo: number;
  readonly to: Address;
  readonly timer: Timer;
}

/** Answers the pings of other nodes, and pings on their behalf. */
export class Pings {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #packets: Packets;
  readonly #relays = new Map<number, Relay>();

  constructor(context: Context, membership: Membership, packets: Packets) {
    this.#context = context;
    this.#membership = membership;
    this.#packets = packets;
  }

  pinged(ping: Ping, from: Address): void {
    const ack = this.answer(ping);
    if (ack !== undefined) this.#packets.send(sourceOf(ping, from), [ack]);
  }

  /** Undefined: the ping is for another name; it came to an address that this node took over. */
  answer({ seqNo, node, view }: Ping): Ack | undefined {
    const { me } = this.#membership;
    if (node !== '' && node !== me.name) return undefined;
    const payload = this.#context.delegate.ackPayload?.() ?? noBytes;
    return { type: 'ack', seqNo, payload, view: view.length > 0 ? this.#membership.view : noBytes };
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
    this.#packets.send({ addr: new Uint8Array(addr), port }, [this.of(seqNo, node)]);
  }

  /** Passes on the ack of a ping for another node. False: this node pinged for itself. */
  relayed({ seqNo }: Ack): boolean {
    const relay = this.#relays.get(seqNo);
    if (relay === undefined) return false;
    relay.timer.isCancelled = true;
    this.#relays.delete(seqNo);
    this.#packets.send(relay.to, [{ type: 'ack', seqNo: relay.seqNo, payload: noBytes, view: noBytes }]);
    return true;
  }

  /** A ping of this node. */
  of(seqNo: number, node: string): Ping {
    return { type: 'ping', seqNo, node, view: this.#membership.view, ...this.source() };
  }

  source(): Pick<Ping, 'sourceAddr' | 'sourcePort' | 'sourceNode'> {
    const { addr, port, name } = this.#membership.me;
    return { sourceAddr: addr, sourcePort: port, sourceNode: name };
  }
}

/** Where the answer goes. */
function sourceOf({ sourceAddr, sourcePort }: Ping | IndirectPing, from: Address): Address {
  const isGiven = sourceAddr.length > 0 && sourcePort > 0;
  return isGiven ? { addr: new Uint8Array(sourceAddr), port: sourcePort } : from;
}
