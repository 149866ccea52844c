import { Ip, type Name, type Network, type NetworkId, Prefix, type Subnet, Vni } from '@causeway/model';
import type { Network as NetworkMessage, Subnet as SubnetMessage } from '#gen/causeway/v1/types.js';

export function networkToMessage(network: Network, revision: bigint): NetworkMessage {
  return {
    id: network.id,
    name: network.name,
    addressSpace: network.addressSpace,
    vni: network.vni,
    mtu: network.mtu.bytes,
    mtuFixed: network.mtu.kind === 'fixed',
    subnets: network.subnets.map(subnetToMessage),
    labels: { ...network.labels },
    revision,
  };
}

/** From a manager, which only sends what it has validated: a value that does not parse is a defect and throws. */
export function networkFromMessage(message: NetworkMessage): Network {
  return {
    id: message.id as NetworkId,
    name: message.name as Name,
    addressSpace: message.addressSpace as Name,
    vni: Vni(message.vni),
    mtu: { kind: message.mtuFixed ? 'fixed' : 'automatic', bytes: message.mtu },
    subnets: message.subnets.map(subnetFromMessage),
    labels: message.labels,
  };
}

function subnetToMessage(subnet: Subnet): SubnetMessage {
  return { prefix: subnet.prefix, gateway: subnet.gateway ?? '' };
}

function subnetFromMessage(message: SubnetMessage): Subnet {
  const prefix = Prefix(message.prefix);
  return message.gateway === '' ? { prefix } : { prefix, gateway: Ip(message.gateway) };
}
