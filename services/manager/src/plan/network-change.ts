import {
  CausewayError,
  checkLabels,
  type Labels,
  type Mtu,
  type Name,
  type Network,
  overlaps,
  type Prefix,
  type SteadyDriver,
  type Subnet,
} from '@causeway/model';
import { checkRanges, type GatewayRule, isWithin } from '../ipam/subnet.ts';
import { SubnetAddresses } from '../ipam/subnet-addresses.ts';
import { completeSubnets } from '../ipam/subnets.ts';
import type { View } from '../store/view.ts';
import { needsEspNow, towards } from './change-driver.ts';
import { afterMtu, automaticMtu, fixedMtu, isTooSmall } from './mtu.ts';

/** The requested changes of a network. An absent field stays as it is. */
export interface NetworkChange {
  readonly name?: Name;
  readonly setLabels: Labels;
  readonly removeLabels: readonly string[];
  readonly addSubnets: readonly Subnet[];
  /** Which of the added subnets get a gateway; an internal network has none. */
  readonly gateways: GatewayRule;
  readonly removeSubnets: readonly Prefix[];
  readonly addRanges: readonly Prefix[];
  readonly mtu?: number | 'automatic';
  /** The network is to have this driver, step by step. */
  readonly driver?: SteadyDriver;
  /** Accept an MTU that some hosts cannot carry, and a subnet that overlaps an underlay. Absent: refuse them. */
  readonly force?: true;
}

/**
 * The network after the change.
 * @throws CausewayError invalid-argument, subnet-unknown, subnet-missing, range-outside, range-overlap, mtu-invalid, and
 * what `completeSubnets` and `checkLabels` throw
 */
export function changeNetwork(network: Network, change: NetworkChange, view: View): Network {
  const kept = without(network, change);
  const gateways = network.internal ? 'none' : change.gateways;
  const added = completeSubnets(change.addSubnets, gateways, { field: 'add_subnets', beside: kept });
  const subnets = withRanges([...kept, ...added], change);
  const changing = change.driver === undefined ? network : towards(network, change.driver);
  return {
    ...changing,
    name: change.name ?? network.name,
    subnets,
    labels: labelsOf(network, change),
    mtu: mtuOf(network, changing, change, subnets, view),
  };
}

function without({ subnets, name }: Network, change: NetworkChange): readonly Subnet[] {
  const { removeSubnets: removed, addSubnets } = change;
  for (const [i, prefix] of removed.entries()) {
    if (subnets.some((subnet) => subnet.prefix === prefix)) continue;
    if (addSubnets.some((subnet) => subnet.prefix === prefix)) {
      const message = `remove_subnets[${i}] ${prefix} is both added and removed, and no subnet of network "${name}" yet: leave it out of both`;
      throw new CausewayError('subnet-unknown', message, { field: `remove_subnets[${i}]`, value: prefix });
    }
    const known = subnets.map((subnet) => subnet.prefix).join(', ');
    const message = `remove_subnets[${i}] ${prefix} is not a subnet of network "${name}", which has ${known}`;
    throw new CausewayError('subnet-unknown', message, { field: `remove_subnets[${i}]`, value: prefix });
  }
  return subnets.filter(({ prefix }) => !removed.includes(prefix));
}

function withRanges(
  subnets: readonly Subnet[],
  { addRanges, removeSubnets }: Pick<NetworkChange, 'addRanges' | 'removeSubnets'>,
): readonly Subnet[] {
  return addRanges.reduce((now, range, i) => {
    const field = `add_ranges[${i}]`;
    const leaving = now.some(({ prefix }) => isWithin(range, prefix))
      ? undefined
      : removeSubnets.find((prefix) => isWithin(range, prefix));
    if (leaving === undefined) return withRange(now, range, field);
    const message = `${field} ${range} lies in ${leaving}, which the same request removes: do one of the two`;
    throw new CausewayError('range-outside', message, { field, value: range });
  }, subnets);
}

/** A new range replaces the existing ranges inside it. So a range can grow. */
function withRange(subnets: readonly Subnet[], range: Prefix, field: string): readonly Subnet[] {
  const home = subnets.find(({ prefix }) => isWithin(range, prefix));
  if (home === undefined) {
    const message = `${field} ${range} lies in none of ${subnets.map(({ prefix }) => prefix).join(', ')}`;
    throw new CausewayError('range-outside', message, { field, value: range });
  }
  const cover = home.ranges === undefined ? home.prefix : home.ranges.find((known) => isWithin(range, known));
  if (cover !== undefined) {
    const message = `${field} ${range} changes nothing: automatic addresses come from all of ${cover} already`;
    throw new CausewayError('range-overlap', message, { field, value: range });
  }
  const { prefix, gateway, ranges = [] } = home;
  const grown = { ...home, ranges: [...ranges.filter((known) => !overlaps(known, range)), range] };
  const addresses = new SubnetAddresses(prefix, gateway === undefined ? {} : { gateway });
  checkRanges(grown.ranges, addresses, field, () => field); // the other ranges are valid: they were checked before
  return subnets.map((subnet) => (subnet === home ? grown : subnet));
}

function labelsOf({ labels }: Network, { setLabels, removeLabels }: NetworkChange): Readonly<Record<string, string>> {
  const both = removeLabels.find((key) => Object.hasOwn(setLabels, key));
  if (both !== undefined) {
    const message = `label "${both}" is both set and removed: do one of the two`;
    throw new CausewayError('invalid-argument', message, { field: 'remove_labels', value: both });
  }
  const changed = Object.entries({ ...labels, ...setLabels }).filter(([key]) => !removeLabels.includes(key));
  const next = Object.fromEntries(changed.sort(([a], [b]) => (a < b ? -1 : 1)));
  checkLabels(next);
  return next;
}

/** `changing`: with the driver after the change. */
function mtuOf(
  network: Network,
  changing: Network,
  { mtu: asked }: NetworkChange,
  subnets: readonly Subnet[],
  view: View,
): Mtu {
  const next = nextMtu(changing, asked, subnets, view);
  const isForEsp = asked === undefined && needsEspNow(network, changing) && network.mtu.kind === 'automatic';
  const most = isForEsp ? automaticMtu(view, { driver: changing.driver, subnets }) : next;
  const chosen = most.bytes < next.bytes ? most : next;
  return chosen === network.mtu ? chosen : afterMtu(network.mtu, chosen);
}

/** An automatic MTU stays, since interfaces have it. It changes only if a new IPv6 subnet needs a larger one. */
function nextMtu({ driver, mtu }: Network, asked: NetworkChange['mtu'], subnets: readonly Subnet[], view: View): Mtu {
  if (typeof asked === 'number') return fixedMtu(asked, subnets);
  if (asked === 'automatic') return automaticMtu(view, { driver, subnets });
  if (mtu.kind === 'fixed') return fixedMtu(mtu.bytes, subnets);
  return isTooSmall(mtu, subnets) ? automaticMtu(view, { driver, subnets }) : mtu;
}
