import { hostNetns } from '../../state.ts';
import { encryptedPort } from '../xfrm-fixtures.ts';
import { type ContractCase, must, outcome, read, same } from './host.ts';
import { namespace } from './xfrm-policy.ts';

export const portGuardCases: readonly ContractCase[] = [
  {
    name: 'guards of ports are found as they were set, also when they were set twice, and are deleted one by one',
    async run(host) {
      const netns = await namespace(host);
      const [one, other] = [
        { netns, port: encryptedPort },
        { netns, port: encryptedPort + 1 },
      ];
      await must(host, { op: 'portGuard.set', ...one }, { op: 'portGuard.set', ...other });
      await must(host, { op: 'portGuard.set', ...one });
      const both = new Map([
        [one.port, 'whole'],
        [other.port, 'whole'],
      ]);
      same((await read(host, netns)).portGuards, both, 'found');
      await must(host, { op: 'portGuard.delete', ...one });
      same((await read(host, netns)).portGuards, new Map([[other.port, 'whole']]), 'one deleted');
      same(await outcome(host, { op: 'portGuard.delete', ...one }), 'ok', 'absent');
    },
  },
  {
    name: 'a guard: deleting succeeds without the namespace; setting without the namespace is ENOENT',
    async run(host) {
      const guard = { netns: host.freshPath(), port: encryptedPort };
      same(await outcome(host, { op: 'portGuard.delete', ...guard }), 'ok', 'delete');
      same(await outcome(host, { op: 'portGuard.set', ...guard }), 'ENOENT', 'set');
    },
  },
  {
    name: 'a watch of the host namespace reports that another program deletes a guard of ours',
    async run(host) {
      const guard = { netns: hostNetns, port: encryptedPort };
      await must(host, { op: 'portGuard.set', ...guard });
      let isReported = false;
      const watch = host.kernel.watch(hostNetns, (_, { more }) => {
        isReported ||= more;
      });
      await host.foreign({ op: 'portGuard.delete', ...guard });
      await host.until(() => isReported);
      watch?.close();
      same((await read(host, hostNetns)).portGuards, new Map(), 'found');
    },
  },
];
