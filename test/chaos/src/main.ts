import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EtcdKind, etcdKinds } from '@causeway/lab';
import { type FailoverReport, failover } from './failover.ts';
import { shortfalls } from './faults/floors.ts';
import type { Impact } from './faults/impacts.ts';
import { runFiles } from './files.ts';
import { quantile } from './gaps.ts';
import { acts } from './load/journal.ts';
import { faultsOf, outcomesOf, type StormReport, storm } from './storm.ts';

const usage = `npm run chaos [-- storm] [--minutes 1.5] [--seed N] [--workers 64] [--etcd separate|embedded|both] [--read-limit 2]
    breaks managers, etcd and links of a lab at random while workers claim and free, then judges what they were told;
    with --etcd both, half of the time on a lab with etcd members of their own, half on one with embedded ones
npm run chaos -- failover [--rounds 20] [--outage 60] [--only TEXT]
    measures how long claims fail when what leads ends, and what containers notice of a minute without managers;
    --only SIGTERM, say, does the trials with that in their name, and no outage`;

const say = (message: string): void => void process.stderr.write(`chaos: ${message}\n`);
const { values, positionals } = readArguments();

function readArguments() {
  try {
    const read = parseArgs({
      allowPositionals: true,
      options: {
        minutes: { type: 'string', default: '1.5' },
        seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
        workers: { type: 'string', default: '64' },
        etcd: { type: 'string', default: 'both' },
        'read-limit': { type: 'string', default: '2' },
        rounds: { type: 'string', default: '20' },
        outage: { type: 'string', default: '60' },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    });
    if (!read.values.help) return read;
    console.log(usage);
    return process.exit(0);
  } catch (error) {
    say((error as Error).message);
    console.error(usage);
    return process.exit(2);
  }
}

const number = (name: 'minutes' | 'read-limit' | 'seed' | 'workers' | 'rounds' | 'outage'): number => {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  say(`--${name} "${values[name]}" is not a number above 0`);
  return process.exit(2);
};

if (process.getuid?.() !== 0) {
  say('needs root: it makes a lab');
  process.exit(1);
}
const seed = number('seed');
const folder = join(tmpdir(), `causeway-chaos-${seed}`);
switch (positionals[0] ?? 'storm') {
  case 'storm': {
    const kinds = etcdOf(values.etcd);
    const span = (number('minutes') * 60_000) / kinds.length;
    for (const etcd of kinds) {
      const files = runFiles(`${folder}-${etcd}`);
      say(`seed ${seed}, ${etcd} etcd, files in ${files.folder}`);
      const readLimit = number('read-limit') * 1_000;
      const report = await storm({ span, seed, workers: number('workers'), readLimit, etcd, files, say });
      process.exitCode = Math.max(Number(process.exitCode ?? 0), printStorm(report, files.folder));
    }
    break;
  }
  case 'failover':
    process.exitCode = printFailover(
      await failover({
        rounds: number('rounds'),
        outage: number('outage') * 1_000,
        only: values.only,
        seed,
        files: runFiles(folder),
        say,
      }),
    );
    break;
  default:
    console.error(usage);
    process.exitCode = 2;
}

function etcdOf(text: string): readonly EtcdKind[] {
  if (text === 'both') return etcdKinds;
  const kinds = etcdKinds.filter((kind) => kind === text);
  if (kinds.length > 0) return kinds;
  say(`--etcd "${text}" is none of ${etcdKinds.join(', ')}, both`);
  return process.exit(2);
}

function printStorm(report: StormReport, folder: string): number {
  const { journal, counts, revisions, took, verdict, lateReads } = report;
  const calls = acts.map((act) => {
    const { done, refused, unknown } = outcomesOf(journal, act);
    return `${act}s: ${done} done, ${refused} refused, ${unknown} unknown`;
  });
  const { injections, leaderChanges } = counts;
  const sum = (of: 'ended' | 'stopped' | 'dropped'): number => injections.reduce((all, one) => all + one[of], 0);
  console.log(
    `${injections.length} faults in ${(took / 1000).toFixed(0)} s on ${report.etcd} etcd: ${sum('ended')} processes ended, ${sum('stopped')} stopped, ${sum('dropped')} packets dropped; ${leaderChanges} changes of leader`,
  );
  console.log(`${calls.join('; ')}; ${counts.reads} reads; ${revisions} revisions`);
  for (const impact of report.impacts) console.log(printImpact(impact));
  const lines = [
    ['things that were not done to the cluster, or not asked of it', shortfalls(counts)],
    ['gaps in the evidence', verdict.incomplete],
    ['addresses, VNIs and subnets that are not linearizable', verdict.notLinearizable],
    ['duplicates or disagreements at any revision', verdict.inconsistent],
    ['acknowledged claims lost', verdict.lost],
    ['made or taken away without a call, twice, or otherwise than was answered', verdict.unasked],
    ['leaked', verdict.leaked],
    ['refusals that nothing explains', verdict.unexplained],
    [
      `reads of more than ${number('read-limit')} s, or failed, while one manager with a majority could be reached`,
      lateReads,
    ],
  ] as const;
  for (const [what, found] of lines) console.log(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${found.length} ${what}`);
  const wrong = faultsOf(report);
  for (const fault of wrong.slice(0, 20)) console.log(fault);
  if (wrong.length > 0)
    console.log(`repeat with --seed ${seed}; journal, reads, faults, store and logs are in ${folder}`);
  return wrong.length === 0 ? 0 : 1;
}

function printImpact({ kind, count, claims, reads }: Impact): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  return `${kind.padEnd(10)} ${count} times: no claim for p50 ${ms(claims.p50)}, longest ${ms(claims.longest)}; longest read p50 ${ms(reads.p50)}, longest ${ms(reads.longest)}, ${reads.failed} failed`;
}

function printFailover({ figures, outage }: FailoverReport): number {
  for (const { name, gaps, undisturbed, limit } of figures) {
    const [p50, p90, most] = [quantile(gaps, 0.5), quantile(gaps, 0.9), Math.max(...gaps)];
    console.log(
      `${most <= limit ? 'ok    ' : 'FAILED'} ${name}: no claim for p50 ${p50.toFixed(0)}, p90 ${p90.toFixed(0)}, max ${most.toFixed(0)} ms (at most ${limit}); undisturbed p50 ${quantile(undisturbed, 0.5).toFixed(0)}, max ${Math.max(...undisturbed).toFixed(0)}`,
    );
    console.log(
      `       ${gaps
        .map((gap) => gap.toFixed(0))
        .sort((a, b) => Number(a) - Number(b))
        .join(' ')}`,
    );
  }
  const held = figures.every(({ gaps, limit }) => Math.max(...gaps) <= limit);
  if (outage === undefined) return held ? 0 : 1;
  const unnoticed = outage.lost === 0 && outage.writes === 0;
  console.log(
    `${unnoticed ? 'ok    ' : 'FAILED'} no manager for ${(outage.span / 1000).toFixed(0)} s, agents killed half way: ${outage.lost} of ${outage.sent} packets lost, ${outage.writes} kernel writes`,
  );
  return unnoticed && held ? 0 : 1;
}
