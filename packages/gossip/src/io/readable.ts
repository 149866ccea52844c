import type { MemberlistEvent } from '../swim/effect.ts';
import type { Address, MemberInfo } from '../swim/member.ts';
import type { Overflow } from './event-stream.ts';
import { formatIp, parseIp } from './ip.ts';

/** Where a node receives. */
export interface NodeAddress {
  readonly address: string;
  readonly port: number;
}

/** What is known of a node. */
export interface Node extends NodeAddress, Pick<MemberInfo, 'name' | 'meta' | 'state' | 'incarnation' | 'vsn'> {}

/** What a reader of events gets. */
export type NodeEvent = Overflow | Readable<MemberlistEvent>;

/** An event, with addresses as text. */
export type Readable<Event> = Event extends unknown
  ? {
      readonly [Key in keyof Event]: Event[Key] extends MemberInfo
        ? Node
        : Event[Key] extends Address
          ? NodeAddress
          : Event[Key];
    }
  : never;

export function addressOf({ address, port }: NodeAddress): Address {
  const addr = parseIp(address);
  if (addr === undefined) throw new RangeError(`not an IP address: ${address}`);
  return { addr, port };
}

export function readable({ name, addr, port, meta, state, incarnation, vsn }: MemberInfo): Node {
  return { name, address: formatIp(addr), port, meta, state, incarnation, vsn };
}

export function readableAddress({ addr, port }: Address): NodeAddress {
  return { address: formatIp(addr), port };
}

export function readableEvent(event: MemberlistEvent): Readable<MemberlistEvent> {
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
