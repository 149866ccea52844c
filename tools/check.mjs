// All checks that do not run the code: types (tests included), lint and format, and whether generated code and docs
// agree with their sources. Runs all checks, reports each, and exits 1 if any failed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const checks = [
  ['types', 'node_modules/.bin/tsc', ['-b']],
  ['types of tests', 'node_modules/.bin/tsc', ['-p', 'tsconfig.check.json']],
  ['lint and format', 'node_modules/.bin/biome', ['ci', '--error-on-warnings', '.']],
  ['import rules refuse', process.execPath, ['tools/import-rules.mjs']],
  ['protocol lint', 'node_modules/.bin/buf', ['lint']],
  ['protocol breaks no client', process.execPath, ['tools/breaking.mjs']],
  ['protocol comments', process.execPath, ['tools/proto-comments.mjs']],
  ['generated code', process.execPath, ['tools/genproto.mjs', '--check']],
  ['command reference', process.execPath, ['tools/docs.mjs', '--check']],
  // tsc accepts imports that fail when the program starts: of a file outside dist, or in a cycle of values.
  ...['manager', 'agent', 'ctl'].map((name) => [
    `${name} starts`,
    process.execPath,
    [`services/${name}/dist/main.js`, '--version'],
  ]),
  ['snippets in docs', process.execPath, ['tools/snippets.mjs']],
  ['plain English', process.execPath, ['tools/plain-english.mjs']],
  ['log events', process.execPath, ['tools/log-events.mjs']],
  ['security claims have tests', process.execPath, ['tools/security-claims.mjs']],
];

let failed = 0;
for (const [name, command, args] of checks) {
  const started = performance.now();
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  const good = result.status === 0;
  console.log(`${good ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!good) {
    failed++;
    process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
