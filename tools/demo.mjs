// `npm run demo [-- --once] [-- --simulated]`: sets up, then tells the story. Where a real lab is impossible it says
// what that would need and tells the same story on the simulated cluster.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const setup = spawnSync(process.execPath, [join(root, 'tools/setup.mjs')], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);

const args = process.argv.slice(2);
const obstacle = args.includes('--simulated') ? undefined : whyNoLab();
if (obstacle !== undefined) {
  console.error(`demo: a lab of real hosts needs ${obstacle}; showing the simulated cluster instead\n`);
  args.push('--simulated');
}
const demo = spawnSync(process.execPath, [join(root, 'demo/dist/main.js'), ...args], { stdio: 'inherit' });
process.exit(demo.status ?? 1);

function whyNoLab() {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root (it makes network namespaces): sudo npm run demo';
  if (spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status !== 0)
    return 'a kernel that lets root make namespaces';
  const missing = ['/usr/bin/etcd', '/usr/local/bin/etcd'].every((path) => !existsSync(path));
  return missing ? 'etcd (Debian package etcd-server)' : undefined;
}
