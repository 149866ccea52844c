import { assertNever, minimumMtu } from '@causeway/model';
import type { Draft } from '../../draft.ts';
import type { NetnsPath } from '../../state.ts';
import type { LinkEvent, LinkEventType } from '../kind.ts';
import {
  type Bridge,
  type Link,
  type LinkChange,
  type LinkOp,
  newPort,
  peerOf,
  portOf,
  type Veth,
  type Vxlan,
  withPort,
} from './link.ts';

/** Changes the state as the op changes a kernel. Returns what happens to this and other links because of the op. */
export function simulateLink(state: Map<NetnsPath, Draft>, op: LinkOp): readonly LinkEvent[] {
  const namespace = state.get(op.netns);
  if (namespace === undefined) return [];
  const event = (dev: string, what: LinkEventType): LinkEvent => ({ netns: op.netns, dev, what });
  switch (op.op) {
    case 'link.add':
      add(state, namespace, op.link);
      return [];
    case 'link.delete':
      namespace.links.delete(op.name);
      return [event(op.name, 'gone'), ...leave(namespace, op.name).map((dev) => event(dev, 'left bridge'))];
    case 'link.set':
      return change(namespace, op.name, op.change).map((what) => event(op.name, what));
    default:
      return assertNever(op);
  }
}

function add(state: Map<NetnsPath, Draft>, namespace: Draft, link: Bridge | Vxlan | Veth): void {
  const port = portOf(link);
  namespace.links.set(link.name, port ? withPort(link, newPort(port.master)) : link);
  const peer = peerOf(link);
  if (peer === undefined) return;
  const { netns, name, mac, mtu } = peer;
  state.get(netns)?.links.set(name, { kind: 'veth', name, mac, mtu, up: false });
}

/** Takes all ports out of a bridge that is gone. Returns their names. */
function leave(namespace: Draft, bridge: string): string[] {
  const ports = [...namespace.links.values()].filter((link) => portOf(link)?.master === bridge);
  for (const port of ports) namespace.links.set(port.name, withPort(port, undefined));
  return ports.map(({ name }) => name);
}

function change(namespace: Draft, name: string, { bridgePort, ...own }: LinkChange): LinkEventType[] {
  const link = namespace.links.get(name);
  if (link === undefined) return [];
  const events: LinkEventType[] = [];
  if (own.mac !== undefined && own.mac !== link.mac) events.push('new MAC');
  if (own.mtu !== undefined && own.mtu < minimumMtu) events.push('no IPv6');
  if (bridgePort !== undefined && bridgePort.master !== portOf(link)?.master) events.push('left bridge');
  namespace.links.set(name, withPort({ ...link, ...own } as Link, bridgePort ?? portOf(link)));
  return events;
}
