import {
  Ip,
  isDriver,
  isKnown,
  type Name,
  type NetworkId,
  Prefix,
  type SentNetwork,
  type Subnet,
  type UnknownDriver,
  Vni,
} from '@causeway/model';
import type { Network as NetworkMessage, Subnet as SubnetMessage } from '#gen/causeway/v1/types.js';

/** The manager adds the conditions. */
export function networkToMessage(network: SentNetwork, revision: bigint): NetworkMessage {
  return {
    id: network.id,
    name: network.name,
    addressSpace: network.addressSpace,
    vni: isKnown(network) ? network.vni : network.sentVni,
    mtu: network.mtu.bytes,
    mtuFixed: network.mtu.kind === 'fixed',
    subnets: network.subnets.map(subnetToMessage),
    labels: { ...network.labels },
    revision,
    driver: network.driver,
    internal: network.internal,
    conditions: [],
    createdAtMs: BigInt(network.createdAt ?? 0),
    encrypted: network.driver === 'encrypted-overlay',
    becomes: network.change?.to ?? '',
  };
}

/**
 * The part of a network that hosts need, without the time it was made. Managers send only validated values: a value that
 * does not parse is a defect and throws. The driver may be unknown, from a later version.
 */
export function networkFromMessage(message: NetworkMessage): SentNetwork {
  const { driver, vni } = message;
  const common = {
    id: message.id as NetworkId,
    name: message.name as Name,
    addressSpace: message.addressSpace as Name,
    mtu: { kind: message.mtuFixed ? 'fixed' : 'automatic', bytes: message.mtu },
    subnets: message.subnets.map(subnetFromMessage),
    labels: message.labels,
    internal: message.internal,
  } as const;
  if (isDriver(driver)) return { ...common, driver, vni: Vni(vni) };
  return { ...common, driver: driver as UnknownDriver, sentVni: vni };
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
