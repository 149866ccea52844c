import type { Mtu, Network, Subnet } from '@causeway/model';

/** The differences between two versions of a network, in words: "MTU 1450 -> 1400", "subnet 10.1.0.0/24 added". */
export function changesOf(before: Network, after: Network): readonly string[] {
  return [
    ...(before.name === after.name ? [] : [`name ${before.name} -> ${after.name}`]),
    ...driverChanges(before, after),
    ...(printMtu(before.mtu) === printMtu(after.mtu) ? [] : [`MTU ${printMtu(before.mtu)} -> ${printMtu(after.mtu)}`]),
    ...subnetChanges(before.subnets, after.subnets),
    ...labelChanges(before.labels, after.labels),
  ];
}

/** For example "10.1.0.0/16 gateway 10.1.0.1 ranges 10.1.2.0/24 aux router=10.1.0.9". */
export function printSubnet({ prefix, gateway, ranges, auxAddresses = {} }: Subnet): string {
  const aux = Object.entries(auxAddresses).map(([name, ip]) => `${name}=${ip}`);
  return [
    prefix,
    ...(gateway === undefined ? [] : [`gateway ${gateway}`]),
    ...(ranges === undefined ? [] : [`ranges ${ranges.join(' ')}`]),
    ...(aux.length === 0 ? [] : [`aux ${aux.join(' ')}`]),
  ].join(' ');
}

function driverChanges(before: Network, after: Network): readonly string[] {
  const [was, is] = [before, after].map(({ driver, change }) => change?.to ?? driver);
  return [
    ...(before.driver === after.driver ? [] : [`driver ${before.driver} -> ${after.driver}`]),
    ...(was === is || is === after.driver ? [] : [`it is to become ${is}`]),
  ];
}

function subnetChanges(before: readonly Subnet[], after: readonly Subnet[]): readonly string[] {
  const had = new Map(before.map((subnet) => [subnet.prefix, printSubnet(subnet)]));
  const has = new Map(after.map((subnet) => [subnet.prefix, printSubnet(subnet)]));
  return [
    ...[...has].flatMap(([prefix, text]) => {
      const was = had.get(prefix);
      if (was === undefined) return [`subnet ${text} added`];
      return was === text ? [] : [`subnet ${was} -> ${text}`];
    }),
    ...[...had].filter(([prefix]) => !has.has(prefix)).map(([, text]) => `subnet ${text} removed`),
  ];
}

function labelChanges(before: Network['labels'], after: Network['labels']): readonly string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [before[key], after[key]];
    if (was === is) return [];
    if (was === undefined) return [`label ${key}=${is} added`];
    return is === undefined ? [`label ${key}=${was} removed`] : [`label ${key}=${was} -> ${is}`];
  });
}

function printMtu({ kind, bytes }: Mtu): string {
  return kind === 'fixed' ? `${bytes} (fixed)` : `${bytes}`;
}
