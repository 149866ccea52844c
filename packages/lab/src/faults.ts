import { CausewayError } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import { hostOf, type LabPlan } from './plan.ts';

/** What goes wrong on a lab's underlay, on purpose. */
export interface Faults {
  /** What the first host sends to the second is lost. */
  readonly cuts: readonly Way[];
  readonly slow: readonly SlowHost[];
}

export type Way = readonly [from: string, to: string];

/** What `lab cut` asks for. */
export interface Cut {
  readonly a: string;
  /** Absent: every other host. */
  readonly b?: string;
  /** Only what a sends is lost. */
  readonly oneWay: boolean;
}

export interface Slowness {
  /** Added to every packet, each way. */
  readonly delay: Duration;
  /** Percent of the packets, each way, that never arrive. */
  readonly loss: number;
  /** Bytes above which IP packets are lost, each way, without an ICMP error; 0: none is. */
  readonly dropAbove: number;
}

export interface SlowHost extends Slowness {
  readonly host: string;
}

/**
 * In the switch, whose ports are named as the hosts they lead to. There a cut takes every frame of a pair (IPv4, IPv6, ARP,
 * connections that stand), no rule of a host's own meets it, and it ends with the lab.
 */
const table = 'bridge causeway-lab';
/** nftables' random numbers are whole: percent with four decimals. From 1 on, so that "at most 0" is never. */
const lossScale = 10_000;

/** The ways that a cut, or its end, is about. Throws `lab-host-unknown`, `invalid-argument`. */
export function waysOf(plan: LabPlan, { a, b, oneWay }: Cut): readonly Way[] {
  const first = hostOf(plan, a).name;
  const others =
    b === undefined ? plan.hosts.map(({ name }) => name).filter((name) => name !== first) : [hostOf(plan, b).name];
  if (others.includes(first)) {
    throw new CausewayError('invalid-argument', `${a} and ${b} are one host of lab ${plan.name}: name two`);
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

/** `nft -f` lines. Cutting what is cut changes nothing. */
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

/** Adding first makes deleting what is not there no failure. */
export function healRules(ways: readonly Way[]): readonly string[] {
  return [...cutRules(ways), `delete element ${table} cuts { ${elements(ways)} }`];
}

/** The comment is how `readFaults` learns of it: a delay leaves no other trace in the rules. */
export function slowRules({ host, delay, loss, dropAbove }: SlowHost): readonly string[] {
  const lost = `numgen random mod ${100 * lossScale} offset 1 <= ${Math.round(loss * lossScale)} counter drop`;
  const toll = `comment "delay ${delay} loss ${loss} above ${dropAbove}"`;
  // What the kernel has not cut in segments yet counts whole: its segments are as long as the path is said to carry.
  const long = dropAbove === 0 ? [] : [`meta protocol { ip, ip6 } meta length > ${dropAbove} counter drop`];
  const rule = (end: string, what: string): string => `add rule ${table} ${slowChain(host)} ${end} "${host}" ${what}`;
  return [
    ...emptySlow(host),
    rule('iifname', `${lost} ${toll}`),
    rule('oifname', lost),
    ...['iifname', 'oifname'].flatMap((end) => long.map((what) => rule(end, what))),
  ];
}

export function quickRules(host: string): readonly string[] {
  return [...emptySlow(host), `delete chain ${table} ${slowChain(host)}`];
}

/** What `nft -j list ruleset bridge` prints in the switch. */
export function readFaults(text: string): Faults {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly NftObject[] };
  const ways = nftables.flatMap(({ set }) => (set?.name === 'cuts' ? (set.elem ?? []) : []));
  const cuts = ways.map(({ concat: [from = '', to = ''] }): Way => [from, to]);
  const slow = nftables.flatMap(({ rule }): SlowHost[] => {
    const toll = /^delay (?<delay>\S+) loss (?<loss>\S+) above (?<above>\S+)$/.exec(rule?.comment ?? '')?.groups;
    if (rule === undefined || toll === undefined) return [];
    const [delay, loss, dropAbove] = [toll['delay'], toll['loss'], toll['above']].map(Number) as [
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
