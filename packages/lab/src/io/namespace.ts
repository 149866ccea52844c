import { spawn } from 'node:child_process';
import { CausewayError } from '@causeway/model';
import { childrenByParent, identify, type ProcessId } from './proc.ts';
import { paths } from './state.ts';

/** In the environment of every process of a lab, so that `lab down` finds the processes whatever else is lost. */
export const labVariable = 'CAUSEWAY_LAB';

/**
 * Script of the first process of the new namespaces ($0: name of the host, $1: folder of the lab, $2: folder of the
 * host). It ends as a sleep that ignores SIGCHLD: the kernel then reaps orphans itself, and a host costs half a megabyte.
 * Data are on the host's own tmpfs, which ends with the host. /run is mounted last, because it hides the lab's folder.
 * "-n" stops mount(8) from writing notes in the machine's /run.
 */
const init = `set -e
echo "$0" > /proc/sys/kernel/hostname
mount -n -t sysfs sysfs /sys
mount -n -t tmpfs -o mode=755 tmpfs /var/lib/causeway
if [ -n "$2" ]; then
  mount -n --bind "$1/hosts" /etc/hosts
  mount -n --bind "$1/bin" "$2/run/causeway-bin"
  mount -n --rbind "$2/run" /run
fi
echo ready
exec env --ignore-signal=CHLD sleep infinity >/dev/null 2>&1`;

/** Namespaces of a host, or of a switch when there is no `hostDir`. */
export interface NamespaceSpec {
  readonly lab: string;
  readonly name: string;
  readonly hostDir?: string;
}

/** Makes PID, mount, UTS and network namespaces for each spec. Returns their first processes in the same order. */
export async function createNamespaces(specs: readonly NamespaceSpec[]): Promise<readonly ProcessId[]> {
  const parents = await Promise.all(specs.map(createNamespace));
  const children = await childrenByParent();
  return parents.map((parent, i) => {
    const child = children.get(parent)?.[0];
    if (child !== undefined) return child;
    throw new CausewayError('internal', `the first process of ${specs[i]?.name} ended at once`);
  });
}

/** Resolves once the first process has set up the namespaces, with the pid of its parent `unshare`. */
function createNamespace(spec: NamespaceSpec): Promise<number> {
  const labDir = paths.lab(spec.lab);
  const unshare = ['--pid', '--fork', '--mount', '--uts', '--net', '--mount-proc'];
  const child = spawn('unshare', [...unshare, 'sh', '-c', init, spec.name, labDir, spec.hostDir ?? ''], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', [labVariable]: labDir },
  });
  return new Promise((resolve, reject) => {
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // The script prints one word when everything is set up. `unshare` keeps its end of the pipes open; this process
    // closes its own.
    child.stdout.once('data', () => {
      child.removeAllListeners();
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      if (child.pid !== undefined) resolve(child.pid);
    });
    child.on('error', reject);
    child.on('close', () => {
      reject(new CausewayError('internal', `cannot make the namespaces of ${spec.name}: ${stderr.trim()}`));
    });
  });
}

/** Arguments of `nsenter` that enter all namespaces of a host; the command follows. */
export function enterArguments(init: ProcessId): readonly string[] {
  return ['--target', String(init.pid), '--pid', '--mount', '--uts', '--net', '--'];
}

/** Arguments of `nsenter` that enter only the network namespace, with the programs and /proc of the machine. */
export function enterNetworkArguments(init: ProcessId): readonly string[] {
  return ['--target', String(init.pid), '--net', '--'];
}

/** Throws when the first process of the host is gone, because the whole host ends with it. */
export async function checkAlive(init: ProcessId, what: string): Promise<void> {
  if ((await identify(init.pid))?.started === init.started) return;
  throw new CausewayError('lab-process-state', `${what} is gone: its first process was killed; make the lab anew`);
}
