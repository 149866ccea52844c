// Prepares a clone so that everything runs: Debian packages, npm packages, built code. Can be repeated; takes seconds when
// nothing changed. Needs only Node and npm. `--test` adds what only the tests use.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const forTests = process.argv.includes('--test');

/** Command, or path of another file -> the Debian package that contains it. */
const needed = {
  etcd: 'etcd-server',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  ping: 'iputils-ping',
  ...(forTests
    ? {
        etcdctl: 'etcd-client',
        go: 'golang-go',
        '/usr/share/gocode/src/github.com/hashicorp/memberlist/memberlist.go': 'golang-github-hashicorp-memberlist-dev',
        'iptables-legacy': 'iptables',
        'linux.uml': 'user-mode-linux',
        modprobe: 'kmod',
        openssl: 'openssl',
        serf: 'serf',
        strace: 'strace',
        tcpdump: 'tcpdump',
        '/usr/lib/python3/dist-packages/yaml': 'python3-yaml',
      }
    : {}),
};

checkNode();
installDebianPackages();
installNpmPackages();
await build();

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    stop(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
}

function installDebianPackages() {
  const missing = [...new Set(Object.entries(needed).flatMap(([command, name]) => (which(command) ? [] : [name])))];
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.platform !== 'linux' || !which('apt-get') || process.getuid?.() !== 0) {
    // Continue: unit tests and the simulated demo work without these. Programs that need them say so themselves.
    console.error(`setup: missing ${missing.join(', ')}; as root on Debian: ${command}`);
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  step(`installing ${missing.join(', ')}`, () => {
    run('apt-get', ['update', '-qq'], env);
    run('apt-get', command.split(' ').slice(1), env);
  });
}

function installNpmPackages() {
  const stamp = join(root, 'node_modules/.causeway-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  step('installing npm packages', () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']));
  writeFileSync(stamp, lock);
}

/** Prints each project that is built: a first build takes minutes. */
async function build() {
  const started = performance.now();
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const child = spawn('node', [tsc, '-b', '--verbose'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const errors = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const project = /Building project '(.*)\/tsconfig\.json'/.exec(line)?.[1];
    if (project !== undefined) process.stderr.write(`setup: building ${relative(root, project)}\n`);
    else if (/\berror TS\d+|^ +[^* ]/.test(line)) errors.push(line);
  }
  if ((await ended) !== 0) {
    process.stderr.write(`${errors.join('\n')}\n`);
    stop('"tsc -b" failed');
  }
  process.stderr.write(`setup: built in ${seconds(started)}\n`);
}

function step(what, work) {
  const started = performance.now();
  process.stderr.write(`setup: ${what} … `);
  work();
  process.stderr.write(`${seconds(started)}\n`);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** Prints nothing unless the command fails; then prints all its output. */
function run(command, args, env = process.env) {
  const result = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status === 0) return;
  process.stderr.write(`\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  stop(`"${command} ${args.join(' ')}" failed${result.error ? `: ${result.error.message}` : ''}`);
}

function which(command) {
  if (command.startsWith('/')) return existsSync(command);
  const path = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path.split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, command)));
}

function stop(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}
