import type { NetnsIdentity, NetnsPath } from '@causeway/datapath';
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
} from '@causeway/model';

/** A container's side of an endpoint on this host: all it takes to make the kernel right without asking anybody. */
export interface Sandbox {
  readonly endpoint: Endpoint;
  /** Store revision of the claim: a table at this revision or later either has the endpoint or says it is gone. */
  readonly revision: bigint;
  /** Of the attach that made it: the same request again gets the same answer. */
  readonly requestId: RequestId;
  readonly netns: NetnsPath;
  /** The namespace the path led to at attach: another one behind the same path is not this container. */
  readonly identity: NetnsIdentity;
  readonly ifname: string;
}

export function encodeSandboxes(sandboxes: Iterable<Sandbox>): Uint8Array {
  const list = Array.from(sandboxes, (sandbox) => ({ ...sandbox, revision: String(sandbox.revision) }));
  return new TextEncoder().encode(JSON.stringify(list));
}

/** Of bytes whose checksum holds: what does not parse is a defect. */
export function decodeSandboxes(bytes: Uint8Array): readonly Sandbox[] {
  const list = JSON.parse(new TextDecoder().decode(bytes)) as StoredSandbox[];
  return list.map((stored) => ({ ...stored, revision: BigInt(stored.revision) }));
}

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
  readonly revision: string;
  readonly requestId: RequestId;
  readonly netns: NetnsPath;
  readonly identity: NetnsIdentity;
  readonly ifname: string;
}
