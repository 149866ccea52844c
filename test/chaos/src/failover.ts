import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, type Leaders, withCluster } from './cluster.ts';
import { type RunFiles, readLines } from './files.ts';
import { longestGap } from './gaps.ts';
import type { Entry } from './load/journal.ts';
import { now } from './now.ts';
import { type OutageFigure, outage } from './outage.ts';

export interface FailoverSettings {
  readonly rounds: number;
  readonly seed: number;
  readonly files: RunFiles;
  readonly say: (message: string) => void;
  /** How long no manager runs at the end, ms. */
  readonly outage: number;
  /** Runs only trials whose names contain this text, and no outage; empty: everything. */
  readonly only: string;
}

export interface FailoverReport {
  readonly figures: readonly FailoverFigure[];
  readonly outage?: OutageFigure;
}

export interface FailoverFigure {
  readonly name: string;
  /** Longest time without a successful claim in each round, ms. */
  readonly gaps: readonly number[];
  /** The same for a while before each signal: the gaps of the machine itself. */
  readonly undisturbed: readonly number[];
  /** Upper limit for the longest gap, ms. */
  readonly limit: number;
}

interface Trial {
  readonly name: string;
  /** The kinds of process whose leader gets the signal. */
  readonly processes: readonly ('manager' | 'etcd')[];
  readonly signal: 'KILL' | 'TERM';
  readonly limit: number;
}

const trials: readonly Trial[] = [
  { name: 'leader killed (SIGKILL)', processes: ['manager'], signal: 'KILL', limit: 1_000 },
  { name: 'etcd leader killed (SIGKILL)', processes: ['etcd'], signal: 'KILL', limit: 1_200 },
  { name: 'both leaders killed (SIGKILL)', processes: ['manager', 'etcd'], signal: 'KILL', limit: 2_500 },
  { name: 'leader asked to stop (SIGTERM)', processes: ['manager'], signal: 'TERM', limit: 300 },
];

/** Enough load to show a gap of a few ms, and not so much that the load itself causes gaps. */
const load = { workers: 8, think: 10, churn: false };
/** Length of a round before and after the signal, ms. Then the killed process is started and gets time to recover. */
const before = 3_000;
const after = ({ limit }: Trial): number => Math.max(6_000, limit + 3_000);
/** Part of `before` that belongs to the measured window, so that a gap in which the signal falls is measured in full, ms. */
const share = 500;
const recovery = 4_000;

/**
 * Measures in a lab of three managers how long claims fail after a leader ends, and how an outage of all managers
 * affects containers.
 */
export function failover(settings: FailoverSettings): Promise<FailoverReport> {
  const { files, say } = settings;
  return withCluster({ name: 'failover', subnet: '10.96.0.0/24', etcd: 'separate', files, say }, async (cluster) => {
    await cluster.begin({ ...load, seed: settings.seed });
    const figures: FailoverFigure[] = [];
    for (const trial of trials.filter(({ name }) => name.includes(settings.only))) {
      const gaps: number[] = [];
      const undisturbed: number[] = [];
      for (let round = 0; round < settings.rounds; round++) {
        const gap = await run(cluster, trial, files);
        say(`${trial.name}, ${round + 1} of ${settings.rounds}: ${gap.disturbed.toFixed(0)} ms`);
        gaps.push(gap.disturbed);
        undisturbed.push(gap.undisturbed);
      }
      figures.push({ name: trial.name, gaps, undisturbed, limit: trial.limit });
    }
    if (settings.only !== '') return { figures };
    say(`all managers killed, for ${settings.outage / 1000} s`);
    return { figures, outage: await outage(cluster, settings.outage) };
  });
}

interface Gaps {
  readonly undisturbed: number;
  readonly disturbed: number;
}

async function run({ lab, observer }: Cluster, trial: Trial, files: RunFiles): Promise<Gaps> {
  const { processes, signal } = trial;
  const end = after(trial);
  await sleep(before);
  const leaders = await observer.ask<Leaders>('leaders');
  const killed = processes.map((process) => {
    const host = leaders[process];
    if (host === null) throw new Error(`no ${process} leads`);
    return { host, process };
  });
  const sent = now();
  await Promise.all(killed.map(({ host, process }) => lab.kill(host, process, signal)));
  await sleep(Math.max(0, sent + end - now()));
  const journal = readLines<Entry>(files.journal);
  const undisturbed = longestGap(journal, sent - before, sent);
  const disturbed = longestGap(journal, sent - share, sent + end);
  await Promise.all(killed.map(({ host, process }) => lab.startProcess(host, process)));
  await sleep(recovery);
  return { undisturbed, disturbed };
}
