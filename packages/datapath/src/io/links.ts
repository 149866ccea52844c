import { setTimeout as sleep } from 'node:timers/promises';
import { assertNever } from '@causeway/model';
import { type Encode, KernelError } from '@causeway/netlink';
import type { LinkChange } from '../op.ts';
import { type Bridge, home, type NetnsPath, type Veth, type Vxlan } from '../state.ts';
import {
  addBridge,
  addVeth,
  addVxlan,
  deleteLink,
  type NewLink,
  setLink,
  setPortFlags,
  setVxlanLocal,
} from '../wire/index.ts';
import type { Namespaces } from './namespaces.ts';

/** A namespace that is taken apart holds its VNIs for 0 to 70 ms, measured idle. Milliseconds, both. */
const vniPatience = 1000;
const vniPause = 20;

/** One message each, on a socket of the namespace it is made in; of the home one for a vxlan device. */
export async function addLink(namespaces: Namespaces, netns: NetnsPath, link: Bridge | Vxlan | Veth): Promise<void> {
  const { socket } = namespaces.get(netns);
  const { name, mac, mtu, up } = link;
  const port = link.kind === 'bridge' ? undefined : link.bridgePort;
  const base: NewLink = { name, mac, mtu, up, ...(port && { master: namespaces.linkIndex(netns, port.master) }) };
  switch (link.kind) {
    case 'bridge':
      socket.request(addBridge(base));
      break;
    case 'veth':
      socket.request(pair(namespaces, link, base));
      break;
    case 'vxlan':
      await addTunnel(namespaces, netns, link, base);
      break;
    default:
      assertNever(link);
  }
}

/** In the order LinkChange promises; only what changes is sent. */
export function changeLink(namespaces: Namespaces, netns: NetnsPath, name: string, change: LinkChange): void {
  const { socket } = namespaces.get(netns);
  const { index, mac: oldMac, master: oldMaster } = namespaces.link(netns, name);
  const { mac, mtu, local, bridgePort, up } = change;
  // Setting the MAC it has would flush the neighbours as well.
  if (mac !== undefined && mac !== oldMac) socket.request(setLink(index, { mac }));
  if (mtu !== undefined) socket.request(setLink(index, { mtu }));
  if (local !== undefined) socket.request(setVxlanLocal(index, local));
  if (bridgePort !== undefined) {
    const master = namespaces.linkIndex(netns, bridgePort.master);
    if (master !== oldMaster) socket.request(setLink(index, { master }));
    socket.request(setPortFlags(index, bridgePort));
  }
  if (up !== undefined) socket.request(setLink(index, { up }));
}

export function removeLink(namespaces: Namespaces, netns: NetnsPath, name: string): void {
  const index = namespaces.linkIndex(netns, name);
  namespaces.get(netns).socket.request(deleteLink(index));
}

function pair(namespaces: Namespaces, link: Veth, base: NewLink): Encode {
  const { peer } = link;
  if (peer === undefined) throw new KernelError('EINVAL', `the other end of "${link.name}" makes the pair`);
  return addVeth({ ...base, peer: { ...peer, netns: target(namespaces, peer.netns) } });
}

/** EEXIST is the name, for good, or the VNI, which a dying namespace may be about to give back. */
async function addTunnel(namespaces: Namespaces, netns: NetnsPath, link: Vxlan, base: NewLink): Promise<void> {
  const { vni, port, local } = link;
  const deadline = performance.now() + vniPatience;
  for (;;) {
    try {
      const there = target(namespaces, netns);
      namespaces.get(home).socket.request(addVxlan({ ...base, vni, port, local, netns: there }));
      return;
    } catch (error) {
      const isTaken = error instanceof KernelError && error.errno === 'EEXIST';
      if (!isTaken || performance.now() > deadline || namespaces.findLinkIndex(netns, link.name) !== undefined)
        throw error;
    }
    await sleep(vniPause);
  }
}

/** The namespace a link is to be made in, open. */
function target(namespaces: Namespaces, netns: NetnsPath): number {
  const { fd } = namespaces.get(netns);
  if (fd === undefined) throw new KernelError('EINVAL', 'links are made in namespaces of their own, not the home one');
  return fd;
}
