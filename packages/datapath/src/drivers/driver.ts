import type { EndpointId, EndpointRow, Ip, Network, NodeId } from '@causeway/model';
import type { NetnsPath, State } from '../state.ts';
import type { GatewayRank } from './gateway.ts';
import type { Peers } from './peers.ts';

/** The place of an endpoint in a container: a namespace and an interface name. */
export interface Sandbox {
  readonly endpoint: EndpointId;
  readonly netns: NetnsPath;
  readonly ifname: string;
  /** The rank among all interfaces of the container, on all networks. */
  readonly gateway: GatewayRank;
}

/** An endpoint of this host that has a container. */
export interface Attachment {
  readonly sandbox: Sandbox;
  readonly row: EndpointRow;
}

/** What a driver gets to know about a host. */
export interface HostPart {
  /** This host's own tunnel address. */
  readonly vtep: Ip;
  /** UDP port. */
  readonly vxlanPort: number;
  /** In order of rank: the first interface of a container provides its default route. */
  readonly attachments: readonly Attachment[];
  /** The endpoints of other hosts. */
  readonly peers: Peers;
}

/**
 * How a network's frames travel between hosts. A driver returns only the desired state of a host's kernel. The planner
 * and the agent find out what is there already, order the steps and repair.
 *
 * The same input must give an equal state. What a state leaves out is removed from the kernel, as far as it is ours
 * (owner.ts).
 */
export interface Driver<Of extends Network = Network> {
  /**
   * The network's part of the host's kernel. The state may contain maps of `host.peers` itself, and then changes with
   * them.
   */
  build(network: Of, host: HostPart): State;
  /** The part of that state for endpoints of other hosts, without the links that the entries belong to. */
  buildPeers(network: Of, peers: Peers): State;
}

/** All input from which a host's state of a network follows. */
export interface NetworkOnHost extends Pick<HostPart, 'vtep' | 'vxlanPort'> {
  readonly network: Network;
  /** This host. */
  readonly node: NodeId;
  /** Every endpoint of the network, on all hosts. */
  readonly rows: Iterable<EndpointRow>;
  readonly sandboxes: readonly Sandbox[];
}
