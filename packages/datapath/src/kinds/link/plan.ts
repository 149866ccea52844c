import { family } from '@causeway/model';
import { isOurEnd, isOurLink } from '../../owner.ts';
import type { NetnsPath, State } from '../../state.ts';
import type { Step, ValueDifference } from '../kind.ts';
import type { Place } from '../table.ts';
import type { Link, LinkChange, LinkOp, Veth } from './link.ts';

/**
 * Deletes links that are not desired, also in namespaces that will be deleted. Makes links that are absent or cannot be
 * changed.
 */
export function makeLinks(actual: State, desired: State): readonly Step<LinkOp>[] {
  const extra = [...actual].flatMap(([netns, { links }]) =>
    [...links.values()]
      .filter(({ name }) => isOurLink(netns) && desired.get(netns)?.links.has(name) !== true)
      .map((link) => removal(netns, link)),
  );
  const missing = [...desired].flatMap(([netns, { links }]) =>
    [...links.values()].flatMap((link) => makeSteps(actual, desired, netns, link)),
  );
  return [...extra, ...missing];
}

function removal(netns: NetnsPath, { kind, name }: Link): Step<LinkOp> {
  // A tunnel under another name holds the VNI that the desired tunnel needs.
  return [kind === 'vxlan' ? 'delete link in the way' : 'delete link', { op: 'link.delete', netns, name }];
}

function makeSteps(actual: State, desired: State, netns: NetnsPath, link: Link): Step<LinkOp>[] {
  // The container's end is made together with the host's end.
  if (link.kind === 'foreign' || (link.kind === 'veth' && link.peer === undefined)) return [];
  const found = actual.get(netns)?.links.get(link.name);
  const far = link.kind === 'veth' ? farEnd(actual, desired, link) : undefined;
  const whole = found !== undefined && canBecome(found, link) && far?.whole !== false;
  if (whole) return [];
  const add: Step<LinkOp> = [link.kind === 'bridge' ? 'add bridge' : 'add link', { op: 'link.add', netns, link }];
  const inTheWay = [...(found === undefined ? [] : [{ netns, name: link.name }]), ...(far?.inTheWay ?? [])];
  return [...inTheWay.map((end): Step<LinkOp> => ['delete link in the way', { op: 'link.delete', ...end }]), add];
}

/** The container's end of a pair: whether it is there, and which link would hinder a new one. */
function farEnd(
  actual: State,
  desired: State,
  { peer }: Veth,
): { whole: boolean; inTheWay: { netns: NetnsPath; name: string }[] } | undefined {
  if (peer === undefined || !desired.has(peer.netns)) return undefined;
  const found = actual.get(peer.netns)?.links.get(peer.name);
  const inTheWay = found !== undefined && isOurEnd(found, peer) ? [{ netns: peer.netns, name: peer.name }] : [];
  return { whole: found?.kind === 'veth', inTheWay };
}

/** False where the kernel cannot change the link: another kind; for a tunnel another VNI, family or ports. */
function canBecome(found: Link, desired: Link): boolean {
  if (found.kind !== 'vxlan' || desired.kind !== 'vxlan') return found.kind === desired.kind;
  const samePorts = found.port === desired.port && found.sourcePort === desired.sourcePort;
  return found.vni === desired.vni && samePorts && family(found.local) === family(desired.local);
}

/** The steps that change the found link into the desired link. */
export function changeLink(
  netns: NetnsPath,
  { key: name, actual, desired }: ValueDifference<string, Link>,
): Step<LinkOp>[] {
  if (actual === undefined || desired === undefined) return [];
  const change: LinkChange = {
    ...(actual.mac !== desired.mac && { mac: desired.mac }),
    ...(actual.mtu !== desired.mtu && { mtu: desired.mtu }),
    ...localChange(actual, desired),
  };
  const steps: Step<LinkOp>[] = [];
  if (Object.keys(change).length > 0) {
    steps.push([changePlace(actual, desired), { op: 'link.set', netns, name, change }]);
  }
  if (!actual.up && desired.up) {
    steps.push(['set link up', { op: 'link.set', netns, name, change: { up: true } }]);
  }
  return steps;
}

/** The container's end is the only veth that is not a port. */
function changePlace(actual: Link, desired: Link): Place {
  if (desired.kind !== 'veth' || desired.peer !== undefined) return 'change link';
  if (desired.mtu < actual.mtu) return 'shrink container';
  return desired.mtu > actual.mtu ? 'grow container' : 'change link';
}

function localChange(actual: Link, desired: Link): LinkChange {
  if (actual.kind !== 'vxlan' || desired.kind !== 'vxlan' || actual.local === desired.local) return {};
  return { local: desired.local };
}
