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

/**
 * A container's side of an endpoint on this host: everything that is needed to program the kernel without asking a
 * manager.
 */
export interface Sandbox {
  readonly endpoint: Endpoint;
  /**
   * When the endpoint was claimed. A table of this epoch, at this revision or later, either has the endpoint or shows
   * that it is gone.
   */
  readonly claimed: Stamp;
  /** Request id of the attach that made the sandbox: the same request again gets the same answer. */
  readonly requestId: RequestId;
  readonly netns: NetnsPath;
  /**
   * The namespace to which the path led at attach. Another namespace at the same path is not this container. An identity
   * from an earlier boot, or in the first format (see `proveFormerIdentities`), is that of no existing namespace.
   */
  readonly identity: NetnsIdentity;
  readonly ifname: string;
  /** The rank of the interface among the container's interfaces, which decides about the default route. */
  readonly gateway: GatewayRank;
  /** Why the managers of a restored store refuse the endpoint. While this is set, the endpoint has no interface. */
  readonly refused?: string;
}

/** Whether the sandbox is to have an interface. After a refusal, another endpoint may have what this endpoint had. */
export function isGranted({ refused }: Sandbox): boolean {
  return refused === undefined;
}

/**
 * Values in the record of a container that only the kernel knows: no path leads to this one, and no namespace has this
 * identity.
 */
export const unknownNetns = '(not known)' as NetnsPath;
export const unknownIdentity: NetnsIdentity = 'not known';

/** Whether only the kernel knows the container, because its record is lost (see `findUnrecorded`). */
export function isUnrecorded({ identity }: Sandbox): boolean {
  return identity === unknownIdentity;
}

/** The checksum of these bytes is right, so bytes that do not parse are a defect of the program. */
export function decodeSandboxes(bytes: Uint8Array): readonly Sandbox[] {
  const list = JSON.parse(new TextDecoder().decode(bytes)) as StoredSandbox[];
  const sandboxes = list.map(({ epoch = firstEpoch, revision, ...sandbox }) => {
    return { ...sandbox, claimed: { epoch: BigInt(epoch), revision: BigInt(revision) } };
  });
  return ranked(sandboxes);
}

/** Gives a rank to records of agents that kept none: within a container, the older claim comes before the newer claim. */
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

/**
 * The epochs do not matter. A restore puts the revisions back, so a claim that the restored store does not know was made
 * after the claims that it knows.
 */
function byAge({ claimed: a }: { claimed: Stamp }, { claimed: b }: { claimed: Stamp }): number {
  return a.revision < b.revision ? -1 : 1;
}

/** The first slot after those of the container's interfaces. */
export function nextSlot(ofContainer: Iterable<GatewayRank>): number {
  return Math.max(0, ...Array.from(ofContainer, ({ slot }) => slot + 1));
}

/** Epoch of records that were written before records had an epoch. */
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
