import { minimumMtu } from '@causeway/model';
import { interfaceSysctl } from '../../state.ts';

/** Defaults of a fresh namespace, as Linux 6.18 has them: Documentation/networking/ip-sysctl.rst. */
const perInterface = {
  ipv4: { accept_redirects: '1', promote_secondaries: '0', send_redirects: '1' },
  ipv6: { accept_ra: '1', addr_gen_mode: '0', disable_ipv6: '0', forwarding: '0' },
} as const;

const families = ['ipv4', 'ipv6'] as const;

export function newNamespaceSysctls(): Map<string, string> {
  const sysctls = new Map([['net.ipv4.ip_forward', '0']]);
  for (const dev of ['all', 'default']) {
    for (const family of families) {
      for (const [name, value] of Object.entries(perInterface[family])) {
        sysctls.set(interfaceSysctl(family, dev, name), value);
      }
    }
  }
  return sysctls;
}

/** A new interface has what "default" has; below the minimum MTU it has no IPv6. */
export function addInterfaceSysctls(sysctls: Map<string, string>, dev: string, mtu: number): void {
  for (const family of mtu < minimumMtu ? (['ipv4'] as const) : families) addFamily(sysctls, dev, family);
}

export function removeInterfaceSysctls(sysctls: Map<string, string>, dev: string): void {
  for (const family of families) removeFamily(sysctls, dev, family);
}

/** IPv6 comes and goes with the MTU, and forgets its settings. */
export function followMtu(sysctls: Map<string, string>, dev: string, from: number, to: number): void {
  if (from >= minimumMtu && to < minimumMtu) removeFamily(sysctls, dev, 'ipv6');
  if (from < minimumMtu && to >= minimumMtu) addFamily(sysctls, dev, 'ipv6');
}

function addFamily(sysctls: Map<string, string>, dev: string, family: 'ipv4' | 'ipv6'): void {
  for (const [name, value] of Object.entries(perInterface[family])) {
    sysctls.set(interfaceSysctl(family, dev, name), sysctls.get(interfaceSysctl(family, 'default', name)) ?? value);
  }
}

function removeFamily(sysctls: Map<string, string>, dev: string, family: 'ipv4' | 'ipv6'): void {
  for (const name of Object.keys(perInterface[family])) sysctls.delete(interfaceSysctl(family, dev, name));
}
