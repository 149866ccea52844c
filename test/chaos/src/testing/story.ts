import type { Evidence } from '../evidence.ts';
import type { Asked, Entry, Outcome } from '../load/journal.ts';
import { Audit } from '../record/audit.ts';
import { keysOf, keysOfNetwork } from '../record/records.ts';
import type { Revision } from '../record/revision.ts';

/** Handwritten histories of a run: calls, and the changes that the store made for each. */

export interface Change {
  readonly puts?: Revision['puts'];
  readonly deletes?: Revision['deletes'];
}

/** A call with its change, or only one of the two. */
export interface Deed {
  readonly entry: Entry | undefined;
  readonly change: Change | undefined;
}

export function deed(...parts: readonly (Entry | Change)[]): Deed {
  const entry = parts.find((part): part is Entry => 'act' in part);
  const change = parts.find((part): part is Change => !('act' in part));
  return { entry, change };
}

export function call(
  act: Entry['act'],
  name: string,
  [from, to]: readonly [number, number],
  outcome: Outcome,
  asked?: Asked,
): Entry {
  return { act, name, call: from, end: to, outcome, ...(asked === undefined ? {} : { asked }) };
}

export const done = (...held: readonly string[]): Outcome => ({ kind: 'done', held });
export const refused = (code: string): Outcome => ({ kind: 'refused', code });
export const unknown: Outcome = { kind: 'unknown', code: 'timed-out' };

export interface TestEndpoint {
  readonly name: string;
  readonly ip: string;
  readonly network?: string;
  readonly id?: string;
  readonly mac?: string;
}

export function born({ name, ip, network = 'n', id = name, mac = macFor(ip) }: TestEndpoint): Change {
  const record = { id, name, network, node: 'h', addresses: [`${ip}/24`], mac };
  return {
    puts: [
      [`endpoint/${network}/${id}`, JSON.stringify(record)],
      [`endpoint-name/${network}/${name}`, id],
      [`addr/${network}/${ip}`, JSON.stringify({ endpoint: id })],
    ],
  };
}

/** The endpoint is removed, and its address begins to cool. */
export function gone({ name, ip, network = 'n', id = name }: TestEndpoint): Change {
  return {
    puts: [[`addr/${network}/${ip}`, JSON.stringify({ cooling: { endpointName: name, node: 'h' } })]],
    deletes: [`endpoint/${network}/${id}`, `endpoint-name/${network}/${name}`],
  };
}

/** The cooldown of the address ends: it is free. */
export const warm = (ip: string, network = 'n'): Change => cooled(`addr/${network}/${ip}`);
export const cooled = (key: string): Change => ({ deletes: [key] });

export interface TestNetwork {
  readonly name: string;
  readonly vni: number;
  readonly prefix: string;
  readonly id?: string;
}

export function made({ name, vni, prefix, id = name }: TestNetwork): Change {
  const record = { id, name, addressSpace: 'default', vni, subnets: [{ prefix }] };
  return {
    puts: [
      [`network/${id}`, JSON.stringify(record)],
      [`network-name/${name}`, id],
      [`vni/${vni}`, JSON.stringify({ network: id })],
      [`pool/default/${prefix.replace('/', '_')}`, id],
      [`addr/${id}/${prefix.replace(/0\/.*/, '1')}`, '{"gateway":true}'],
    ],
  };
}

/** The network is removed, and its VNI begins to cool. */
export function unmade({ name, vni, prefix, id = name }: TestNetwork): Change {
  return {
    puts: [[`vni/${vni}`, JSON.stringify({ cooling: { network: id, name } })]],
    deletes: [
      `network/${id}`,
      `network-name/${name}`,
      `pool/default/${prefix.replace('/', '_')}`,
      `addr/${id}/${prefix.replace(/0\/.*/, '1')}`,
    ],
  };
}

/** The beginning of every story: a network "blue" with the id "n", and a small one. */
const setting: readonly Deed[] = [
  deed(
    call('create', 'blue', [-9, -8], done('vni 1', 'subnet 10.0.0.0/24')),
    made({ name: 'blue', vni: 1, prefix: '10.0.0.0/24', id: 'n' }),
  ),
];
const small = deed(
  call('create', 'small', [-7, -6], done('vni 2', 'subnet 10.9.0.0/29')),
  made({ name: 'small', vni: 2, prefix: '10.9.0.0/29' }),
);

const rested = 1_000_000;

/** The evidence of a story, with revisions from 2 on. By default everything that is left is released at the end. */
export function evidenceOf(deeds: readonly Deed[], { clean = true } = {}): Evidence {
  const needsSmall = JSON.stringify(deeds).includes('small');
  const all = [...setting, ...(needsSmall ? [small] : []), ...deeds];
  const before: Revision[] = [];
  let time = Number.NEGATIVE_INFINITY;
  for (const { entry, change } of all) {
    time = Math.max(time, (entry?.call ?? time) + 0.01);
    if (change !== undefined) before.push(revision(before.length + 2, time, change));
  }
  const journal = all.flatMap(({ entry }) => entry ?? []);
  const cleanUp = clean ? cleaning(before) : [];
  const cleaned = cleanUp.flatMap(({ change }, i) => {
    return change === undefined ? [] : [revision(before.length + 2 + i, rested + 2 + i, change)];
  });
  const last = before.length + 1;
  return {
    journal: [...journal, ...cleanUp.flatMap(({ entry }) => entry ?? [])],
    before,
    rested,
    cleaned,
    marks: { beginning: 1, rested: last, end: last + cleaned.length },
  };
}

/** Releases of everything that exists, and the end of all cooldowns. */
function cleaning(before: readonly Revision[]): readonly Deed[] {
  const audit = new Audit();
  for (const one of before) audit.take(one);
  const endpoints = audit.endpoints.map((record) => {
    const [ip = ''] = keysOf(record)[0]?.split(' ').slice(1) ?? [];
    const { id, name, network } = record;
    return deed(
      call('release', name, [rested + 1, rested + 50], done(...keysOf(record))),
      gone({ id, name, network, ip }),
    );
  });
  const networks = audit.networks.map((record) => {
    const { id, name, vni, subnets } = record;
    const held = done(...keysOfNetwork(record));
    return deed(
      call('delete', name, [rested + 1, rested + 50], held),
      unmade({ id, name, vni, prefix: subnets[0]?.prefix ?? '' }),
    );
  });
  let number = before.length + 2;
  for (const { change } of [...endpoints, ...networks]) audit.take(revision(number++, rested, change ?? {}));
  const cooling = [...audit.claims.entries()].filter(([, claim]) => claim.cooling !== undefined);
  return [...endpoints, ...networks, ...cooling.map(([key]) => deed(cooled(key)))];
}

function revision(number: number, seen: number, { puts = [], deletes = [] }: Change): Revision {
  return { revision: number, seen, puts, deletes };
}

function macFor(ip: string): string {
  return ip.split('.').reduce((mac, byte) => `${mac}:${Number(byte).toString(16).padStart(2, '0')}`, '02:42');
}
