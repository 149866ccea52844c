import type {
  AddressHolding,
  CheckClaimsResponse,
  ClaimFault,
  Reservation,
  SubnetUse,
} from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { isoTime } from './time.ts';

const subnetColumns: readonly Heading[] = [
  { title: 'SUBNET' },
  { title: 'USED' },
  { title: 'RESERVED' },
  { title: 'COOLING' },
  { title: 'FREE' },
  { title: 'AUTOMATIC' },
  { title: 'RANGES', wide: true },
  { title: 'BY HOST', wide: true },
  { title: 'RESERVATIONS', wide: true },
];

const faultColumns: readonly Heading[] = [
  { title: 'FAULT' },
  { title: 'NETWORK' },
  { title: 'ADDRESS' },
  { title: 'HOLDERS' },
  { title: 'REPAIRED' },
];

export function subnetsAnswer(subnets: readonly SubnetUse[]): Answer {
  return {
    value: subnets.map(subnetValue),
    names: subnets.map(({ subnet }) => subnet),
    table: { kind: 'grid', columns: subnetColumns, rows: subnets.map(subnetRow) },
  };
}

export function reservationAnswer({ address, purpose, revision }: Reservation, network: string): Answer {
  return {
    value: { network, address, purpose, revision },
    names: [address],
    table: {
      kind: 'line',
      text: `address ${address} of network ${network} reserved for ${purpose}, revision ${revision}`,
    },
  };
}

export function faultsAnswer({ duplicates, orphans, missing }: CheckClaimsResponse): Answer {
  const all = [
    ...duplicates.map((fault) => ['duplicate', fault] as const),
    ...orphans.map((fault) => ['orphan', fault] as const),
    ...missing.map((fault) => ['missing', fault] as const),
  ];
  return {
    value: {
      duplicates: duplicates.map(faultValue),
      orphans: orphans.map(faultValue),
      missing: missing.map(faultValue),
    },
    names: all.map(([, fault]) => `${fault.network}/${thingOf(fault)}`),
    table:
      all.length === 0
        ? { kind: 'line', text: 'no faults: each claim has its owner, and each owner its claims' }
        : { kind: 'grid', columns: faultColumns, rows: all.map(([kind, fault]) => faultRow(kind, fault)) },
  };
}

/** All counts are strings of digits, also small counts: a /64 has more addresses than a JSON number can hold exactly. */
function subnetValue({ subnet, ranges, usedByHost, reservations, ...counts }: SubnetUse): object {
  return {
    subnet,
    ranges,
    used: counts.used,
    reserved: counts.reserved,
    cooling: counts.cooling,
    free: counts.free,
    automatic: counts.automatic,
    usedByHost,
    reservations: reservations.map(({ address, purpose, revision }) => ({ address, purpose, revision })),
  };
}

function subnetRow({ subnet, ranges, usedByHost, reservations, ...counts }: SubnetUse): Cell[] {
  const byHost = Object.entries(usedByHost).sort(([a], [b]) => (a < b ? -1 : 1));
  const { used, reserved, cooling, free, automatic } = counts;
  return [
    ...[subnet, used, reserved, cooling, free],
    automatic === '0' ? { text: automatic, tone: 'bad' } : automatic,
    ranges.join(' '),
    byHost.map(([host, n]) => `${host}=${n}`).join(' '),
    reservations.map(({ address, purpose }) => `${address} (${purpose})`).join(', '),
  ];
}

function faultValue({ network, address, vni, holders, repaired }: ClaimFault): object {
  return { network, ...(vni === 0 ? { address } : { vni }), holders, repaired };
}

/** The claimed thing: an address or a VNI. */
function thingOf({ address, vni }: ClaimFault): string {
  return vni === 0 ? address : `vni ${vni}`;
}

function faultRow(kind: string, fault: ClaimFault): Cell[] {
  const { network, holders, repaired } = fault;
  const mended: Cell = repaired ? { text: 'yes', tone: 'good' } : { text: 'no', tone: 'bad' };
  return [kind, network, thingOf(fault), holders.join(', '), mended];
}

export function historyAnswer(holdings: readonly AddressHolding[]): Answer {
  return {
    value: holdings.map(holdingValue),
    names: holdings.map(({ endpoint, purpose }) => endpoint || purpose),
    table: {
      kind: 'grid',
      columns: [
        { title: 'NETWORK' },
        { title: 'HOLDER' },
        { title: 'HOST' },
        { title: 'FROM' },
        { title: 'TO' },
        { title: 'ACTOR' },
        { title: 'RELEASED' },
      ],
      rows: holdings.map(({ network, endpoint, purpose, host, fromMs, toMs, actor, released }) => [
        network,
        endpoint || `reserved for ${purpose}`,
        host,
        fromMs === 0n ? '' : isoTime(fromMs),
        toMs === 0n ? '' : isoTime(toMs),
        actor,
        released,
      ]),
    },
  };
}

/**
 * null: unknown, because the claim is older than the stored events; or still held; or a reservation, which has no host.
 */
function holdingValue({
  address,
  network,
  endpoint,
  purpose,
  host,
  fromMs,
  toMs,
  actor,
  released,
}: AddressHolding): object {
  return {
    address,
    network,
    endpoint: endpoint || null,
    reservation: purpose || null,
    host: host || null,
    from: fromMs === 0n ? null : isoTime(fromMs),
    to: toMs === 0n ? null : isoTime(toMs),
    actor: actor || null,
    released: released || null,
  };
}
