import { spawn } from 'node:child_process';
import { CausewayError } from '@causeway/model';
import { childrenByParent, identify, type ProcessId } from './proc.ts';
import { paths } from './state.ts';

/** In the environment of every process of a lab, so that `lab down` finds them whatever else is lost. */
export const labVariable = 'CAUSEWAY_LAB';

/**
 * Runs as the first process of the new namespaces ($0 the host's name, $1 the lab's folder, $2 the host's), then is
 * replaced by a sleep that ignores SIGCHLD: with that the kernel reaps orphans itself, and a host costs half a megabyte.
 * Data lives on a tmpfs of the host's own, which ends with it. /run comes last: it hides the lab's folder. "-n" keeps
 * mount(8) from its notes in the machine's /run.
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

/** Namespaces of a host, or (without a `hostDir`) of a switch. */
export interface NamespaceSpec {
  readonly lab: string;
  readonly name: string;
  readonly hostDir?: string;
}

/** Makes all, each with PID, mount, UTS and network namespaces; answers their first processes in the same order. */
export async function createNamespaces(specs: readonly NamespaceSpec[]): Promise<readonly ProcessId[]> {
  const parents = await Promise.all(specs.map(createNamespace));
  const children = await childrenByParent();
  return parents.map((parent, i) => {
    const child = children.get(parent)?.[0];
    if (child !== undefined) return child;
    throw new CausewayError('internal', `the first process of ${specs[i]?.name} ended at once`);
  });
}

/** Resolves with the pid of `unshare`, the parent of the namespaces' first process, once that has set them up. */
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
    // The script says one word, when all is set up; `unshare` keeps its end of the pipes open, we do not.
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

/** Arguments of `nsenter` that lead into all namespaces of a host; the command follows. */
export function enterArguments(init: ProcessId): readonly string[] {
  return ['--target', String(init.pid), '--pid', '--mount', '--uts', '--net', '--'];
}

/** Arguments of `nsenter` that lead into its network namespace alone, with the programs and /proc of the machine. */
export function enterNetworkArguments(init: ProcessId): readonly string[] {
  return ['--target', String(init.pid), '--net', '--'];
}

/** Throws when the host's first process is gone, and all of the host with it. */
export async function checkAlive(init: ProcessId, what: string): Promise<void> {
  if ((await identify(init.pid))?.started === init.started) return;
  throw new CausewayError('lab-process-state', `${what} is gone: its first process was killed; make the lab anew`);
}
