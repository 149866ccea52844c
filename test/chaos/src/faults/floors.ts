import type { Fault, FaultKind } from './plan.ts';

/** A fault as it came about: what was seen of it, not what was meant. */
export interface Injection extends Pick<Fault, 'kind' | 'target' | 'host'> {
  /** As `printFault` has it. */
  readonly name: string;
  /** From when it was brought about to when it was undone, times of `now`. */
  readonly from: number;
  readonly to: number;
  /** Processes that were killed and are gone. */
  readonly ended: number;
  /** Processes that the kernel says are stopped. */
  readonly stopped: number;
  /** Packets that rules made for the fault took away. */
  readonly dropped: number;
  /** Whether it met the manager that led then. */
  readonly metLeader: boolean;
}

type Outcomes = Readonly<Record<'done' | 'refused' | 'unknown', number>>;

/** What a storm has done to a cluster, and what its callers did meanwhile. */
export interface StormCounts {
  /** How long faults came, ms. */
  readonly span: number;
  /** Faults that were meant to come. */
  readonly planned: number;
  readonly injections: readonly Injection[];
  /** Times that another manager led. */
  readonly leaderChanges: number;
  readonly claims: Outcomes;
  readonly networks: Outcomes;
  /** Reads that were answered. */
  readonly reads: number;
}

type Effect = 'ended' | 'stopped' | 'dropped';

/** What each fault of a kind must be seen to do. */
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

/** Faults come every 3 to 5 s, and none beside a wipe; fewer than one in so long, and the plan is not what it was, ms. */
const rarest = 15_000;
/** Claims a second that the load makes at least: a tenth of what an idle machine does. */
const leastClaims = 2;
/** A storm of so many faults meets the leader, and makes another lead. */
const manyFaults = 10;

/** Why a storm proves nothing, a line each: too little was done to the cluster, or too little asked of it. */
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
