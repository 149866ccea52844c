import { CausewayError } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import { hostOf, type LabPlan } from './plan.ts';

/** Faults that are made on a lab's underlay on purpose. */
export interface Faults {
  /** Packets from the first host to the second are lost. */
  readonly cuts: readonly Way[];
  readonly slow: readonly SlowHost[];
}

export type Way = readonly [from: string, to: string];

/** The input of `lab cut`. */
export interface Cut {
  readonly a: string;
  /** Absent: all other hosts. */
  readonly b?: string;
  /** Only packets from `a` are lost. */
  readonly oneWay: boolean;
}

export interface Slowness {
  /** Delay of every packet in each direction. */
  readonly delay: Duration;
  /** Percent of the packets that are lost in each direction. */
  readonly loss: number;
  /** Length in bytes above which IP packets are lost in each direction, without an ICMP error; 0: no limit. */
  readonly dropAbove: number;
}

export interface SlowHost extends Slowness {
  readonly host: string;
}

/**
 * The rules are in the switch, whose ports have the names of their hosts. There a cut drops all frames between two hosts
 * (IPv4, IPv6, ARP, existing connections), does not meet the rules of the hosts, and ends with the lab.
 */
const table = 'bridge causeway-lab';
/**
 * nftables has only whole random numbers: percent with four decimals. They start at 1, so that "at most 0" never matches.
 */
const lossScale = 10_000;

/** The directions that a cut, or its end, concerns. Throws `lab-host-unknown`, `invalid-argument`. */
export function waysOf(plan: LabPlan, { a, b, oneWay }: Cut): readonly Way[] {
  const first = hostOf(plan, a).name;
  const others =
    b === undefined ? plan.hosts.map(({ name }) => name).filter((name) => name !== first) : [hostOf(plan, b).name];
  if (others.includes(first)) {
    throw new CausewayError(
      'invalid-argument',
      `${a} and ${b} are the same host of lab ${plan.name}: name two different hosts`,
    );
  }
  return others.flatMap((other): Way[] =>
    oneWay
      ? [[first, other]]
      : [
          [first, other],
          [other, first],
        ],
  );
}

/** `nft -f` lines. Another cut of the same direction changes nothing. */
export function cutRules(ways: readonly Way[]): readonly string[] {
  return [
    `add table ${table}`,
    `add set ${table} cuts { type ifname . ifname; }`,
    `add chain ${table} cut { type filter hook forward priority 0; }`,
    `flush chain ${table} cut`,
    `add rule ${table} cut iifname . oifname @cuts counter drop`,
    `add element ${table} cuts { ${elements(ways)} }`,
  ];
}

/** The directions are added first, because nft fails to delete an element that does not exist. */
export function healRules(ways: readonly Way[]): readonly string[] {
  return [...cutRules(ways), `delete element ${table} cuts { ${elements(ways)} }`];
}

/** The rule's comment tells `readFaults` the values: a delay has no other trace in the rules. */
export function slowRules({ host, delay, loss, dropAbove }: SlowHost): readonly string[] {
  const lost = `numgen random mod ${100 * lossScale} offset 1 <= ${Math.round(loss * lossScale)} counter drop`;
  const parameters = `comment "delay ${delay} loss ${loss} above ${dropAbove}"`;
  // A packet that the kernel has not divided into segments yet counts with its whole length. Its segments are as long as
  // the path's MTU.
  const long = dropAbove === 0 ? [] : [`meta protocol { ip, ip6 } meta length > ${dropAbove} counter drop`];
  const rule = (end: string, what: string): string => `add rule ${table} ${slowChain(host)} ${end} "${host}" ${what}`;
  return [
    ...emptySlow(host),
    rule('iifname', `${lost} ${parameters}`),
    rule('oifname', lost),
    ...['iifname', 'oifname'].flatMap((end) => long.map((what) => rule(end, what))),
  ];
}

export function quickRules(host: string): readonly string[] {
  return [...emptySlow(host), `delete chain ${table} ${slowChain(host)}`];
}

/** Reads the output of `nft -j list ruleset bridge` in the switch. */
export function readFaults(text: string): Faults {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly NftObject[] };
  const ways = nftables.flatMap(({ set }) => (set?.name === 'cuts' ? (set.elem ?? []) : []));
  const cuts = ways.map(({ concat: [from = '', to = ''] }): Way => [from, to]);
  const slow = nftables.flatMap(({ rule }): SlowHost[] => {
    const parameters = /^delay (?<delay>\S+) loss (?<loss>\S+) above (?<above>\S+)$/.exec(rule?.comment ?? '')?.groups;
    if (rule === undefined || parameters === undefined) return [];
    const [delay, loss, dropAbove] = [parameters['delay'], parameters['loss'], parameters['above']].map(Number) as [
      number,
      number,
      number,
    ];
    return [{ host: rule.chain.slice(slowChain('').length), delay: milliseconds(delay), loss, dropAbove }];
  });
  return { cuts: cuts.sort(), slow };
}

interface NftObject {
  readonly set?: { readonly name: string; readonly elem?: readonly { readonly concat: readonly string[] }[] };
  readonly rule?: { readonly chain: string; readonly comment?: string };
}

function emptySlow(host: string): readonly string[] {
  return [
    `add table ${table}`,
    `add chain ${table} ${slowChain(host)} { type filter hook forward priority 1; }`,
    `flush chain ${table} ${slowChain(host)}`,
  ];
}

function slowChain(host: string): string {
  return `slow-${host}`;
}

function elements(ways: readonly Way[]): string {
  return ways.map(([from, to]) => `"${from}" . "${to}"`).join(', ');
}
