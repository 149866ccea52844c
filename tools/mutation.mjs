// Changes one decision of a folder's code at a time (a comparison, a condition, a bound) and runs the folder's unit tests that
// reach it: a test must notice. `npm run mutation [FOLDER | FILE]... [-- --concurrency N --every N]`; without folders all of
// `deciding`.
// Given a file, or a folder inside one of `deciding`, it changes only that code, and runs the tests of the deciding folder.
// `--every 6` changes only every sixth line: a sample of a large folder, in a sixth of the time.
// Prints what no test noticed and a table; reports and results, which the next run continues, are in .cache/mutation.
// docs/testing.md says how to read them.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** Folders of code that decides. The code around them carries decisions out; contracts, kernel tests and e2e check that. */
const deciding = [
  'packages/model/src',
  'packages/datapath/src',
  'packages/identity/src',
  'services/manager/src/plan',
  'services/manager/src/ipam',
  'services/manager/src/election',
  'services/manager/src/feed',
  'services/manager/src/controllers',
  'services/agent/src/managers',
  'services/agent/src/reconcile',
  'services/agent/src/tables',
];

/** Not mutated: tests, what only tests use, and what touches the world. */
const isNotMutated = /\.test\.ts$|contract\.ts$|\/(testing|io)\//;

/** Mutators that change wording, shape or whole bodies, not decisions. docs/testing.md has the reasons. */
const excludedMutations = [
  'ArrayDeclaration',
  'ArrowFunction',
  'BlockStatement',
  'ObjectLiteral',
  'OptionalChaining',
  'Regex',
  'StringLiteral',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: '2' }, every: { type: 'string', default: '1' } },
});
const folders = positionals.length === 0 ? deciding : positionals.map((folder) => folder.replace(/\/+$/, ''));
const out = '.cache/mutation';
mkdirSync(join(root, out), { recursive: true });

const rows = [];
for (const folder of folders) {
  try {
    rows.push(await run(folder));
  } catch (error) {
    console.error(`${folder}: ${error.message}`);
    process.exitCode = 1;
  }
}
console.log(['', header(), ...rows.map(print)].join('\n'));

async function run(folder) {
  process.env.CAUSEWAY_MUTATION_FOLDER = testsOf(folder);
  const every = Number(values.every);
  const name = `${folder.replaceAll('/', '-')}${every === 1 ? '' : `-every-${every}`}`;
  const mutants = await new Stryker({
    mutate: placesIn(folder, every),
    mutator: { excludedMutations },
    plugins: ['@stryker-mutator/vitest-runner'],
    testRunner: 'vitest',
    vitest: { configFile: 'tools/mutation.vitest.config.ts' },
    coverageAnalysis: 'perTest',
    // What runs only when a module is loaded: every test of the folder would have to run.
    ignoreStatic: true,
    dryRunTimeoutMinutes: 20,
    concurrency: Number(values.concurrency),
    // Beside other work on a busy machine, a slow test must not count as one that notices.
    timeoutMS: 15_000,
    incremental: true,
    incrementalFile: `${out}/${name}.json`,
    reporters: ['progress-append-only', 'html'],
    htmlReporter: { fileName: `${out}/${name}.html` },
    ignorePatterns: ['/.cache', '/.git', '/deploy', '/docs', '/e2e', '**/dist'],
    tempDirName: `${out}/sandbox`,
  }).runMutationTest();
  const of = (...statuses) => mutants.filter(({ status }) => statuses.includes(status));
  for (const mutant of of('Survived', 'NoCoverage')) console.log(describe(mutant));
  const unseen = of('Ignored').filter(({ mutatorName, statusReason = '' }) => isDisabled(mutatorName, statusReason));
  return {
    folder,
    noticed: of('Killed', 'Timeout').length,
    survived: of('Survived').length,
    untested: of('NoCoverage').length,
    unseen: unseen.length,
  };
}

/** The files of the code to change; for a sample every so many lines of them, counted through all files. */
function placesIn(folder, every) {
  const names = folder.endsWith('.ts')
    ? [folder]
    : readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  const files = names.filter((name) => name.endsWith('.ts') && !isNotMutated.test(name)).sort();
  if (every === 1) return files;
  const lines = files.flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').split('\n'), (_, i) => `${file}:${i + 1}-${i + 1}`),
  );
  return lines.filter((_, i) => i % every === 0);
}

/** The folder whose tests must notice: the deciding folder that contains this folder or file. */
function testsOf(folder) {
  const whole = deciding.find((candidate) => folder === candidate || folder.startsWith(`${candidate}/`));
  return whole ?? (folder.endsWith('.ts') ? dirname(folder) : folder);
}

function isDisabled(mutator, reason) {
  return !excludedMutations.includes(mutator) && !reason.startsWith('Static mutant');
}

function describe({ fileName, location, mutatorName, replacement = '', status }) {
  const { line, column } = location.start;
  const what = status === 'NoCoverage' ? 'no test reaches' : 'no test notices';
  return `${fileName}:${line}:${column} ${what} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ')}`;
}

function header() {
  return '| folder | mutants | noticed | survived | not reached | cannot be seen | noticed % |\n|---|---|---|---|---|---|---|';
}

function print({ folder, noticed, survived, untested, unseen }) {
  const all = noticed + survived + untested;
  const share = all === 0 ? 100 : (100 * noticed) / all;
  return `| \`${folder}\` | ${all} | ${noticed} | ${survived} | ${untested} | ${unseen} | ${share.toFixed(1)} |`;
}
