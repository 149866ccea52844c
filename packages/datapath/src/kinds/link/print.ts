import { assertNever } from '@causeway/model';
import { ourGroup } from '../../owner.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import type { DifferenceText, ValueDifference } from '../kind.ts';
import { nameOf, tool } from '../printing.ts';
import {
  type Bridge,
  type BridgePort,
  type Link,
  type LinkChange,
  type LinkOp,
  peerOf,
  portOf,
  type Veth,
  type Vxlan,
} from './link.ts';

export function printLinkOp(op: LinkOp): string {
  const ip = tool('ip', op.netns);
  switch (op.op) {
    case 'link.add':
      return `${ip} link add ${printNewLink(op.link, op.netns === hostNetns)}`;
    case 'link.set':
      return printChange(op.netns, op.name, op.change);
    case 'link.delete':
      return `${ip} link delete dev ${op.name}`;
    default:
      return assertNever(op);
  }
}

/** The properties in which two links differ. */
export function describeLinkDifference({ key, actual, desired }: ValueDifference<string, Link>): DifferenceText {
  const [is, shall] = [linkWords(actual), linkWords(desired)];
  const without = (words: string[], others: string[]): string =>
    words.filter((word) => !others.includes(word)).join(' ') || 'absent';
  return { key, actual: without(is, shall), desired: without(shall, is) };
}

export function printLink(link: Link): string {
  const words = [link.name, ...linkWords(link)];
  const port = portOf(link);
  if (port !== undefined) words.push(printPort(port));
  const peer = peerOf(link);
  if (peer !== undefined) words.push(`peer ${peer.name} in ${peer.netns}`);
  return words.join(' ');
}

export function printPort(port: BridgePort): string {
  return `master ${port.master} ${printFlags(port)}`;
}

/** The link's properties in words, each understandable alone: "mtu 1450". */
function linkWords(link: Link | undefined): string[] {
  if (link === undefined) return [];
  const words = [link.kind, `address ${link.mac}`, `mtu ${link.mtu}`, link.up ? 'up' : 'down'];
  if (link.kind === 'vxlan') words.push(`id ${link.vni}`, portWords(link), `local ${link.local}`);
  return words;
}

function portWords({ port, sourcePort }: Vxlan): string {
  return sourcePort === undefined ? `dstport ${port}` : `dstport ${port} srcport ${sourcePort} ${sourcePort + 1}`;
}

function printNewLink(link: Bridge | Vxlan | Veth, isMarked: boolean): string {
  const words = [`name ${link.name} address ${link.mac} mtu ${link.mtu}`];
  const port = portOf(link);
  if (port !== undefined) words.push(`master ${port.master}`);
  if (isMarked) words.push(`group ${ourGroup}`);
  if (link.up) words.push('up');
  words.push(`type ${link.kind}`);
  if (link.kind === 'bridge') words.push('forward_delay 0');
  if (link.kind === 'vxlan') words.push(`id ${link.vni} ${portWords(link)} local ${link.local} nolearning proxy`);
  const peer = peerOf(link);
  if (peer !== undefined) {
    const { name, mac, mtu, netns } = peer;
    words.push(`peer name ${name} address ${mac} mtu ${mtu} netns ${nameOf(netns)}`);
  }
  return words.join(' ');
}

function printChange(netns: NetnsPath, name: string, { mac, mtu, up, bridgePort, local }: LinkChange): string {
  const words: string[] = [];
  if (mac !== undefined) words.push(`address ${mac}`);
  if (mtu !== undefined) words.push(`mtu ${mtu}`);
  if (bridgePort !== undefined) words.push(`master ${bridgePort.master}`);
  if (up !== undefined) words.push(up ? 'up' : 'down');
  if (local !== undefined) words.push(`type vxlan local ${local}`);
  const commands = [`${tool('ip', netns)} link set dev ${name} ${words.join(' ')}`];
  if (bridgePort !== undefined) {
    commands.push(`${tool('bridge', netns)} link set dev ${name} ${printFlags(bridgePort)}`);
  }
  return commands.join(' && ');
}

function printFlags({ learning, flood }: BridgePort): string {
  return `learning ${learning ? 'on' : 'off'} flood ${flood ? 'on' : 'off'}`;
}
