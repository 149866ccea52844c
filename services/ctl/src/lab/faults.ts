import { CausewayError } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import type { LabPlan } from './plan.ts';

/** What goes wrong on a lab's underlay, on purpose. */
export interface Faults {
  /** Pairs of hosts between which nothing passes. */
  readonly cuts: readonly HostPair[];
  readonly slow: readonly SlowHost[];
}

export type HostPair = readonly [string, string];

export interface Slowness {
  /** Added to every packet, each way. */
  readonly delay: Duration;
  /** Percent of the packets, each way, that never arrive. */
  readonly loss: number;
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

/** `nft -f` lines. Cutting what is cut changes nothing. */
export function cutRules(pair: HostPair): readonly string[] {
  return [
    `add table ${table}`,
    `add set ${table} cuts { type ifname . ifname; }`,
    `add chain ${table} cut { type filter hook forward priority 0; }`,
    `flush chain ${table} cut`,
    `add rule ${table} cut iifname . oifname @cuts drop`,
    `add element ${table} cuts { ${bothWays(pair)} }`,
  ];
}

/** Adding first makes deleting what is not there no failure. */
export function healRules(pair: HostPair): readonly string[] {
  return [...cutRules(pair), `delete element ${table} cuts { ${bothWays(pair)} }`];
}

/** The comment is how `readFaults` learns of it: a delay leaves no other trace in the rules. */
export function slowRules({ host, delay, loss }: SlowHost): readonly string[] {
  const drop = `numgen random mod ${100 * lossScale} offset 1 <= ${Math.round(loss * lossScale)} drop`;
  return [
    ...emptySlow(host),
    `add rule ${table} ${slowChain(host)} iifname "${host}" ${drop} comment "delay ${delay} loss ${loss}"`,
    `add rule ${table} ${slowChain(host)} oifname "${host}" ${drop}`,
  ];
}

export function quickRules(host: string): readonly string[] {
  return [...emptySlow(host), `delete chain ${table} ${slowChain(host)}`];
}

/** What `nft -j list ruleset bridge` prints in the switch. */
export function readFaults(text: string): Faults {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly NftObject[] };
  const ways = nftables.flatMap(({ set }) => (set?.name === 'cuts' ? (set.elem ?? []) : []));
  const cuts = ways.map(({ concat: [from = '', to = ''] }): HostPair => [from, to]).filter(([from, to]) => from < to);
  const slow = nftables.flatMap(({ rule }): SlowHost[] => {
    const [, delay, loss] = /^delay (\S+) loss (\S+)$/.exec(rule?.comment ?? '') ?? [];
    if (rule === undefined || delay === undefined || loss === undefined) return [];
    return [{ host: rule.chain.slice(slowChain('').length), delay: milliseconds(Number(delay)), loss: Number(loss) }];
  });
  return { cuts: cuts.sort(), slow };
}

/** Throws `invalid-argument`. */
export function checkPair(plan: LabPlan, [a, b]: HostPair): void {
  if (a !== b) return;
  throw new CausewayError('invalid-argument', `${a} and ${b} are one host of lab ${plan.name}: name two`);
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

function bothWays([a, b]: HostPair): string {
  return `"${a}" . "${b}", "${b}" . "${a}"`;
}
