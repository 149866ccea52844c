import {
  Ip,
  isDriver,
  type Name,
  type Network,
  type NetworkId,
  Prefix,
  type Subnet,
  type UnknownDriver,
  Vni,
} from '@causeway/model';
import type { Network as NetworkMessage, Subnet as SubnetMessage } from '#gen/causeway/v1/types.js';

/** Conditions are filled in by the manager that knows them. */
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
    driver: network.driver,
    internal: network.internal,
    conditions: [],
    createdAtMs: BigInt(network.createdAt ?? 0),
  };
}

/** What hosts need of it: when it was made is not among that. From a manager, which only sends what it has validated: a value that does not parse is a defect and throws. A driver may be one of a later version. */
export function networkFromMessage(message: NetworkMessage): Network {
  return {
    id: message.id as NetworkId,
    name: message.name as Name,
    addressSpace: message.addressSpace as Name,
    vni: Vni(message.vni),
    mtu: { kind: message.mtuFixed ? 'fixed' : 'automatic', bytes: message.mtu },
    subnets: message.subnets.map(subnetFromMessage),
    labels: message.labels,
    driver: isDriver(message.driver) ? message.driver : (message.driver as UnknownDriver),
    internal: message.internal,
  };
}

function subnetToMessage({ prefix, gateway, ranges, auxAddresses }: Subnet): SubnetMessage {
  return { prefix, gateway: gateway ?? '', ranges: [...(ranges ?? [])], auxAddresses: { ...auxAddresses } };
}

function subnetFromMessage({ prefix, gateway, ranges, auxAddresses }: SubnetMessage): Subnet {
  const aux = Object.entries(auxAddresses).map(([name, ip]) => [name, Ip(ip)] as const);
  return {
    prefix: Prefix(prefix),
    ...(gateway === '' ? {} : { gateway: Ip(gateway) }),
    ...(ranges.length === 0 ? {} : { ranges: ranges.map(Prefix) }),
    ...(aux.length === 0 ? {} : { auxAddresses: Object.fromEntries(aux) }),
  };
}
