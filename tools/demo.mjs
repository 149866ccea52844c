// `npm run demo`: sets up, then tells the story. Where a real lab is impossible, it says what a lab would need and tells the
// same story on the simulated cluster.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const usage = `usage: npm run demo [-- OPTION...]

A network over all hosts of a lab, a container on each, pings between all of them. The lab stays up until Ctrl-C.

  --once        take the lab down when the story is told, and exit
  --simulated   on a simulated cluster in this process: any system, no root
  --name NAME   name of the lab (demo)
  --hosts N     how many hosts, 2 to 20 (3)
  --help        this text`;

const options = readOptions();
const root = fileURLToPath(new URL('..', import.meta.url));
const setup = spawnSync(process.execPath, [join(root, 'tools/setup.mjs')], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);

const obstacle = options.simulated ? undefined : whyNoLab();
if (obstacle !== undefined)
  console.error(`demo: a lab of real hosts needs ${obstacle}; showing the simulated cluster instead\n`);
const settings = { ...options, simulated: options.simulated || obstacle !== undefined };
const demo = spawnSync(process.execPath, [join(root, 'test/demo/dist/main.js'), JSON.stringify(settings)], {
  stdio: 'inherit',
});
process.exit(demo.status ?? 1);

/** Rejects wrong options before anything is installed or built. */
function readOptions() {
  const flag = { type: 'boolean', default: false };
  const known = {
    once: flag,
    simulated: flag,
    help: flag,
    name: { type: 'string', default: 'demo' },
    hosts: { type: 'string', default: '3' },
  };
  try {
    const { help, hosts, ...rest } = parseArgs({ options: known }).values;
    if (help) {
      console.log(usage);
      process.exit(0);
    }
    const count = Number(hosts);
    if (!Number.isInteger(count) || count < 2 || count > 20)
      throw new Error(`--hosts "${hosts}": give a number from 2 to 20`);
    return { ...rest, hosts: count };
  } catch (error) {
    console.error(`demo: ${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

function whyNoLab() {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root (it makes network namespaces): sudo npm run demo';
  if (spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status !== 0)
    return 'a kernel that lets root make namespaces';
  const missing = ['/usr/bin/etcd', '/usr/local/bin/etcd'].every((path) => !existsSync(path));
  return missing ? 'etcd (Debian package etcd-server)' : undefined;
}
