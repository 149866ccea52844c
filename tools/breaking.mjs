// The API breaks no client of the last release: buf compares with the newest tag, and before there is a tag (or in a clone
// without tags) with the API as it was released, proto/released.binpb. `--release` writes that file.
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
