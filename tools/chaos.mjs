// `npm run chaos [-- storm|failover …]`: sets up, then breaks a real cluster at random and judges what its clients were told.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const setup = spawnSync(process.execPath, [join(root, 'tools/setup.mjs'), '--test'], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);
const chaos = spawnSync(process.execPath, [join(root, 'test/chaos/dist/main.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(chaos.status ?? 1);
