import type { EndpointRow } from './endpoint.ts';
import type { Network } from './network.ts';

/**
 * What two sides compare to see whether they hold the same table of a network: the sum mod 2^64 of one hash per row, so
 * it is kept up to date by adding and subtracting single rows, in any order. It finds loss and damage, not malice.
 */
export function rowDigest(row: EndpointRow): bigint {
  return hash64([row.id, row.name, row.node, row.addresses.join(','), row.mac, row.vtep].join('|'));
}

/** The network's own part of the digest: everything of it that a host programs. */
export function networkDigest(network: Network): bigint {
  const subnets = network.subnets.map((subnet) => `${subnet.prefix}@${subnet.gateway ?? ''}`).join(',');
  return hash64([network.id, network.name, network.vni, network.mtu.bytes, subnets].join('|'));
}

export function addDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum + part);
}

export function removeDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum - part);
}

/** Two 32-bit multiply-xorshift lanes over the text's UTF-16 units; the constants are odd and unrelated. */
function hash64(text: string): bigint {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (BigInt(b >>> 0) << 32n) | BigInt(a >>> 0);
}
