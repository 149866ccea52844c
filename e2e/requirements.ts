import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';

const commands = ['etcd', 'ip', 'bridge', 'nsenter', 'unshare', 'ping', 'tcpdump'];

/**
 * A suite that needs a lab, and perhaps more commands. Where the lab cannot be made, the suite is skipped with the
 * reason; in CI this is a failure.
 */
export function describeLab(name: string, body: () => void, more: readonly string[] = []): void {
  describeUnless(whyNoLab([...commands, ...more]), name, body);
}

/** A suite that needs these commands on Linux, and no lab. */
export function describeWith(needed: readonly string[], name: string, body: () => void): void {
  describeUnless(process.platform === 'linux' ? missing(needed) : 'Linux', name, body);
}

function describeUnless(reason: string | undefined, name: string, body: () => void): void {
  if (reason === undefined) {
    describe(name, body);
    return;
  }
  if (process.env.CI === 'true') throw new Error(`${name}: needs ${reason}`);
  describe.skip(`${name} (needs ${reason})`, body);
}

function whyNoLab(needed: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root';
  const absent = missing(needed);
  if (absent !== undefined) return absent;
  const made = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']);
  return made.status === 0 ? undefined : 'a kernel that lets root make namespaces';
}

function missing(needed: readonly string[]): string | undefined {
  const absent = needed.filter((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0);
  return absent.length > 0 ? absent.join(', ') : undefined;
}
