import {
  CausewayError,
  type Driver,
  family,
  familyOf,
  listNames,
  type Mtu,
  minimumMtu,
  type Network,
  type NetworkId,
  type Node,
  roomInside,
  type Subnet,
  usesEsp,
} from '@causeway/model';
import { networkChanged } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import type { Underlay } from '../store/records/node-index.ts';
import type { Versioned, View } from '../store/view.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';

/** RFC 791 §3.2: every link passes 68 bytes unfragmented; an IPv4 packet has at most 65535. */
const smallest = 68;
const largest = 65_535;

/** Underlay that is assumed before any host is known: Ethernet, with IPv4. */
const unknownHost = { mtu: 1_500, family: 4 } as const;

/** What the MTU of a network depends on, beside the hosts. */
type Carried = Pick<Network, 'driver' | 'subnets'>;

/**
 * The MTU that the underlays of all hosts carry: the smallest of them. Never less than IPv6 needs if the network has IPv6,
 * since the kernel disables IPv6 on a link with a smaller MTU. The outer packets are then fragmented.
 */
export function automaticMtu(view: View, { driver, subnets }: Carried): Mtu {
  return within(roomOf(view, driver), subnets);
}

/** @throws CausewayError mtu-invalid */
export function fixedMtu(bytes: number, subnets: readonly Subnet[]): Mtu {
  const least = leastFor(subnets);
  if (Number.isInteger(bytes) && bytes >= least && bytes <= largest) return { kind: 'fixed', bytes };
  const why = bytes >= smallest && bytes < least ? ', since IPv6 needs that much (RFC 8200)' : '';
  throw new CausewayError('mtu-invalid', `mtu ${bytes} is outside ${least} to ${largest} bytes${why}`, {
    field: 'mtu',
    value: bytes,
  });
}

/** Hosts whose underlay carries less than a network of this MTU may send, with what each carries. */
export function tooSmallFor(
  view: View,
  { mtu, driver, subnets }: Carried & Pick<Network, 'mtu'>,
): readonly { readonly node: Versioned<Node>; readonly room: number }[] {
  const least = leastFor(subnets);
  if (mtu.bytes <= Math.max(roomOf(view, driver), least)) return [];
  return [...view.nodes.values()]
    .map((node) => ({ node, room: roomOfNode(view, node.value, driver) }))
    .filter(({ room }) => mtu.bytes > Math.max(room, least));
}

/** Checks that a requested MTU fits into every host's underlay. @throws CausewayError mtu-too-large */
export function checkCarried(view: View, mtu: Mtu, of: Carried): void {
  const small = tooSmallFor(view, { ...of, mtu });
  const [first] = small;
  if (first === undefined) return;
  const room = Math.min(...small.map((host) => host.room));
  const hosts = listNames(small.map(({ node }) => node.value));
  const carries = small.length === 1 ? 'carries' : 'carry';
  const message = `mtu ${mtu.bytes} is more than ${hosts} ${carries}: ask for ${room} or less, which leaves room for ${usesEsp(of) ? 'VXLAN and ESP' : 'VXLAN'} in the underlay, or use force`;
  throw new CausewayError('mtu-too-large', message, { field: 'mtu', value: mtu.bytes, room, hosts });
}

/** The network has IPv6, and its MTU is less than IPv6 needs. */
export function isTooSmall(mtu: Mtu, subnets: readonly Subnet[]): boolean {
  return hasSix(subnets) && mtu.bytes < minimumMtu;
}

/** Networks whose automatic MTU is larger than a host can carry. */
export function networksTooLarge(view: View): readonly NetworkId[] {
  const rooms = new Map<Driver, number>();
  const tooLarge: NetworkId[] = [];
  for (const { value } of view.networks.values()) {
    const room = rooms.get(value.driver) ?? roomOf(view, value.driver);
    rooms.set(value.driver, room);
    if (exceeds(room, value)) tooLarge.push(value.id);
  }
  return tooLarge;
}

export function isTooLarge(view: View, network: Network): boolean {
  return exceeds(roomOf(view, network.driver), network);
}

/** Lowers a network's automatic MTU to what every host carries. It is never raised: interfaces in use have the old value. */
export function lowerMtu(id: NetworkId): Intent<void> {
  return { plan: (planning) => planNetworkMtu(id, planning) };
}

function planNetworkMtu(id: NetworkId, { view, keys }: Planning): Proposal<void> {
  const current = view.networks.get(id);
  if (current === undefined || !isTooLarge(view, current.value)) {
    return nothingToDo(undefined);
  }
  const next = { ...current.value, mtu: afterMtu(current.value.mtu, automaticMtu(view, current.value)) };
  const key = keys.network(id);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: current.revision }],
    writes: [{ kind: 'put', key, value: records.network.codec.encode(next, current.original) }],
    takes: [],
    events: networkChanged(current.value, next),
    reply: undefined,
  };
}

/** The next MTU, with the highest MTU so far: hosts without the change still send packets of the old size. */
export function afterMtu(before: Mtu, next: Mtu): Mtu {
  const highest = Math.max(before.highest ?? before.bytes, before.bytes);
  return highest > next.bytes ? { ...next, highest } : next;
}

/**
 * Bytes inside the overlay that the host's underlay carries, to and from every host. If one host needs ESP in UDP, the packets
 * between it and all others are that much larger.
 */
export function roomOfNode(
  view: Pick<View, 'underlays'>,
  { underlayMtu, dataPath }: Pick<Underlay, 'underlayMtu' | 'dataPath'>,
  driver: Driver,
): number {
  const isInUdp = view.underlays().some(({ encapPort }) => encapPort !== undefined);
  return roomInside(driver, underlayMtu, family(dataPath), isInUdp);
}

/** Least MTU of a network with these subnets, whatever the underlay. */
export function leastFor(subnets: readonly Subnet[]): number {
  return hasSix(subnets) ? minimumMtu : smallest;
}

/** Bytes inside the overlay that every host's underlay carries. */
function roomOf(view: View, driver: Driver): number {
  const rooms = view.underlays().map((underlay) => roomOfNode(view, underlay, driver));
  return rooms.length === 0 ? roomInside(driver, unknownHost.mtu, unknownHost.family) : Math.min(largest, ...rooms);
}

function within(room: number, subnets: readonly Subnet[]): Mtu {
  return { kind: 'automatic', bytes: Math.max(room, leastFor(subnets)) };
}

function exceeds(room: number, { mtu, subnets }: Network): boolean {
  return mtu.kind === 'automatic' && within(room, subnets).bytes < mtu.bytes;
}

function hasSix(subnets: readonly Subnet[]): boolean {
  return subnets.some(({ prefix }) => familyOf(prefix) === 6);
}
