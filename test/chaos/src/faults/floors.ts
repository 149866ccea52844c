import type { Fault, FaultKind } from './plan.ts';

/** A fault as observed, not as planned. */
export interface Injection extends Pick<Fault, 'kind' | 'target' | 'host'> {
  /** The text of `printFault`. */
  readonly name: string;
  /** When the fault began and when it was undone, times of `now`. */
  readonly from: number;
  readonly to: number;
  /** Number of processes that were killed and are gone. */
  readonly ended: number;
  /** Number of processes that are stopped, according to the kernel. */
  readonly stopped: number;
  /** Number of packets that the fault's rules dropped. */
  readonly dropped: number;
  /** Whether the fault hit the manager that was leader at the time. */
  readonly metLeader: boolean;
}

type Outcomes = Readonly<Record<'done' | 'refused' | 'unknown', number>>;

/** What a storm did to a cluster, and what the cluster's callers did meanwhile. */
export interface StormCounts {
  /** How long faults were made, ms. */
  readonly span: number;
  /** Number of planned faults. */
  readonly planned: number;
  readonly injections: readonly Injection[];
  /** How often another manager became leader. */
  readonly leaderChanges: number;
  readonly claims: Outcomes;
  readonly networks: Outcomes;
  /** Number of reads that were answered. */
  readonly reads: number;
}

type Effect = 'ended' | 'stopped' | 'dropped';

/** The effect that each fault of a kind must have. */
const effects: Readonly<Record<FaultKind, Effect>> = {
  kill: 'ended',
  wipe: 'ended',
  pause: 'stopped',
  cut: 'dropped',
  'black-hole': 'dropped',
  'one-way': 'dropped',
  loss: 'dropped',
  'mtu-hole': 'dropped',
};

const words: Readonly<Record<Effect, string>> = {
  ended: 'processes ended',
  stopped: 'processes stopped',
  dropped: 'packets dropped',
};

/** ms. Faults begin every 3 to 5 s, and none during a wipe. Less than one fault in this time is less than planned. */
const rarest = 15_000;
/** Minimum number of claims per second: a tenth of what the load makes on an idle machine. */
const leastClaims = 2;
/** From this number of faults on, a storm must hit the leader and change it at least once. */
const manyFaults = 10;

/** Why a storm proves nothing, one reason per line: too few faults, or too little load. */
export function shortfalls(counts: StormCounts): readonly string[] {
  const { span, planned, injections, leaderChanges, claims, networks, reads } = counts;
  const many = injections.length >= manyFaults ? 1 : 0;
  const seconds = Math.floor(span / 1_000);
  const floors: readonly (readonly [string, number, number])[] = [
    ['faults planned', planned, Math.max(1, Math.floor(span / rarest))],
    ['faults injected', injections.length, planned],
    ['faults that met the leader', injections.filter(({ metLeader }) => metLeader).length, many],
    ['changes of leader', leaderChanges, many],
    ['claims done', claims.done, Math.max(1, seconds * leastClaims)],
    ['claims refused', claims.refused, 1],
    ['claims of unknown outcome', claims.unknown, 1],
    ['networks created', networks.done, 1],
    ['reads answered', reads, Math.max(1, Math.floor(seconds / 2))],
  ];
  const low = floors.filter(([, count, least]) => count < least);
  const idle = injections.filter((injection) => injection[effects[injection.kind]] === 0);
  return [
    ...low.map(([what, count, least]) => `${count} ${what}: at least ${least} prove something`),
    ...idle.map(({ name, kind }) => `"${name}" was without effect: 0 ${words[effects[kind]]}`),
  ];
}
