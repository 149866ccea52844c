import {
  addressOf,
  type EndpointId,
  type EndpointRow,
  familyOf,
  type Ip,
  interfaceAddress,
  lengthOf,
  type Mac,
  macForIp,
  minimumMtu,
  type Network,
  type NodeId,
} from '@causeway/model';
import { type Draft, newNamespace } from '../draft.ts';
import { interfaceSysctl, type NetnsPath, type State } from '../state.ts';
import { addContainer } from './container.ts';
import { byGatewayRank, type GatewayRank } from './gateway.ts';
import { bridgeMac, bridgeName, overlayNetns, vxlanMac, vxlanName } from './names.ts';

/** Where a container's end of an endpoint is. */
export interface Sandbox {
  readonly endpoint: EndpointId;
  readonly netns: NetnsPath;
  readonly ifname: string;
  /** Among all interfaces of the container, on whichever networks. */
  readonly gateway: GatewayRank;
}

/** All that decides what a host's kernel holds of a network. */
export interface NetworkOnHost {
  readonly network: Network;
  /** This host. */
  readonly node: NodeId;
  /** Its own tunnel address. */
  readonly vtep: Ip;
  /** UDP. */
  readonly vxlanPort: number;
  /** Every endpoint of the network, on whichever host. */
  readonly rows: Iterable<EndpointRow>;
  readonly sandboxes: readonly Sandbox[];
}

/**
 * What the host's kernel must hold of the network:
 *
 *   container eth0 ─ veth ─ br0 (gateways) ─ vxlan0 ─ FDB: MAC → VTEP ─▶ the other hosts
 *                                              └ neighbours: IP → MAC, answered locally (proxy)
 *
 * An endpoint of this host without a sandbox yields nothing; so does a sandbox without its row.
 * `peers`: where endpoints of other hosts are gathered, and some may be already; the state goes with them.
 */
export function buildNetwork(input: NetworkOnHost, peers: Peers = new Peers(input)): State {
  const overlay = newOverlay(input);
  const state = new Map([[overlayNetns(input.network.id), overlay]]);
  addPeers(overlay, peers);
  const local = new Map<EndpointId, EndpointRow>();
  for (const row of input.rows) {
    if (row.node === input.node) local.set(row.id, row);
    else peers.add(row);
  }
  for (const sandbox of input.sandboxes.toSorted(byGatewayRank)) {
    const row = local.get(sandbox.endpoint);
    if (row !== undefined) addContainer(state, input.network, sandbox, row);
  }
  return state;
}

/** What the host's kernel must hold of endpoints on other hosts alone: entries, without the links they hang on. */
export function buildPeers(input: Pick<NetworkOnHost, 'network' | 'node' | 'rows'>): State {
  const overlay = newNamespace();
  const peers = new Peers(input);
  for (const row of input.rows) peers.add(row);
  addPeers(overlay, peers);
  return new Map([[overlayNetns(input.network.id), overlay]]);
}

/** The endpoints of other hosts as entries, kept by adding and removing single rows: a network may have 20,000. */
export class Peers {
  readonly fdb = new Map<Mac, Ip>();
  readonly neighbours = new Map<Ip, Mac>();
  readonly #node: NodeId;
  /** The same string object for equal addresses: thousands of rows name few hosts. */
  readonly #vteps = new Map<Ip, Ip>();

  /** `node`: this host. */
  constructor({ node }: { readonly node: NodeId }) {
    this.#node = node;
  }

  add({ node, mac, vtep, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    if (!this.#vteps.has(vtep)) this.#vteps.set(vtep, vtep);
    this.fdb.set(mac, this.#vteps.get(vtep) ?? vtep);
    for (const address of addresses) this.neighbours.set(addressOf(address), mac);
  }

  /** A row that was added. */
  remove({ node, mac, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    this.fdb.delete(mac);
    for (const address of addresses) this.neighbours.delete(addressOf(address));
  }
}

function addPeers(overlay: Draft, { fdb, neighbours }: Peers): void {
  overlay.fdb.set(vxlanName, fdb);
  overlay.neighbours.set(vxlanName, neighbours);
}

function newOverlay({ network, vtep, vxlanPort }: NetworkOnHost): Draft {
  const overlay = newNamespace();
  const gateways = network.subnets.flatMap(({ prefix, gateway }) =>
    gateway === undefined ? [] : [interfaceAddress(gateway, lengthOf(prefix))],
  );
  // One MAC on every host, that of the IPv4 gateway if there is one: a container that moves keeps its gateway.
  const named = gateways.find((each) => familyOf(each) === 4) ?? gateways[0];
  const mac = named === undefined ? bridgeMac(network.vni) : macForIp(addressOf(named));
  const mtu = network.mtu.bytes;
  overlay.links.set(bridgeName, { kind: 'bridge', name: bridgeName, mac, mtu, up: true });
  overlay.addresses.set(bridgeName, new Set(gateways));
  overlay.links.set(vxlanName, {
    kind: 'vxlan',
    name: vxlanName,
    mac: vxlanMac(network.vni),
    mtu,
    up: true,
    vni: network.vni,
    port: vxlanPort,
    local: vtep,
    // Where the bridge sends what it has no entry for; vxlan0 drops what it has none for either.
    bridgePort: { master: bridgeName, learning: false, flood: true },
  });
  for (const [key, value] of overlaySysctls) overlay.sysctls.set(key, value);
  // A router asks for neighbours from its link-local address. Below the minimum MTU there is no IPv6.
  const isRouter = gateways.some((each) => familyOf(each) === 6) && mtu >= minimumMtu;
  if (isRouter) overlay.sysctls.set(interfaceSysctl('ipv6', bridgeName, 'addr_gen_mode'), eui64);
  return overlay;
}

/** Of addr_gen_mode (linux/if_link.h). */
const eui64 = '0';
const noAddress = '1';

/** The host routes between a network's subnets, on one link: forward, without telling senders of a shorter way. */
const overlaySysctls: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  [interfaceSysctl('ipv4', 'all', 'send_redirects'), '0'],
  [interfaceSysctl('ipv4', 'default', 'send_redirects'), '0'],
  [interfaceSysctl('ipv4', bridgeName, 'send_redirects'), '0'],
  // Otherwise the removal of a stray address takes the gateway of the same subnet along, if that was added later.
  [interfaceSysctl('ipv4', 'all', 'promote_secondaries'), '1'],
  [interfaceSysctl('ipv6', 'all', 'forwarding'), '1'],
  [interfaceSysctl('ipv6', 'all', 'accept_ra'), '0'],
  [interfaceSysctl('ipv6', 'default', 'accept_ra'), '0'],
  // Links that are no router's speak for nobody: without it each would have a link-local address, and say so.
  [interfaceSysctl('ipv6', 'default', 'addr_gen_mode'), noAddress],
];
