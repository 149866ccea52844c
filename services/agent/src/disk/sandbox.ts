import { type GatewayRank, gatewayPriorities, type NetnsIdentity, type NetnsPath } from '@causeway/datapath';
import type {
  Endpoint,
  EndpointId,
  InterfaceAddress,
  Labels,
  Mac,
  Name,
  NetworkId,
  NodeId,
  RequestId,
  Stamp,
} from '@causeway/model';

/** A container's side of an endpoint on this host: all it takes to make the kernel right without asking anybody. */
export interface Sandbox {
  readonly endpoint: Endpoint;
  /** When it was claimed: a table of this epoch, there or further, either has the endpoint or says it is gone. */
  readonly claimed: Stamp;
  /** Of the attach that made it: the same request again gets the same answer. */
  readonly requestId: RequestId;
  readonly netns: NetnsPath;
  /**
   * The namespace the path led to at attach: another one behind the same path is not this container. A record of an
   * earlier boot, or of the first format (see `proveFormerIdentities`), is of no namespace there is.
   */
  readonly identity: NetnsIdentity;
  readonly ifname: string;
  /** Whether the interface is the container's way out, among the others it has. */
  readonly gateway: GatewayRank;
  /** Why the managers of a restored store do not give the endpoint back. Until they do, it has no interface. */
  readonly refused?: string;
}

/** Whether it is to have an interface: what its endpoint had may be somebody else's once that is refused. */
export function isGranted({ refused }: Sandbox): boolean {
  return refused === undefined;
}

/** What stands in the record of a container that only the kernel knows: no path leads there, and no namespace has it. */
export const unknownNetns = '(not known)' as NetnsPath;
export const unknownIdentity: NetnsIdentity = 'not known';

/** Whether only the kernel knows the container: its record is lost (see `findUnrecorded`). */
export function isUnrecorded({ identity }: Sandbox): boolean {
  return identity === unknownIdentity;
}

export function encodeSandboxes(sandboxes: Iterable<Sandbox>): Uint8Array {
  const list = Array.from(sandboxes, ({ claimed, ...sandbox }) => {
    return { ...sandbox, epoch: String(claimed.epoch), revision: String(claimed.revision) };
  });
  return new TextEncoder().encode(JSON.stringify(list));
}

/** Of bytes whose checksum holds: what does not parse is a defect. */
export function decodeSandboxes(bytes: Uint8Array): readonly Sandbox[] {
  const list = JSON.parse(new TextDecoder().decode(bytes)) as StoredSandbox[];
  const sandboxes = list.map(({ epoch = firstEpoch, revision, ...sandbox }) => {
    return { ...sandbox, claimed: { epoch: BigInt(epoch), revision: BigInt(revision) } };
  });
  return ranked(sandboxes);
}

/** Records of agents that kept no rank get one: the older claim in a container is before the later one. */
function ranked(sandboxes: readonly (Omit<Sandbox, 'gateway'> & { gateway?: GatewayRank })[]): readonly Sandbox[] {
  const slots = new Map<NetnsIdentity, number>();
  for (const { identity, gateway } of sandboxes) {
    if (gateway !== undefined) slots.set(identity, Math.max(slots.get(identity) ?? 0, gateway.slot + 1));
  }
  const ranks = new Map<EndpointId, GatewayRank>();
  for (const { endpoint, identity, gateway } of sandboxes.toSorted(byAge)) {
    const slot = slots.get(identity) ?? 0;
    ranks.set(endpoint.id, gateway ?? { priority: gatewayPriorities.usual, slot });
    if (gateway === undefined) slots.set(identity, slot + 1);
  }
  return sandboxes.map((sandbox) => ({
    ...sandbox,
    gateway: ranks.get(sandbox.endpoint.id) ?? { priority: 0, slot: 0 },
  }));
}

/** Whatever the epochs: a restore puts the revisions back, so what it does not know was claimed after what it knows. */
function byAge({ claimed: a }: { claimed: Stamp }, { claimed: b }: { claimed: Stamp }): number {
  return a.revision < b.revision ? -1 : 1;
}

/** The first place after those that a container's interfaces have already. */
export function nextSlot(ofContainer: Iterable<GatewayRank>): number {
  return Math.max(0, ...Array.from(ofContainer, ({ slot }) => slot + 1));
}

/** Of records written before they said it. */
const firstEpoch = '1';

interface StoredSandbox {
  readonly endpoint: {
    readonly id: EndpointId;
    readonly network: NetworkId;
    readonly name: Name;
    readonly node: NodeId;
    readonly addresses: readonly InterfaceAddress[];
    readonly mac: Mac;
    readonly labels?: Labels;
  };
  readonly epoch?: string;
  readonly revision: string;
  readonly requestId: RequestId;
  readonly netns: NetnsPath;
  readonly identity: NetnsIdentity;
  readonly ifname: string;
  readonly gateway?: GatewayRank;
  readonly refused?: string;
}
