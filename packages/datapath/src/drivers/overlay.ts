import {
  addressOf,
  encryptedVxlanPort,
  familyOf,
  interfaceAddress,
  lengthOf,
  macForIp,
  minimumMtu,
  type Network,
} from '@causeway/model';
import { type Draft, newNamespace } from '../draft.ts';
import type { Vxlan } from '../kinds/link/link.ts';
import { interfaceSysctl } from '../kinds/sysctl.ts';
import type { NetnsPath, State } from '../state.ts';
import { addAddresses } from './container.ts';
import type { Attachment, Driver, HostPart } from './driver.ts';
import {
  bridgeMac,
  bridgeName,
  espVxlanName,
  hostEnd,
  hostEndMac,
  overlayNetns,
  vxlanMac,
  vxlanName,
} from './overlay-names.ts';
import type { Peers } from './peers.ts';

/** A tunnel to the other hosts. */
interface Tunnel {
  readonly name: string;
  readonly ports: (host: Pick<HostPart, 'vxlanPort'>) => Pick<Vxlan, 'port' | 'sourcePort'>;
  readonly sends: boolean;
}

const plain = (sends: boolean): Tunnel => ({ name: vxlanName, ports: ({ vxlanPort }) => ({ port: vxlanPort }), sends });

/**
 * On a port of its own, on which policies let pass only what ESP protects. A plain overlay never uses that port, so the policies
 * need no mark on packets. The source port is the same: the socket of the tunnel holds it, so no other program of the host can send
 * from it, and the policies know the tunnel's packets from those that a program writes.
 */
const inEsp = (sends: boolean): Tunnel => ({
  name: espVxlanName,
  ports: () => ({ port: encryptedVxlanPort, sourcePort: encryptedVxlanPort }),
  sends,
});

/**
 * Frames between hosts travel in VXLAN:
 *
 *   container eth0 ─ veth ─ br0 (gateways) ─ vxlan0 ─ FDB: MAC → VTEP ─▶ the other hosts
 *                                              └ neighbours: IP → MAC, answered locally (proxy)
 */
export const overlay = overlayWith(plain(true));
export const encryptedOverlay = overlayWith(inEsp(true));

/*
 * A network that changes from one to the other receives by both tunnels. The tunnel that sends comes first, so that it begins to
 * send before the other one ends: a frame in between leaves twice, and is not lost.
 */
export const dualOverlay = overlayWith(plain(true), inEsp(false));
export const dualEncryptedOverlay = overlayWith(inEsp(true), plain(false));

function overlayWith(...tunnels: readonly Tunnel[]): Driver {
  return {
    build: (network, host) => buildOverlay(network, host, tunnels),
    buildPeers(network, peers) {
      const entries = newNamespace();
      addPeers(entries, tunnels, peers);
      return new Map([[overlayNetns(network.id), entries]]);
    },
  };
}

function buildOverlay(network: Network, host: HostPart, tunnels: readonly Tunnel[]): State {
  const shared = sharedPart(network);
  for (const tunnel of tunnels) addTunnel(shared, tunnel, network, host);
  addPeers(shared, tunnels, host.peers);
  const state = new Map([[overlayNetns(network.id), shared]]);
  for (const attachment of host.attachments) addContainer(state, shared, network, attachment);
  return state;
}

/** A tunnel that does not send has the entries, too: it may be the next to send, from one moment to the other. */
function addPeers(shared: Draft, tunnels: readonly Tunnel[], { fdb, neighbours }: Peers): void {
  for (const { name } of tunnels) {
    shared.fdb.set(name, fdb);
    shared.neighbours.set(name, neighbours);
  }
}

function addTunnel(shared: Draft, tunnel: Tunnel, { vni, mtu }: Network, host: HostPart): void {
  const { name, sends } = tunnel;
  shared.links.set(name, {
    kind: 'vxlan',
    name,
    mac: vxlanMac(vni),
    mtu: mtu.bytes,
    up: true,
    vni,
    ...tunnel.ports(host),
    local: host.vtep,
    // The bridge sends frames for unknown MACs to the tunnel that sends, which drops them if it has no entry either.
    bridgePort: { master: bridgeName, learning: false, flood: sends },
  });
}

/** The part that all endpoints of the network share on a host. */
function sharedPart({ subnets, vni, mtu: { bytes: mtu } }: Network): Draft {
  const shared = newNamespace();
  const gateways = subnets.flatMap(({ prefix, gateway }) =>
    gateway === undefined ? [] : [interfaceAddress(gateway, lengthOf(prefix))],
  );
  // The bridge has the same MAC on every host (from the IPv4 gateway if there is one): a container that moves keeps its
  // gateway.
  const named = gateways.find((each) => familyOf(each) === 4) ?? gateways[0];
  const mac = named === undefined ? bridgeMac(vni) : macForIp(addressOf(named));
  shared.links.set(bridgeName, { kind: 'bridge', name: bridgeName, mac, mtu, up: true });
  shared.addresses.set(bridgeName, new Set(gateways));
  for (const [key, value] of sharedSysctls) shared.sysctls.set(key, value);
  // The gateway asks for neighbours from its link-local address. Below the minimum MTU there is no IPv6.
  const isRouter = gateways.some((each) => familyOf(each) === 6) && mtu >= minimumMtu;
  if (isRouter) shared.sysctls.set(interfaceSysctl('ipv6', bridgeName, 'addr_gen_mode'), eui64);
  return shared;
}

/** An endpoint of this host: its veth pair, and the content of the container's namespace. */
function addContainer(state: Map<NetnsPath, Draft>, shared: Draft, network: Network, attachment: Attachment): void {
  const { netns } = attachment.sandbox;
  const container = state.get(netns) ?? newNamespace();
  state.set(netns, container);
  addPair(shared, container, network.mtu.bytes, attachment);
  addAddresses(container, network, attachment);
}

function addPair(shared: Draft, container: Draft, mtu: number, { sandbox, row: { mac } }: Attachment): void {
  const { netns, ifname, endpoint } = sandbox;
  const name = hostEnd(endpoint);
  shared.links.set(name, {
    kind: 'veth',
    name,
    mac: hostEndMac(endpoint),
    mtu,
    up: true,
    bridgePort: { master: bridgeName, learning: false, flood: false },
    peer: { netns, name: ifname, mac, mtu },
  });
  // The port neither learns nor floods. This entry is therefore the only way to the container, and the port gets no
  // other frames.
  shared.fdb.set(name, new Map([[mac, 'port']]));
  container.links.set(ifname, { kind: 'veth', name: ifname, mac, mtu, up: true });
}

/** Values of addr_gen_mode (linux/if_link.h). */
const eui64 = '0';
const noAddress = '1';

/** The host routes between the subnets of a network, all on one link: it forwards, and sends no redirects. */
const sharedSysctls: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  [interfaceSysctl('ipv4', 'all', 'send_redirects'), '0'],
  [interfaceSysctl('ipv4', 'default', 'send_redirects'), '0'],
  [interfaceSysctl('ipv4', bridgeName, 'send_redirects'), '0'],
  // Otherwise the kernel removes the gateway with a stray address of the same subnet that was added before the gateway.
  [interfaceSysctl('ipv4', 'all', 'promote_secondaries'), '1'],
  [interfaceSysctl('ipv6', 'all', 'forwarding'), '1'],
  [interfaceSysctl('ipv6', 'all', 'accept_ra'), '0'],
  [interfaceSysctl('ipv6', 'default', 'accept_ra'), '0'],
  // Only a router's links may send. Without this setting each link would have a link-local address and announce it.
  [interfaceSysctl('ipv6', 'default', 'addr_gen_mode'), noAddress],
];
