// Runs all tests (arguments go to vitest) and ends with the line "N passed, N failed, N skipped". With CI=true a skipped
// test is a failure.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'causeway-test-'));
const report = join(out, 'report.json');
const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run'];
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const result = spawnSync(process.execPath, [...vitest, ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});

let counts = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.error('the test runner left no report');
}
rmSync(out, { recursive: true, force: true });

// A file that does not load, or an error outside any test, fails the run without a failed test.
const failed = counts.numFailedTests === 0 && result.status !== 0 ? 1 : counts.numFailedTests;
const skipped = counts.numPendingTests + counts.numTodoTests;
// In a pipeline, a skipped test proves nothing but looks like success. Tests that `-t` excludes were not asked for.
const isFiltered = process.argv.some((argument) => /^(-t|--testNamePattern)(=|$)/.test(argument));
const mustRun = process.env.CI === 'true' && !isFiltered;
if (mustRun && skipped > 0) {
  console.error('CI=true, and these were skipped (node tools/setup.mjs --test installs what tests need):');
  for (const { name, assertionResults = [] } of counts.testResults ?? []) {
    const left = assertionResults.filter(({ status }) => ['skipped', 'pending', 'todo', 'disabled'].includes(status));
    for (const { fullName } of left) console.error(`  ${relative(root, name)}: ${fullName.trim()}`);
  }
}
console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 && counts.numPassedTests > 0 && !(mustRun && skipped > 0) ? 0 : 1;
