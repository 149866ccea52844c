import type { EtcdKind } from '@causeway/lab';
import type { Random } from '@causeway/runtime';
import type { LabHostName, ManagerHost } from '../topology.ts';

/** The part of a host that a fault hits: a process, the manager with its etcd member ("both"), or the host's link. */
export type Target = 'manager' | 'etcd' | 'both' | 'agent' | 'link';

/**
 * kill: `kill -9`; the process is started again at the end. pause: SIGSTOP, then SIGCONT. cut: no connection to the
 * other managers' hosts. black-hole: nothing from or to the host arrives, without an error. one-way: what the host
 * sends is lost. loss: 40 % of the packets in each direction are lost. mtu-hole: packets longer than 1,400 bytes are
 * lost. wipe: manager and etcd are killed, their data is deleted, they are removed from the cluster and join again.
 */
export const faultKinds = ['kill', 'pause', 'cut', 'black-hole', 'one-way', 'loss', 'mtu-hole', 'wipe'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly target: Target;
  readonly host: LabHostName;
  /** When the fault begins and ends, ms from the beginning of the run. */
  readonly from: number;
  readonly to: number;
}

export interface FaultSettings {
  readonly hosts: readonly ManagerHost[];
  readonly etcd: EtcdKind;
  /** Time to live of the leader's lease, ms. */
  readonly ttl: number;
  /** Length of the run, ms. Every fault ends before. */
  readonly span: number;
}

/** Time from the beginning of one fault to the beginning of the next, ms. */
const rhythm = { least: 3_000, most: 5_000 };
/** ms. A wiped member is replaced only in a whole cluster, so wipes come at these times and no other fault beside them. */
const wipes = { first: 15_000, every: 90_000, before: 4_000, lasts: 25_000 };

/**
 * The faults of a run; the seed determines them. Faults overlap, so there may be no majority for a while. A process that is
 * down, or a link that is cut, gets no other fault until it is back.
 */
export function planFaults(random: Random, settings: FaultSettings): readonly Fault[] {
  const { hosts, etcd, ttl, span } = settings;
  const between = (least: number, most: number): number => Math.round(least + random.float() * (most - least));
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random.float() * items.length)];
  const lasts = (kind: FaultKind): number => {
    if (kind === 'pause') return 2 * ttl;
    return kind === 'kill' ? between(200, ttl) : between(ttl, 3 * ttl);
  };
  const faults: Fault[] = [];
  for (let from = wipes.first; etcd === 'embedded' && from + wipes.lasts <= span; from += wipes.every) {
    const host = pick(hosts);
    if (host !== undefined) faults.push({ kind: 'wipe', target: 'both', host, from, to: from + wipes.lasts });
  }
  const all = choices(hosts);
  for (let from = between(0, rhythm.least); from < span; from += between(rhythm.least, rhythm.most)) {
    const kinds = [...new Set(all.map(({ kind }) => kind))];
    // The kind is chosen first, so that kinds with many targets are no more frequent than kinds with one.
    const kind = pick(kinds);
    const free = all.filter((choice) => choice.kind === kind && !faults.some((fault) => meets(fault, choice, from)));
    const choice = pick(free);
    if (choice === undefined) continue;
    const fault = { ...choice, from, to: from + lasts(choice.kind) };
    if (fault.to <= span && !faults.some((other) => other.kind === 'wipe' && overlaps(other, fault)))
      faults.push(fault);
  }
  return faults.sort((a, b) => a.from - b.from);
}

type Choice = Pick<Fault, 'kind' | 'target' | 'host'>;

function choices(hosts: readonly ManagerHost[]): readonly Choice[] {
  const of = (kind: FaultKind, ...targets: readonly Target[]): readonly Choice[] => {
    return targets.flatMap((target) => hosts.map((host) => ({ kind, target, host })));
  };
  return [
    ...of('kill', 'manager', 'etcd', 'both'),
    ...of('pause', 'manager', 'etcd', 'both', 'agent'),
    ...of('cut', 'manager', 'etcd', 'both'),
    ...of('black-hole', 'link'),
    ...of('one-way', 'link'),
    ...of('loss', 'link'),
    ...of('mtu-hole', 'link'),
  ];
}

/** Whether an earlier fault and the choice would interfere: one would undo the other or make it fail. */
function meets(fault: Fault, choice: Choice, from: number): boolean {
  if (fault.to < from) return false;
  const used = usedBy(fault);
  return usedBy(choice).some((one) => used.includes(one));
}

/** The resources that only one fault may use at a time. */
function usedBy({ kind, target, host }: Choice): readonly string[] {
  const parts = target === 'both' ? ['manager', 'etcd'] : [target];
  if (kind === 'kill' || kind === 'pause' || kind === 'wipe') return parts.map((part) => `process ${host} ${part}`);
  // Cuts of whole hosts are rules for pairs of hosts.
  if ((kind === 'cut' && target === 'both') || kind === 'black-hole' || kind === 'one-way') {
    return ['pairs', ...parts.map((part) => `rules ${host} ${part}`)];
  }
  return parts.map((part) => `rules ${host} ${part}`);
}

/** Whether the fault would keep a removed member from being replaced. */
function overlaps(wipe: Fault, { from, to }: Fault): boolean {
  return from < wipe.to && to > wipe.from - wipes.before;
}

export function printFault({ kind, target, host, from, to }: Fault): string {
  const what = target === 'both' ? 'manager and etcd' : target;
  return `${(from / 1000).toFixed(1)} s to ${(to / 1000).toFixed(1)} s: ${kind} ${what} of ${host}`;
}
