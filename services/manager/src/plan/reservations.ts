import { CausewayError, clip, Ip, type Network } from '@causeway/model';
import { addressReleased, addressReserved } from '../events/describe.ts';
import { describeHolder } from '../ipam/choose-addresses.ts';
import type { Claim } from '../store/records/claim.ts';
import { text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import { noOutcome, type Planning, type Proposal, type Request } from './intent.ts';

/** Longest purpose, in characters. It keeps claims small and is enough for a sentence. */
const longestPurpose = 128;

interface ReserveAddress {
  /** Name or id. */
  readonly network: string;
  /** Absent: the next free address of the first subnet that has a free address. */
  readonly address?: Ip;
  readonly purpose: string;
}

interface ReleaseAddress {
  /** Name or id. */
  readonly network: string;
  readonly address: Ip;
}

interface Reserved {
  readonly address: Ip;
  readonly purpose: string;
}

/**
 * Keeps an address from being given to an endpoint.
 * @throws from its check: invalid-argument; from its plan: network-unknown, address-outside, address-reserved, address-in-use, address-exhausted
 */
export function reserveAddress(request: ReserveAddress): Request<Reserved> {
  return {
    kind: 'ipam.reserve',
    content: JSON.stringify(request),
    outcome: {
      toJson: ({ address, purpose }) => ({ address, purpose }),
      fromJson: (json) => ({ address: Ip(text(json, 'address')), purpose: text(json, 'purpose') }),
    },
    check: () => checkPurpose(request.purpose),
    plan: (planning) => planReserveAddress(request, planning),
  };
}

/** @throws from its plan: network-unknown, reservation-unknown, address-in-use, address-reserved */
export function releaseAddress(request: ReleaseAddress): Request<void> {
  return {
    kind: 'ipam.release',
    content: JSON.stringify(request),
    outcome: noOutcome,
    plan: (planning) => planReleaseAddress(request, planning),
  };
}

function planReserveAddress(request: ReserveAddress, planning: Planning): Proposal<Reserved> {
  const { view, keys } = planning;
  const { value: network, revision } = view.findNetwork(request.network);
  const { purpose } = request;
  const address = request.address === undefined ? nextFree(network, planning) : request.address;
  checkFree(network, address, planning);
  const key = keys.address(network.id, address);
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: revision },
      { kind: 'absent', key },
    ],
    writes: [{ kind: 'put', key, value: records.address.codec.encode({ kind: 'reservation', purpose }) }],
    takes: [{ kind: 'addr', network: network.id, ip: address }],
    events: [addressReserved(network, address, purpose)],
    reply: { address, purpose },
  };
}

function planReleaseAddress({ network: name, address }: ReleaseAddress, planning: Planning): Proposal<void> {
  const { view, keys } = planning;
  const network = view.findNetwork(name).value;
  const claimed = view.addressesOf(network.id).get(address);
  if (claimed?.claim.kind !== 'reservation') throw notReserved(network, address, claimed?.claim, planning);
  const key = keys.address(network.id, address);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: claimed.revision }],
    writes: [{ kind: 'delete', key }],
    takes: [],
    events: [addressReleased(network, address, claimed.claim.purpose)],
    reply: undefined,
  };
}

function checkPurpose(purpose: string): void {
  const field = 'purpose';
  if (purpose.trim() === '') {
    const message = 'purpose is empty: name what the address is for, such as "printer in room 4"';
    throw new CausewayError('invalid-argument', message, { field });
  }
  if (purpose.length > longestPurpose || /\p{Cc}/u.test(purpose)) {
    const message = `purpose "${clip(purpose)}" is not valid: expected at most ${longestPurpose} printable characters`;
    throw new CausewayError('invalid-argument', message, { field });
  }
}

function nextFree(network: Network, { allocator }: Planning): Ip {
  for (const subnet of allocator.subnetsOf(network)) for (const ip of subnet.inTurn()) return ip;
  const message = `network "${network.name}" has no free address to reserve: add a subnet or a range`;
  throw new CausewayError('address-exhausted', message, { network: network.name });
}

/** An address that a pending proposal claims is not refused: the store decides which proposal gets the address. */
function checkFree(network: Network, address: Ip, { view, allocator }: Planning): void {
  const data = { field: 'address', value: address, network: network.name };
  const subnet = allocator.subnetsOf(network).find((candidate) => candidate.contains(address));
  if (subnet === undefined) {
    const subnets = network.subnets.map(({ prefix }) => prefix).join(', ');
    const message = `address ${address} is outside of network "${network.name}": use an address of ${subnets}`;
    throw new CausewayError('address-outside', message, data);
  }
  const reservation = subnet.reservation(address);
  if (reservation !== undefined) {
    const message = `address ${address} is the ${reservation} of ${subnet.prefix}, which no endpoint gets: a reservation is not needed`;
    throw new CausewayError('address-reserved', message, data);
  }
  const holder = view.addressesOf(network.id).get(address)?.claim;
  if (holder === undefined) return;
  throw new CausewayError(
    'address-in-use',
    `address ${address} is ${describeHolder(view, holder)}: reserve another address`,
    data,
  );
}

function notReserved(network: Network, address: Ip, claim: Claim | undefined, { view }: Planning): CausewayError {
  const data = { field: 'address', value: address, network: network.name };
  if (claim?.kind === 'endpoint') {
    const message = `address ${address} is ${describeHolder(view, claim)}: detach the endpoint`;
    return new CausewayError('address-in-use', message, data);
  }
  const message = `address ${address} of network "${network.name}" is not reserved: \`causeway ipam show ${network.name} -o json\` lists the reservations`;
  return new CausewayError('reservation-unknown', message, data);
}
