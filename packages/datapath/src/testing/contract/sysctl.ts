import { type ContractCase, must, outcome, overlay, read, same } from './host.ts';

export const sysctlCases: readonly ContractCase[] = [
  {
    name: 'sysctls: read, set, those of interfaces come and go with them, unknown ones are ENOENT',
    async run(host) {
      const { netns, container } = await overlay(host);
      const own = 'net.ipv6.conf.eth0.accept_ra';
      const unknown = 'net.ipv4.conf.eth7.send_redirects';
      await must(host, { op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '1' });
      await must(host, { op: 'sysctl.set', netns: container, key: own, value: '0' });
      const found = (await read(host, netns, { sysctls: ['net.ipv4.ip_forward', unknown] })).sysctls;
      same(found, new Map([['net.ipv4.ip_forward', '1']]), 'of the namespace');
      const sysctls = [own, 'net.ipv4.ip_forward'];
      const inside = (await read(host, container, { sysctls })).sysctls;
      same(inside, new Map([[own, '0'], ['net.ipv4.ip_forward', '0']]), 'of another namespace'); // biome-ignore format: one line
      same(await outcome(host, { op: 'sysctl.set', netns, key: unknown, value: '0' }), 'ENOENT', 'unknown');
    },
  },
];
