import type { NetnsPath } from '../state.ts';
import { compareMaps } from './compare-maps.ts';
import type { Kind } from './kind.ts';
import { byKey, describeDifference, inside } from './printing.ts';

export type SysctlOp = {
  readonly op: 'sysctl.set';
  readonly netns: NetnsPath;
  readonly key: string;
  readonly value: string;
};

/** Sysctls of a namespace: files below /proc/sys/net. The kernel sends no notification when they change. */
export const sysctl: Kind<'sysctl', string, string, SysctlOp> = {
  name: 'sysctl',
  slot: 'sysctls',
  ops: ['sysctl.set'],
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.sysctls, desired?.sysctls),
  /** Removes none: the kernel keeps each sysctl as long as its interface, or the namespace, exists. */
  isOurs: () => false,
  describe: (difference) => ({ key: difference.key, ...describeDifference(difference) }),
  list: ({ sysctls }) => [...sysctls].sort(byKey).map(([key, value]) => `sysctl ${key} = ${value}`),

  steps(netns, { key, desired }) {
    if (desired === undefined) return [];
    const place = interfaceOf(key) === undefined ? 'set sysctl of namespace' : 'set sysctl of link';
    return [[place, { op: 'sysctl.set', netns, key, value: desired }]];
  },
  print: ({ netns, key, value }) => `${inside(netns)}sysctl -w ${key}=${value}`,
  device: () => undefined,
  additive: (op) => op,

  follow({ sysctls }, dev, what) {
    for (const key of sysctls.keys()) {
      const falls = what === 'gone' || (what === 'no IPv6' && key.startsWith('net.ipv6.'));
      if (falls && interfaceOf(key) === dev) sysctls.delete(key);
    }
  },

  real: {
    derive: ({ scope, sysctls }) => sysctls(scope.sysctls),
    apply: (to, { netns, key, value }) => to.writeSysctl(netns, key, value),
  },
};

/**
 * An interface's own sysctl: ("ipv6", "eth0", "accept_ra") is "net.ipv6.conf.eth0.accept_ra". As in sysctl(8), a "." within
 * a part is written "/": "net.ipv6.conf.eth0/7.accept_ra" is /proc/sys/net/ipv6/conf/eth0.7/accept_ra.
 */
export function interfaceSysctl(family: 'ipv4' | 'ipv6', dev: string, name: string): string {
  return `net.${family}.conf.${dev.replaceAll('.', '/')}.${name}`;
}

/** The interface that the sysctl belongs to; undefined: a sysctl of the namespace, "all" and "default" included. */
function interfaceOf(key: string): string | undefined {
  const dev = /^net\.ipv[46]\.conf\.([^.]+)\./.exec(key)?.[1]?.replaceAll('/', '.');
  return dev === 'all' || dev === 'default' ? undefined : dev;
}
