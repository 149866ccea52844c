import type { EndpointId, EndpointRow, Ip, Network, NodeId } from '@causeway/model';
import type { NetnsPath, State } from '../state.ts';
import type { GatewayRank } from './gateway.ts';
import type { Peers } from './peers.ts';

/** Where a container's end of an endpoint is. */
export interface Sandbox {
  readonly endpoint: EndpointId;
  readonly netns: NetnsPath;
  readonly ifname: string;
  /** Among all interfaces of the container, on whichever networks. */
  readonly gateway: GatewayRank;
}

/** An endpoint of this host that has a container. */
export interface Attachment {
  readonly sandbox: Sandbox;
  readonly row: EndpointRow;
}

/** What a driver is given of a host. */
export interface HostPart {
  /** This host's own tunnel address. */
  readonly vtep: Ip;
  /** UDP. */
  readonly vxlanPort: number;
  /** In the order in which they are their container's way out. */
  readonly attachments: readonly Attachment[];
  /** The endpoints of other hosts. */
  readonly peers: Peers;
}

/**
 * How a network's frames travel: what a host's kernel must hold so that they do. A driver only says what is wanted; what
 * is there already, the order of steps and repair are the planner's and the agent's.
 *
 * The same input gives an equal state: what a state leaves out is removed from the kernel, as far as it is ours (owner.ts).
 */
export interface Driver<Of extends Network = Network> {
  /** All that the host's kernel must hold of the network. Maps of `host.peers` may be in it: the state follows them. */
  build(network: Of, host: HostPart): State;
  /** The part of it that endpoints of other hosts are in, without the links that it hangs on. */
  buildPeers(network: Of, peers: Peers): State;
}

/** All that decides what a host's kernel holds of a network. */
export interface NetworkOnHost extends Pick<HostPart, 'vtep' | 'vxlanPort'> {
  readonly network: Network;
  /** This host. */
  readonly node: NodeId;
  /** Every endpoint of the network, on whichever host. */
  readonly rows: Iterable<EndpointRow>;
  readonly sandboxes: readonly Sandbox[];
}
