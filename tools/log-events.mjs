// Lists the log events of the programs, and refuses events that are not named `noun.verb` (docs/logging.md) and events in docs
// that no program logs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = (...paths) =>
  execFileSync('git', ['ls-files', ...paths], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
const textOf = (file) => readFileSync(join(root, file), 'utf8');

/** The first argument of each call of a log, the event of `failureLog`, and each `event: '…'` that is logged elsewhere. */
const logged =
  /\b#?log\.(?:error|warn|info|debug)\(([^;{]*?)[,)]|\bfailureLog\([^,]+,\s*('[^']+')|\bevent(?:: | = )([^;{]*?)[,;]/g;
const literal = /'([^'\n]+)'/g;
const form = /^[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*$/;

const events = new Map();
const wrong = [];
for (const file of files('services/*.ts', 'packages/identity/*.ts', 'packages/runtime/*.ts', 'proto/io/*.ts')) {
  if (/\.test\.ts$|\/testing\/|^services\/ctl\//.test(file)) continue;
  for (const [, call, failure, event] of textOf(file).matchAll(logged)) {
    for (const [, name] of (call ?? failure ?? event ?? '').matchAll(literal)) {
      if (form.test(name)) events.set(name, file);
      else if (call !== undefined && !/^[a-z-]+$/.test(name)) wrong.push(`${file}: "${name}" is not noun.verb`);
    }
  }
}
for (const [, cell] of textOf('docs/logging.md').matchAll(/^\| (`[^|]+`) \| (?:agent|manager)/gm)) {
  for (const [, name] of cell.matchAll(/`([^`]+)`/g)) {
    if (!events.has(name)) wrong.push(`docs/logging.md: no program logs "${name}"`);
  }
}
console.log([...events.keys()].sort().join('\n'));
for (const line of wrong) console.log(line);
process.exitCode = wrong.length === 0 ? 0 : 1;
