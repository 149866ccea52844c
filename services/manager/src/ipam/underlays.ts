import { addressOf, CausewayError, contains, type Ip, lengthOf, type Node, Prefix, type Subnet } from '@causeway/model';
import { meet, type PrefixRange, prefixRange } from '../store/records/address-range.ts';
import type { View } from '../store/view.ts';

/**
 * Checks that subnets which a request names contain no address by which hosts reach each other: a container could not
 * reach both. Automatic subnets avoid every route of a host (`takeSubnets`); an operator who names a subnet is expected
 * to know the other routes.
 * @throws CausewayError underlay-overlap
 */
export function checkOffUnderlays(view: View, subnets: readonly Subnet[], field = 'subnets'): void {
  if (subnets.length === 0) return;
  const asked = subnets.map(({ prefix }) => prefixRange(prefix));
  for (const { value: node } of view.nodes.values()) {
    const around = rangeAround(node);
    const at = asked.findIndex((range) => meet(range, around));
    const subnet = subnets[at];
    if (subnet === undefined) continue;
    const underlay = around.prefix;
    const what = isOne(underlay)
      ? `the data path ${node.dataPath} of ${node.name}`
      : `${underlay}, the underlay of ${node.name}`;
    const message = `${field}[${at}] ${subnet.prefix} overlaps ${what}: choose another subnet, or use force`;
    throw new CausewayError('underlay-overlap', message, {
      field: `${field}[${at}]`,
      value: subnet.prefix,
      host: node.name,
    });
  }
}

/** The narrowest route of the host that contains its VTEP; without such a route, the VTEP alone. */
export function underlayOf({ dataPath, hostRoutes = [] }: Pick<Node, 'dataPath' | 'hostRoutes'>): Prefix {
  const around = hostRoutes.filter((route) => contains(route, dataPath));
  return around.reduce(
    (best, route) => (lengthOf(route) > lengthOf(best) ? route : best),
    around[0] ?? alone(dataPath),
  );
}

/** The range of each host's underlay, cached: a check against thousands of hosts parses nothing. */
const ranges = new WeakMap<Node, PrefixRange>();

function rangeAround(node: Node): PrefixRange {
  const known = ranges.get(node);
  if (known !== undefined) return known;
  const made = prefixRange(underlayOf(node));
  ranges.set(node, made);
  return made;
}

function alone(ip: Ip): Prefix {
  return Prefix(`${ip}/${ip.includes(':') ? 128 : 32}`);
}

function isOne(prefix: Prefix): boolean {
  return prefix === alone(addressOf(prefix));
}
