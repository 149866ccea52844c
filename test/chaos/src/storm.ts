import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdKind } from '@causeway/lab';
import { SeededRandom } from '@causeway/runtime/testing';
import { type Cluster, type Leaders, leaseTtl, withCluster } from './cluster.ts';
import type { Companion } from './companion/companion.ts';
import { type StormCounts, shortfalls } from './faults/floors.ts';
import { type Impact, impactsOf } from './faults/impacts.ts';
import { runFaults } from './faults/nemesis.ts';
import { planFaults } from './faults/plan.ts';
import { keepLogs, type RunFiles, readLines, writeLines } from './files.ts';
import type { Entry, Outcome } from './load/journal.ts';
import type { Left } from './load/main.ts';
import { lateReads, type Read } from './load/reads.ts';
import { now } from './now.ts';
import { Audit } from './record/audit.ts';
import { leaderOf } from './record/records.ts';
import type { Revision } from './record/revision.ts';
import { cooldown, logsOf, managerHosts, stoppedIn } from './topology.ts';
import { judge, type Verdict } from './verdict.ts';

export interface StormSettings {
  /** How long faults are made, ms. */
  readonly span: number;
  readonly seed: number;
  readonly workers: number;
  /** How long a read may take while a manager with a majority can be reached, ms. */
  readonly readLimit: number;
  readonly etcd: EtcdKind;
  readonly files: RunFiles;
  readonly say: (message: string) => void;
}

export interface StormReport {
  readonly etcd: EtcdKind;
  /** When faults began, on the clock of journal, reads and faults. */
  readonly began: number;
  readonly counts: StormCounts;
  readonly impacts: readonly Impact[];
  /** Reads that took too long although a manager could have answered. */
  readonly lateReads: readonly Read[];
  readonly journal: readonly Entry[];
  readonly revisions: number;
  /** Time from the first fault to the end of all calls, ms. */
  readonly took: number;
  readonly verdict: Verdict;
  /** Faults that are not in the verdict: processes that ended by themselves, or history that could not be read. */
  readonly broken: readonly string[];
}

/** ms between two calls of a worker. 64 workers make some hundred calls a second and leave CPU time to the cluster. */
const think = 100;
/**
 * ms. A transaction that its sender has given up may still arrive. Longer than any timeout of a manager for a
 * transaction.
 */
const lateWrites = 6_000;
/** ms. The managers' cooldown, which may begin again after an election, and some reserve. */
const coolingLimit = 2 * cooldown + 20_000;
/** Revision of an empty etcd. */
const emptyStore = 1;

export function storm(settings: StormSettings): Promise<StormReport> {
  const { etcd, files, say } = settings;
  return withCluster({ name: 'chaos', subnet: '10.95.0.0/24', etcd, files, say }, (cluster) =>
    runStorm(cluster, settings),
  );
}

async function runStorm(cluster: Cluster, settings: StormSettings): Promise<StormReport> {
  const { lab, observer, load } = cluster;
  const { span, seed, workers, etcd, files, say } = settings;
  const faults = planFaults(new SeededRandom(seed), { hosts: managerHosts, etcd, ttl: leaseTtl, span });
  await cluster.begin({ workers, think, churn: true, seed });
  const began = now();
  const injections = await runFaults({ lab, leaders: () => observer.ask<Leaders>('leaders'), say }, faults);
  writeLines(files.faults, injections);
  await sleep(Math.max(0, began + span - now()));
  const broken = stoppedIn(await lab.status()).map((process) => `${process} ended by itself`);

  say('faults are over: letting calls end');
  await load.ask('end');
  const took = now() - began;
  await sleep(lateWrites);
  const atRest = await observer.ask<Caught>('caught-up');
  const rested = now();
  const [before] = split(files, atRest.revision);
  const left = remaining(before);
  say(`releasing ${left.endpoints.length} endpoints, deleting ${left.networks.length} networks`);
  await load.ask('clean', left);
  say('waiting until nothing cools any more');
  await cooled(observer);
  const end = await observer.ask<Caught>('caught-up');
  if (end.lost !== null) broken.push(`the record of the store has a hole: ${end.lost}`);

  const journal = readLines<Entry>(files.journal);
  const [, cleaned] = split(files, atRest.revision);
  say(`judging ${journal.length} calls, ${before.length + cleaned.length} revisions`);
  const marks = { beginning: emptyStore, rested: atRest.revision, end: end.revision };
  const verdict = judge({ journal, before, rested, cleaned, marks });
  const reads = readLines<Read>(files.reads);
  const counts: StormCounts = {
    span,
    planned: faults.length,
    injections,
    leaderChanges: leaderChanges(before),
    claims: outcomesOf(journal, 'claim'),
    networks: outcomesOf(journal, 'create'),
    reads: reads.filter(({ failure }) => failure === undefined).length,
  };
  const report = {
    etcd,
    began,
    counts,
    impacts: impactsOf(injections, journal, reads),
    lateReads: lateReads(reads, injections, settings.readLimit),
    journal,
    revisions: before.length + cleaned.length,
    took,
    verdict,
    broken,
  };
  if (faultsOf(report).length > 0) keepLogs(logsOf(await lab.status()), files.folder);
  return report;
}

/** All faults of a run, one paragraph each. */
export function faultsOf(report: StormReport): readonly string[] {
  const { counts, verdict, broken } = report;
  return [...broken, ...shortfalls(counts), ...Object.values(verdict).flat(), ...printLateReads(report)];
}

function printLateReads({ lateReads, began }: StormReport): readonly string[] {
  return lateReads.map(({ call, end, failure }) => {
    const [took, at] = [`${(end - call).toFixed(0)} ms`, `${((call - began) / 1000).toFixed(1)} s`];
    return failure === undefined
      ? `a read at ${at} took ${took}`
      : `a read at ${at} ended with ${failure} after ${took}`;
  });
}

export function outcomesOf(journal: readonly Entry[], act: Entry['act']): StormCounts['claims'] {
  const count = (kind: Outcome['kind']): number => {
    return journal.filter((entry) => entry.act === act && entry.outcome.kind === kind).length;
  };
  return { done: count('done'), refused: count('refused'), unknown: count('unknown') };
}

/** How often the leader changed. */
function leaderChanges(revisions: readonly Revision[]): number {
  const leaders = revisions.flatMap(({ puts }) =>
    puts.filter(([key]) => key === 'leader').map(([, value]) => leaderOf(value)),
  );
  return leaders.filter((leader, i) => i > 0 && leader !== leaders[i - 1]).length;
}

interface Caught {
  readonly revision: number;
  readonly lost: string | null;
}

/** The revisions up to the given one, and those after it. */
function split(files: RunFiles, revision: number): readonly [readonly Revision[], readonly Revision[]] {
  const all = readLines<Revision>(files.store);
  return [all.filter((one) => one.revision <= revision), all.filter((one) => one.revision > revision)];
}

function remaining(revisions: readonly Revision[]): Left {
  const audit = new Audit(emptyStore);
  for (const revision of revisions) audit.take(revision);
  const { endpoints, networks } = audit;
  return { endpoints, networks };
}

/** Waits until nothing is cooling, or the limit is reached. The judge reports what is still cooling then. */
async function cooled(observer: Companion): Promise<void> {
  const deadline = now() + coolingLimit;
  while (now() < deadline && (await observer.ask<number>('cooling')) > 0) await sleep(500);
}
