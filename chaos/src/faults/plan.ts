import type { Random } from '@causeway/runtime';
import type { ManagerHost } from '../lab.ts';

/** What is hit of a host: its manager, its etcd member, or both at once. */
export const targets = ['manager', 'etcd', 'both'] as const;
export type Target = (typeof targets)[number];

/** kill: `kill -9`, started again at the end. pause: SIGSTOP, then SIGCONT. cut: no way to those of the other hosts. */
export const faultKinds = ['kill', 'pause', 'cut'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly target: Target;
  readonly host: ManagerHost;
  /** When it begins and ends, ms from the beginning of the run. */
  readonly from: number;
  readonly to: number;
}

export interface FaultSettings {
  readonly hosts: readonly ManagerHost[];
  /** Of the leader's lease, ms. */
  readonly ttl: number;
  /** Of the whole run, ms; every fault is over by then. */
  readonly span: number;
}

/** From the beginning of one fault to that of the next, ms. */
const rhythm = { least: 3_000, most: 5_000 };

/**
 * Faults for a run, all from the seed. They overlap, so there may be no majority for a while; but a process that is down,
 * or a link that is cut, is left alone until it is back.
 */
export function planFaults(random: Random, { hosts, ttl, span }: FaultSettings): readonly Fault[] {
  const between = (least: number, most: number): number => Math.round(least + random.float() * (most - least));
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random.float() * items.length)];
  const lasts = (kind: FaultKind): number => {
    if (kind === 'pause') return 2 * ttl;
    return kind === 'kill' ? between(200, ttl) : between(ttl, 3 * ttl);
  };
  const faults: Fault[] = [];
  for (let from = between(0, rhythm.least); from < span; from += between(rhythm.least, rhythm.most)) {
    const free = choices(hosts).filter((choice) => !faults.some((fault) => fault.to >= from && meets(fault, choice)));
    const choice = pick(free);
    if (choice === undefined) continue;
    const to = from + lasts(choice.kind);
    if (to <= span) faults.push({ ...choice, from, to });
  }
  return faults;
}

type Choice = Pick<Fault, 'kind' | 'target' | 'host'>;

function choices(hosts: readonly ManagerHost[]): readonly Choice[] {
  return hosts.flatMap((host) => targets.flatMap((target) => faultKinds.map((kind) => ({ kind, target, host }))));
}

/** Whether one would undo or trip over the other: cuts of one host, or what befalls one process. */
function meets(a: Choice, b: Choice): boolean {
  if (a.host !== b.host || (a.kind === 'cut') !== (b.kind === 'cut')) return false;
  return a.target === b.target || a.target === 'both' || b.target === 'both';
}

export function printFault({ kind, target, host, from, to }: Fault): string {
  const what = target === 'both' ? 'manager and etcd' : target;
  return `${(from / 1000).toFixed(1)} s to ${(to / 1000).toFixed(1)} s: ${kind} ${what} of ${host}`;
}
