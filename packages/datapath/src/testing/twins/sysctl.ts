import { minimumMtu } from '@causeway/model';
import { interfaceSysctl, type SysctlOp } from '../../kinds/sysctl.ts';
import { sysctlCases } from '../contract/sysctl.ts';
import { type FakeNamespace, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** Defaults of a new namespace, as in Linux 6.18: Documentation/networking/ip-sysctl.rst. */
const perInterface = {
  ipv4: { accept_redirects: '1', promote_secondaries: '0', send_redirects: '1' },
  ipv6: { accept_ra: '1', addr_gen_mode: '0', disable_ipv6: '0', forwarding: '0' },
} as const;

const families = ['ipv4', 'ipv6'] as const;

/** The sysctls of a namespace and of its interfaces. */
export const sysctlsOf = perOwner<FakeNamespace, Map<string, string>>(newNamespaceSysctls);

export const sysctl: Twin<SysctlOp> = {
  execute(namespace, { key, value }) {
    if (!sysctlsOf(namespace).has(key)) throw new Refusal('ENOENT', `no sysctl ${key}`);
    sysctlsOf(namespace).set(key, value);
  },
  view(namespace, _, scope) {
    const sysctls = sysctlsOf(namespace);
    return new Map([...sysctls].filter(([key]) => scope.sysctls.includes(key)));
  },
  /** A new interface gets the values of "default". With an MTU below the minimum, IPv6 and its settings are gone. */
  follow(namespace, { link: { name, mtu } }, what) {
    const sysctls = sysctlsOf(namespace);
    if (what === 'made') addFamily(sysctls, name, 'ipv4');
    if ((what === 'made' && mtu >= minimumMtu) || what === 'IPv6 again') addFamily(sysctls, name, 'ipv6');
    if (what === 'gone') removeFamily(sysctls, name, 'ipv4');
    if (what === 'gone' || what === 'no IPv6') removeFamily(sysctls, name, 'ipv6');
  },
  cases: sysctlCases,
  drift: ({ overlay: netns }) => [[{ op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '0' }]],
};

function newNamespaceSysctls(): Map<string, string> {
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

function addFamily(sysctls: Map<string, string>, dev: string, family: 'ipv4' | 'ipv6'): void {
  for (const [name, value] of Object.entries(perInterface[family])) {
    sysctls.set(interfaceSysctl(family, dev, name), sysctls.get(interfaceSysctl(family, 'default', name)) ?? value);
  }
}

function removeFamily(sysctls: Map<string, string>, dev: string, family: 'ipv4' | 'ipv6'): void {
  for (const name of Object.keys(perInterface[family])) sysctls.delete(interfaceSysctl(family, dev, name));
}
