import type { Bridge, BridgePort, FdbTarget, ForeignLink, Link, Route, Veth, Vxlan } from './state.ts';

/*
 * When two things of a kind are the same. Each kind lists its properties as a whole: a property that is added to a kind
 * does not compile before it is said here whether it counts.
 */

/** undefined: it is compared elsewhere, or not at all, as the comment says. */
type Same<Of> = { readonly [Property in keyof Required<Of>]: ((a: Of, b: Of) => boolean) | undefined };

function by<Of, Property extends keyof Of>(property: Property): (a: Of, b: Of) => boolean {
  return (a, b) => a[property] === b[property];
}

/** The name is the key. */
const base = {
  kind: undefined,
  name: undefined,
  mac: by<Link, 'mac'>('mac'),
  mtu: by<Link, 'mtu'>('mtu'),
  up: by<Link, 'up'>('up'),
};

const bridge: Same<Bridge> = base;
const foreign: Same<ForeignLink> = base;
/** Ports are compared by themselves; `peer` is not found in a kernel. */
const veth: Same<Veth> = { ...base, bridgePort: undefined, peer: undefined };
const vxlan: Same<Vxlan> = { ...base, vni: by('vni'), port: by('port'), local: by('local'), bridgePort: undefined };
const port: Same<BridgePort> = { master: by('master'), learning: by('learning'), flood: by('flood') };
const route: Same<Route> = { dst: by('dst'), gateway: by('gateway'), dev: by('dev'), metric: by('metric') };

function same<Of>(properties: Same<Of>, a: Of, b: Of): boolean {
  for (const property in properties) if (properties[property]?.(a, b) === false) return false;
  return true;
}

/** In themselves, not as ports of a bridge. */
export function sameLink(a: Link, b: Link): boolean {
  if (a.kind === 'vxlan' && b.kind === 'vxlan') return same(vxlan, a, b);
  if (a.kind === 'veth' && b.kind === 'veth') return same(veth, a, b);
  if (a.kind === 'bridge' && b.kind === 'bridge') return same(bridge, a, b);
  if (a.kind === 'foreign' && b.kind === 'foreign') return same(foreign, a, b);
  return false;
}

export function samePort(a: BridgePort, b: BridgePort): boolean {
  return same(port, a, b);
}

export function sameRoute(a: Route, b: Route): boolean {
  return same(route, a, b);
}

/** Of several VTEPs the order is the kernel's. */
export function sameTarget(a: FdbTarget, b: FdbTarget): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  const [some, others] = [new Set([a].flat()), new Set([b].flat())];
  return some.size === others.size && [...some].every((target) => others.has(target));
}
