import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { benchAgent } from './agent.ts';
import { benchAttach } from './attach.ts';
import { benchBurst } from './burst.ts';
import { benchClaims } from './claims.ts';
import { benchComeback } from './comeback.ts';
import { compare, printCompared } from './compare.ts';
import { benchDensity } from './density.ts';
import { benchEncryption } from './encryption/encryption.ts';
import { benchHandshakes } from './handshakes.ts';
import { benchKernel } from './kernel.ts';
import { type Command, readCommand, usage } from './options.ts';
import { benchPool } from './pool.ts';
import { benchRate } from './rate.ts';
import { benchRepair } from './repair.ts';
import { readReport, reportOf } from './report.ts';
import { benchRestart } from './restart.ts';
import { type Benches, runBenches } from './run.ts';
import { benchScale, type ScaleSettings } from './scale.ts';

/** All benches, in the order in which they run. */
const benches = (scale: ScaleSettings): Benches => ({
  kernel: benchKernel,
  attach: benchAttach,
  rate: benchRate,
  burst: benchBurst,
  claims: benchClaims,
  pool: benchPool,
  restart: benchRestart,
  handshakes: benchHandshakes,
  comeback: () => benchComeback(scale.sessions),
  scale: () => benchScale(scale),
  agent: benchAgent,
  repair: benchRepair,
  density: benchDensity,
  encryption: benchEncryption,
});
const names = Object.keys(benches({ sessions: 0, networks: 0, endpointsEach: 0 }));

const command = readWords();
if (command.kind === 'compare') compareFiles(command.files);
else await measure(command);

function readWords(): Command {
  try {
    return readCommand(process.argv.slice(2), names);
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

async function measure({ names: asked, json, scale }: Extract<Command, { kind: 'measure' }>): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.error('bench: needs root: it programs kernels and makes labs');
    process.exit(1);
  }
  const chosen = Object.entries(benches(scale)).filter(([name]) => asked.length === 0 || asked.includes(name));
  const { rows, failed } = await runBenches(Object.fromEntries(chosen), {
    figures: (text) => console.log(`\n${text}`),
    say: (text) => console.error(text),
  });
  if (json !== undefined) {
    const run = { commit: commit(), time: new Date().toISOString(), node: process.version };
    writeFileSync(json, `${JSON.stringify(reportOf(run, rows, failed), null, 2)}\n`);
  }
  // A missed target is still a figure. Only a bench without figures makes the run fail.
  process.exitCode = failed.size > 0 ? 1 : 0;
}

function compareFiles(files: readonly [string, string]): void {
  try {
    const [before, after] = files.map((file) => readReport(readText(file), file));
    if (before === undefined || after === undefined) return;
    const titles = [before.commit || files[0], after.commit || files[1]] as const;
    console.log(printCompared(compare(before, after), titles));
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${code}`);
  }
}

function commit(): string {
  try {
    const git = (...words: string[]): string => execFileSync('git', words, { encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return '';
  }
}
