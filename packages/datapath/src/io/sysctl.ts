import { readFileSync, writeFileSync } from 'node:fs';
import { inNetns } from '@causeway/netlink/io';

/**
 * The values of those keys that exist (IPv6 or the interface may be absent). /proc/sys/net shows the reading thread's
 * namespace.
 */
export function readSysctls(netns: number | undefined, keys: readonly string[]): Map<string, string> {
  if (keys.length === 0) return new Map();
  return inNetns(netns, () => {
    const values = new Map<string, string>();
    for (const key of keys) {
      const value = readOne(sysctlPath(key));
      if (value !== undefined) values.set(key, value);
    }
    return values;
  });
}

/** sysctl -w KEY=VALUE. Throws the error of node:fs: ENOENT for an unknown key, EINVAL for an invalid value. */
export function writeSysctl(netns: number | undefined, key: string, value: string): void {
  const path = sysctlPath(key);
  inNetns(netns, () => writeFileSync(path, value, { flag: 'r+' }));
}

/**
 * "net.ipv4.conf.eth0/1.forwarding" is net/ipv4/conf/eth0.1/forwarding: as in sysctl(8), a "/" stands for a dot
 * inside a name.
 */
export function sysctlPath(key: string): string {
  const parts = key.split('.').map((part) => part.replaceAll('/', '.'));
  if (parts[0] !== 'net' || parts.length === 1 || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new RangeError(`"${key}" is not a sysctl of a network namespace, such as net.ipv4.ip_forward`);
  }
  return `/proc/sys/${parts.join('/')}`;
}

function readOne(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
