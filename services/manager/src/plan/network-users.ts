import { CausewayError, contains, type ErrorCode, type Ip, type Network, type Prefix } from '@causeway/model';
import { printClaim } from '../store/records/claim.ts';
import type { View } from '../store/view.ts';

/** Most users that a refusal names. */
const named = 10;

/** The users of a network, in words: endpoints with their hosts, and reserved addresses. */
interface NetworkUsers {
  readonly endpoints: readonly string[];
  readonly reservations: readonly string[];
}

/** `within`: only users with an address in one of these prefixes; absent: all users of the network. */
export function usersOf(view: View, network: Network, within?: readonly Prefix[]): NetworkUsers {
  const endpoints = new Set<string>();
  const reservations: string[] = [];
  const isWithin = (ip: Ip): boolean => within === undefined || within.some((prefix) => contains(prefix, ip));
  for (const [ip, { claim }] of view.addressesOf(network.id)) {
    if ((claim.kind !== 'endpoint' && claim.kind !== 'reservation') || !isWithin(ip)) continue;
    if (claim.kind === 'reservation') reservations.push(`${ip}, ${printClaim(claim)}`);
    else endpoints.add(describe(view, claim.endpoint));
  }
  return { endpoints: [...endpoints], reservations };
}

/** @throws CausewayError with `code` if there are users. `what`: for example "network "blue""; `remedy`: what would help */
export function refuseUsers(
  { endpoints, reservations }: NetworkUsers,
  refusal: { readonly code: ErrorCode; readonly what: string; readonly remedy: string; readonly field: string },
): void {
  const all = [...endpoints, ...reservations];
  if (all.length === 0) return;
  const users = all.slice(0, named).join('; ');
  const more = all.length > named ? `; and ${all.length - named} more` : '';
  const counts = [count(endpoints.length, 'endpoint'), count(reservations.length, 'reservation')].filter(Boolean);
  const message = `${refusal.what} has ${counts.join(' and ')}: ${refusal.remedy} (${users}${more})`;
  throw new CausewayError(refusal.code, message, {
    field: refusal.field,
    users,
    endpoints: endpoints.length,
    reservations: reservations.length,
  });
}

function describe(view: View, id: Parameters<View['endpoint']>[0]): string {
  const endpoint = view.endpoint(id)?.value;
  if (endpoint === undefined) return id;
  return `${endpoint.name} on ${view.nodes.get(endpoint.node)?.value.name ?? endpoint.node}`;
}

function count(n: number, noun: string): string {
  if (n === 0) return '';
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`;
}
