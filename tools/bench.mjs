// `npm run bench [-- NAME…]`: sets up, then measures beside what each figure is compared with.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const setup = spawnSync(process.execPath, [join(root, 'tools/setup.mjs'), '--test'], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);
const bench = spawnSync(
  process.execPath,
  ['--expose-gc', join(root, 'test/bench/dist/main.js'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exit(bench.status ?? 1);
