import type { NetnsIdentity } from '@causeway/datapath';
import { addressOf, CausewayError, type Endpoint, type Labels } from '@causeway/model';
import type { Sandbox } from '../disk/sandbox.ts';
import type { AttachSpec } from './attach-spec.ts';

/** How a request to attach relates to what this host has already. */
export type Standing =
  | { readonly kind: 'new' }
  /** Everything is done already: scripts and runtimes repeat their requests. */
  | { readonly kind: 'attached'; readonly sandbox: Sandbox }
  /**
   * An endpoint of this name is in another namespace. That namespace may be dead: the container may have been created
   * anew.
   */
  | { readonly kind: 'elsewhere'; readonly sandbox: Sandbox }
  | { readonly kind: 'differs'; readonly error: CausewayError };

/**
 * `namesakes`: the sandboxes of endpoints with the requested name. `networkName`: returns undefined while this host has no
 * table of the network.
 */
export function standingOf(
  spec: AttachSpec,
  identity: NetnsIdentity,
  namesakes: Iterable<Sandbox>,
  networkName: (sandbox: Sandbox) => string | undefined,
): Standing {
  for (const sandbox of namesakes) {
    const { endpoint } = sandbox;
    const network = networkName(sandbox);
    if (spec.network !== endpoint.network && spec.network !== network) continue;
    if (sandbox.identity !== identity) return { kind: 'elsewhere', sandbox };
    const ifname = sandbox.ifname === spec.ifname ? [] : [`its ifname is ${sandbox.ifname}, not ${spec.ifname}`];
    const refused = sandbox.refused === undefined ? [] : [`the managers refused it (${sandbox.refused})`];
    const { priority } = sandbox.gateway;
    const gateway =
      priority === spec.gatewayPriority ? [] : [`its gateway priority is ${priority}, not ${spec.gatewayPriority}`];
    const differs = [...ifname, ...gateway, ...mismatches(endpoint, spec), ...refused];
    if (differs.length === 0) return { kind: 'attached', sandbox };
    return { kind: 'differs', error: nameTakenHere(endpoint, network, differs) };
  }
  return { kind: 'new' };
}

/** How the endpoint differs from the request, in words. What the request does not name may have any value. */
export function mismatches({ addresses, labels = {} }: Endpoint, spec: AttachSpec): readonly string[] {
  const has = addresses.map(addressOf);
  const missing = spec.addresses.filter((ip) => !has.includes(ip));
  const asked = Object.keys(spec.labels).length > 0;
  return [
    ...(missing.length === 0 ? [] : [`its addresses are ${addresses.join(', ')}, without ${missing.join(', ')}`]),
    ...(asked && print(labels) !== print(spec.labels)
      ? [`its labels are ${print(labels) || 'none'}, not ${print(spec.labels)}`]
      : []),
  ];
}

/** The error when the name belongs to an endpoint of this host that differs from the request. */
export function nameTakenHere(
  endpoint: Endpoint,
  network: string | undefined,
  differs: readonly string[],
): CausewayError {
  const { id, name } = endpoint;
  const message = `name "${name}" is taken by an endpoint of network "${network ?? endpoint.network}" on this host, and ${differs.join('; ')}: choose another name, or detach that endpoint`;
  return new CausewayError('name-taken', message, { field: 'name', value: name, endpoint: id });
}

function print(labels: Labels): string {
  return Object.entries(labels)
    .sort()
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
