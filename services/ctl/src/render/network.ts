import { type NetworkId, networkNamespace } from '@causeway/model';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer, Cell, Heading, Sheet } from '../answer.ts';
import { conditionFields, conditionsCell, conditionValues } from './condition.ts';
import { pairsText } from './pairs.ts';
import { ageCell, createdCell, timeValue } from './time.ts';
import type { Shown } from './watch.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'VNI' },
  { title: 'MTU' },
  { title: 'SUBNETS' },
  { title: 'AGE' },
  { title: 'GATEWAYS', wide: true },
  { title: 'SPACE', wide: true },
  { title: 'LABELS', wide: true },
  { title: 'CONDITIONS', wide: true },
  { title: 'NAMESPACE', wide: true },
  { title: 'ID', wide: true },
  { title: 'REVISION', wide: true },
];

/** For watches. */
export const shownNetwork: Shown<Network> = {
  columns: [
    { title: 'NAME', width: 16 },
    { title: 'VNI', width: 8 },
    { title: 'MTU', width: 5 },
    { title: 'SUBNETS', width: 28 },
    { title: 'LABELS' },
  ],
  name: ({ name }) => name,
  value: networkValue,
  row: ({ name, vni, mtu, subnets, labels }) => [
    name,
    String(vni),
    String(mtu),
    subnets.map(({ prefix }) => prefix).join(', '),
    pairsText(labels),
  ],
};

/** `now`: the wall clock in Unix milliseconds, as everywhere in this file. */
export function networkAnswer(network: Network, now: number): Answer {
  return { value: networkValue(network), names: [network.name], table: sheet(network, now) };
}

/** Includes the conditions. */
export function fullNetworkAnswer(network: Network, now: number): Answer {
  return { ...networkAnswer(network, now), value: fullValue(network) };
}

export function networksAnswer(networks: readonly Network[], now: number): Answer {
  return {
    value: networks.map(fullValue),
    names: networks.map((network) => network.name),
    table: { kind: 'grid', columns, rows: networks.map((network) => row(network, now)) },
  };
}

/** A network of a dry run has no revision. */
function networkValue(network: Network): object {
  return {
    id: network.id,
    name: network.name,
    namespace: networkNamespace(network.id as NetworkId),
    vni: network.vni,
    mtu: network.mtu,
    mtuFixed: network.mtuFixed,
    addressSpace: network.addressSpace,
    driver: network.driver,
    internal: network.internal,
    encrypted: network.encrypted,
    becomes: network.becomes === '' ? null : network.becomes,
    subnets: network.subnets.map(({ prefix, gateway, ranges, auxAddresses }) => ({
      prefix,
      gateway: gateway === '' ? null : gateway,
      ranges,
      auxAddresses,
    })),
    labels: network.labels,
    createdAt: timeValue(network.createdAtMs),
    revision: network.revision === 0n ? null : network.revision,
  };
}

function fullValue(network: Network): object {
  return { ...networkValue(network), conditions: conditionValues(network.conditions) };
}

function row(network: Network, now: number): Cell[] {
  return [
    network.name,
    String(network.vni),
    String(network.mtu),
    network.subnets.map((subnet) => subnet.prefix).join(', '),
    ageCell(network.createdAtMs, now),
    gateways(network),
    network.addressSpace,
    pairsText(network.labels),
    conditionsCell(network.conditions),
    networkNamespace(network.id as NetworkId),
    network.id,
    String(network.revision),
  ];
}

function sheet(network: Network, now: number): Sheet {
  return {
    kind: 'sheet',
    fields: [
      ['name', network.name],
      ['id', network.id],
      ['namespace', networkNamespace(network.id as NetworkId)],
      ['VNI', String(network.vni)],
      ['MTU', `${network.mtu} (${network.mtuFixed ? 'fixed' : "follows the hosts' underlays"})`],
      ['encrypted', encryptedText(network)],
      ['address space', network.addressSpace],
      ['subnets', network.subnets.map((subnet) => subnet.prefix).join(', ')],
      ['gateways', network.internal ? 'none, internal' : gateways(network)],
      ['ranges', network.subnets.flatMap(({ ranges }) => ranges).join(', ')],
      [
        'auxiliary',
        network.subnets
          .map(({ auxAddresses }) => pairsText(auxAddresses))
          .filter((text) => text !== '')
          .join(', '),
      ],
      ['labels', pairsText(network.labels)],
      ['created', createdCell(network.createdAtMs, now)],
      ['revision', network.revision === 0n ? '' : String(network.revision)],
      ...conditionFields(network.conditions, now),
    ],
  };
}

function encryptedText({ encrypted, becomes, driver }: Network): string {
  const now = encrypted ? 'yes' : 'no';
  return becomes === '' ? now : `${now}; it becomes ${becomes}, and is ${driver} now`;
}

function gateways(network: Network): string {
  return network.subnets
    .map((subnet) => subnet.gateway)
    .filter((gateway) => gateway !== '')
    .join(', ');
}
