import { family, type Ip, macForIp, type Network, type Subnet } from '@causeway/model';
import type { Keys } from '../store/keys.ts';
import type { Claim } from '../store/records/claim.ts';
import { encodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';

export interface ClaimWrite {
  readonly key: string;
  readonly value: Uint8Array;
}

/** The claim of the network's name: no other network has it. */
export function nameClaim({ id, name }: Network, keys: Keys): ClaimWrite {
  return { key: keys.networkName(name), value: encodeText(id) };
}

/** The claim of the network's VNI: no other network has it. `asked`: the request asked for this VNI. */
export function vniClaim({ id, vni }: Network, keys: Keys, asked: boolean): ClaimWrite {
  return { key: keys.vni(vni), value: records.vni.codec.encode({ kind: 'network', network: id, asked }) };
}

/** Each subnet's own key: no other network of the address space has it. */
export function subnetClaims(
  { id, addressSpace }: Network,
  subnets: readonly Subnet[],
  keys: Keys,
): readonly ClaimWrite[] {
  return subnets.map(({ prefix }) => ({ key: keys.pool(addressSpace, prefix), value: encodeText(id) }));
}

/**
 * Claims of the gateways and auxiliary addresses of subnets, so that no endpoint gets them. An Ethernet address is made
 * from only a part of an IPv6 address, so the Ethernet address of an IPv6 gateway is claimed, too.
 */
export function addressClaims({ id }: Network, subnets: readonly Subnet[], keys: Keys): readonly ClaimWrite[] {
  const gateways = subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const macs = new Set(gateways.filter((ip) => family(ip) === 6).map(macForIp));
  const gateway: Claim = { kind: 'gateway' };
  const held = (ip: Ip, holder: Claim): ClaimWrite => ({
    key: keys.address(id, ip),
    value: records.address.codec.encode(holder),
  });
  return [
    ...gateways.map((ip) => held(ip, gateway)),
    ...subnets.flatMap(({ auxAddresses = {} }) =>
      Object.entries(auxAddresses).map(([name, ip]) => held(ip, { kind: 'aux', name })),
    ),
    ...[...macs].map((mac) => ({ key: keys.mac(id, mac), value: records.address.codec.encode(gateway) })),
  ];
}

/** Whether endpoints of the network get no IPv4 address. Then each endpoint claims its Ethernet address, too. */
export function claimsMacs(network: Network): boolean {
  return network.subnets.every(({ prefix }) => prefix.includes(':'));
}
