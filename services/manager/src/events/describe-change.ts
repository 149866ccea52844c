import { assertNever, type Endpoint } from '@causeway/model';
import type { View, ViewChange } from '../store/view.ts';
import type { Occurrence } from './event-log.ts';

type Names = Pick<View, 'networks' | 'nodes'>;

/** What an operator is told of a change; a reset tells nothing, since what it holds has happened before. */
export function describeChange(change: ViewChange, view: Names): Occurrence | undefined {
  const { revision } = change;
  switch (change.kind) {
    case 'network': {
      const network = (change.after ?? change.before)?.value;
      if (network === undefined) return undefined;
      if (change.before === undefined) {
        const subnets = network.subnets.map((subnet) => subnet.prefix).join(' ');
        const message = `network ${network.name} created: ${subnets}, VNI ${network.vni}, MTU ${network.mtu.bytes}`;
        return { kind: 'network.created', revision, network: network.name, message };
      }
      if (change.after === undefined)
        return { kind: 'network.deleted', revision, network: network.name, message: `network ${network.name} deleted` };
      const message = `network ${network.name} changed: MTU ${network.mtu.bytes}`;
      return { kind: 'network.changed', revision, network: network.name, message };
    }
    case 'endpoint':
      if (change.before === undefined && change.after !== undefined)
        return endpointEvent('attached', change.after.value, revision, view);
      if (change.before !== undefined && change.after === undefined)
        return endpointEvent('detached', change.before.value, revision, view);
      return undefined;
    case 'node': {
      const node = change.after?.value;
      if (node === undefined || change.before !== undefined) return undefined;
      const message = `host ${node.name} joined: VTEP ${node.dataPath}, underlay MTU ${node.underlayMtu}`;
      return { kind: 'node.joined', revision, host: node.name, message };
    }
    case 'leader': {
      const { leader } = change;
      const message = leader === undefined ? 'no manager leads' : `manager ${leader.name} (${leader.address}) leads`;
      return { kind: 'leader.changed', revision, message };
    }
    case 'cluster':
    case 'manager':
    case 'reset':
      return undefined;
    default:
      return assertNever(change);
  }
}

function endpointEvent(what: 'attached' | 'detached', endpoint: Endpoint, revision: bigint, view: Names): Occurrence {
  const network = view.networks.get(endpoint.network)?.value.name ?? endpoint.network;
  const host = view.nodes.get(endpoint.node)?.value.name ?? endpoint.node;
  const message = `${endpoint.name} ${endpoint.addresses.join(' ')} ${what} on ${host}`;
  return { kind: `endpoint.${what}`, revision, network, endpoint: endpoint.name, host, message };
}
