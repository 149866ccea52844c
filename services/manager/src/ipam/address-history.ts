import { type Ip, type NetworkId, parseRequestId } from '@causeway/model';
import type { AddressHolding } from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { View } from '../store/view.ts';

type Holders = Pick<View, 'networks' | 'nodes' | 'endpoint' | 'addressesOf'>;

/**
 * Who held an address, and when: from the events that name the address or end a network, oldest first, and from the
 * present claims. `network`: only in this network, by name or id; the network may be deleted.
 */
export function addressHistory(
  address: Ip,
  events: Iterable<Event>,
  view: Holders,
  network = '',
): readonly AddressHolding[] {
  const ownEvents = [...events].filter((event) => concerns(event, address));
  const networks = new Set([...ownEvents.map(({ networkId }) => networkId as NetworkId), ...view.networks.keys()]);
  return [...networks]
    .flatMap((id) => {
      const name =
        view.networks.get(id)?.value.name ?? ownEvents.find(({ networkId }) => networkId === id)?.network ?? id;
      if (network !== '' && network !== name && network !== id) return [];
      const ofNetwork = ownEvents.filter(({ networkId }) => networkId === id);
      return holdingsIn(id, address, ofNetwork, view);
    })
    .sort((a, b) => Number(a.fromMs - b.fromMs));
}

/** In one network an address has one holder at a time. */
function holdingsIn(id: NetworkId, address: Ip, events: readonly Event[], view: Holders): readonly AddressHolding[] {
  const past: AddressHolding[] = [];
  let open: AddressHolding | undefined;
  for (const event of events) {
    if (begins(event)) {
      open = holdingOf(event, address, { fromMs: event.timeMs, actor: event.actor });
    } else if (open !== undefined || event.kind !== 'network.deleted') {
      const holding = open ?? holdingOf(event, address, { fromMs: 0n, actor: '' });
      past.push({ ...holding, toMs: event.timeMs, released: releaserOf(event) });
      open = undefined;
    }
  }
  const now = open ?? presentHolding(id, address, view);
  return now === undefined ? past : [...past, now];
}

/** The present holder when no event names it: its time began before the oldest event that is kept. */
function presentHolding(id: NetworkId, address: Ip, view: Holders): AddressHolding | undefined {
  const claim = view.addressesOf(id).get(address)?.claim;
  const network = view.networks.get(id)?.value.name;
  if (network === undefined) return undefined; // the network is deleted, and its last claims are being removed
  const noHolder = {
    address,
    network,
    endpoint: '',
    host: '',
    purpose: '',
    fromMs: 0n,
    toMs: 0n,
    actor: '',
    released: '',
  };
  if (claim?.kind === 'reservation') return { ...noHolder, purpose: claim.purpose };
  const endpoint = claim?.kind === 'endpoint' ? view.endpoint(claim.endpoint)?.value : undefined;
  if (endpoint === undefined) return undefined;
  return { ...noHolder, endpoint: endpoint.name, host: view.nodes.get(endpoint.node)?.value.name ?? endpoint.node };
}

function holdingOf(event: Event, address: Ip, begun: Pick<AddressHolding, 'fromMs' | 'actor'>): AddressHolding {
  const { network, endpoint, host, purpose } = event;
  return { address, network, endpoint, host, purpose, ...begun, toMs: 0n, released: '' };
}

function concerns({ kind, addresses }: Event, address: Ip): boolean {
  return kind === 'network.deleted' || (holds.has(kind) && addresses.includes(address));
}

/** Kinds of events that change the holder of an address; true: the time of a holder begins. */
const holds: ReadonlyMap<string, boolean> = new Map([
  ['endpoint.attached', true],
  ['address.reserved', true],
  ['endpoint.detached', false],
  ['endpoint.orphaned', false],
  ['address.released', false],
]);

function begins({ kind }: Event): boolean {
  return holds.get(kind) ?? false;
}

/** Who released the address: the caller; or the manager, with the rule that made it do so. */
function releaserOf({ actor, cause }: Event): string {
  return parseRequestId(cause).ok ? actor : `${actor} (${cause})`;
}
