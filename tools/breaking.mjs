// Checks that the API breaks no client of the last release. buf compares it with the newest tag. If there is no tag, or the
// clone has none, buf compares it with the released API in proto/released.binpb. `--release` writes that file.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const released = 'proto/released.binpb';
const buf = (...args) => spawnSync('node_modules/.bin/buf', args, { cwd: root, stdio: 'inherit' });

const tag = spawnSync('git', ['describe', '--tags', '--abbrev=0'], { cwd: root, encoding: 'utf8' });
const against = tag.status === 0 ? `.git#tag=${tag.stdout.trim()}` : released;
const result = process.argv.includes('--release')
  ? buf('build', '.', '-o', released)
  : buf('breaking', '.', '--against', against);
process.exitCode = result.status ?? 1;
