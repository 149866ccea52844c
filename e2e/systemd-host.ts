import { readFile } from 'node:fs/promises';
import { type Outcome, type Run, start, succeed } from '@causeway/lab/io';
import { eventually } from './eventually.ts';

/**
 * Makes the process the first process of a host with its own root (a copy of this machine's; writes go to memory), its
 * own cgroup and process file systems, and systemd. $1: an empty directory; $2: the directory that the host sees as
 * /packages.
 */
const boot = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p packages
mount --bind "$2" packages
mkdir -p mnt/old
pivot_root . mnt/old
umount -l /mnt/old
mount --make-rshared /
# Nothing of what this machine runs, or has of Causeway, is the host's.
rm -rf /etc/systemd/system/*.wants /var/log/journal /var/lib/causeway /etc/causeway
mkdir /var/lib/causeway
ip link set lo up
ip link add underlay type bridge
ip address add 192.0.2.1/24 dev underlay
ip link set underlay up
export container=e2e
exec /lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no`;

/** A host on which systemd runs, made of namespaces on this machine. Its address is 192.0.2.1. */
export class SystemdHost {
  readonly #run: Run;
  readonly #pid: number;

  private constructor(run: Run, pid: number) {
    this.#run = run;
    this.#pid = pid;
  }

  /** `directory`: an empty directory for this host only; `packages`: the directory that the host sees as /packages. */
  static async boot(directory: string, packages: string): Promise<SystemdHost> {
    const namespaces = ['--pid', '--mount', '--net', '--uts', '--ipc', '--cgroup'];
    const run = start('unshare', [
      ...namespaces,
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      boot,
      'boot',
      directory,
      packages,
    ]);
    const outcome = run.outcome.then(({ stderr }) => Promise.reject(new Error(`the host ended: ${stderr}`)));
    outcome.catch(() => undefined);
    try {
      const host = new SystemdHost(run, await Promise.race([outcome, eventually(() => childOf(run.child.pid))]));
      await Promise.race([outcome, eventually(() => host.sh('systemctl is-system-running --wait'))]);
      return host;
    } catch (error) {
      run.child.kill('SIGKILL');
      throw error;
    }
  }

  /** The root directory of the host, for this machine. */
  get root(): string {
    return `/proc/${this.#pid}/root`;
  }

  /** Output of a script that must succeed. */
  sh(script: string): Promise<string> {
    return succeed(script, this.try(script));
  }

  try(script: string): Promise<Outcome> {
    const enter = ['--target', String(this.#pid), '--all', '--'];
    // npm adds directories of this clone to the path, which the host must not use.
    const clean = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
    return start('timeout', ['60', 'nsenter', ...enter, ...clean, 'sh', '-c', script]).outcome;
  }

  async end(): Promise<void> {
    this.#run.child.kill('SIGKILL');
    await this.#run.outcome;
  }
}

async function childOf(pid: number | undefined): Promise<number> {
  const child = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
  if (!(child > 0)) throw new Error('the host has no first process yet');
  return child;
}
