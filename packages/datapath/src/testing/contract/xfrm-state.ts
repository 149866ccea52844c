import { sameState, stateKey, type XfrmState } from '../../kinds/xfrm-state.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import { ends, saKey, state } from '../xfrm-fixtures.ts';
import { type ContractCase, type ContractHost, must, outcome, read, same } from './host.ts';
import { namespace } from './xfrm-policy.ts';

const [v4, v6] = [ends[4], ends[6]];
const sending = { direction: 'out', src: v4.here, dst: v4.there } as const;

/** An SA of another program has another reqid. */
const foreignReqid = 7;

export const xfrmStateCases: readonly ContractCase[] = [
  withEsp(
    'SAs are found as they were added, key included, and are deleted: of each direction and family',
    async (host, netns) => {
      const states = [
        state(),
        state({ ...sending, limits: { soft: { bytes: 1e12 }, hard: { bytes: 2e12, packets: 1e9, seconds: 86_400 } } }),
        state({ src: v6.there, dst: v6.here, limits: { soft: { packets: 5, seconds: 28_800 } } }),
        state({ direction: 'out', src: v6.here, dst: v6.there, spi: 0xffff_ffff }),
        state({ spi: 0x1200_0002, encap: { sport: 4500, dport: 4501 } }),
        state({ ...sending, spi: 0x1200_0003, encap: { sport: 4500, dport: 4501 } }),
        state({ src: v6.there, dst: v6.here, spi: 0x1200_0004, encap: { sport: 4501, dport: 4500 } }),
        state({ direction: 'out', src: v6.here, dst: v6.there, spi: 7, encap: { sport: 4500, dport: 4501 } }),
      ];
      await must(host, ...states.map((each) => ({ op: 'xfrmState.add', netns, state: each }) as const));
      const found = (await read(host, netns)).xfrmStates;
      same([...found.keys()], states.map(stateKey), 'found');
      for (const each of states) {
        const isSame = (other: XfrmState): boolean => sameState(found.get(stateKey(each)) ?? other, other);
        same(isSame(each), true, `${stateKey(each)}: as it was added`);
        same(isSame({ ...each, key: saKey(1) }), false, `${stateKey(each)}: another key`);
      }
      await must(host, ...states.map((each) => ({ op: 'xfrmState.delete', netns, state: each }) as const));
      same((await read(host, netns)).xfrmStates, new Map(), 'deleted');
    },
  ),
  withEsp('an SA that exists is never changed: adding another with the same SPI is EEXIST', async (host, netns) => {
    await must(host, { op: 'xfrmState.add', netns, state: state() });
    const other = state({ key: saKey(1) });
    same(await outcome(host, { op: 'xfrmState.add', netns, state: other }), 'EEXIST', 'added again');
    const [found] = (await read(host, netns)).xfrmStates.values();
    same(found !== undefined && sameState(found, state()), true, 'the first key');
  }),
  withEsp('the ports of an SA change, and nothing else does: of each direction and family', async (host, netns) => {
    const encap = { sport: 4500, dport: 4500 };
    const limits = { soft: { packets: 5 }, hard: { bytes: 2e12, seconds: 86_400 } };
    const states = [
      state({ encap, limits }),
      state({ ...sending, encap, limits }),
      state({ src: v6.there, dst: v6.here, encap, limits }),
      state({ direction: 'out', src: v6.here, dst: v6.there, encap, limits }),
    ];
    for (const each of states) {
      const moved = { ...each, encap: { sport: 61_000, dport: 61_001 } };
      await must(host, { op: 'xfrmState.add', netns, state: each });
      await must(host, { op: 'xfrmState.setPorts', netns, state: moved });
      const found = (await read(host, netns)).xfrmStates.get(stateKey(each));
      same(found !== undefined && sameState(found, moved), true, stateKey(each));
    }
  }),
  withEsp('ports change only of an SA that is there, is ours, and has ports', async (host, netns) => {
    const moved = state({ encap: { sport: 61_000, dport: 4500 } });
    const setPorts = { op: 'xfrmState.setPorts', netns, state: moved } as const;
    same(await outcome(host, setPorts), 'ESRCH', 'absent');
    await must(host, { op: 'xfrmState.add', netns, state: state() });
    same(await outcome(host, setPorts), 'EINVAL', 'plain ESP');
    await must(host, { op: 'xfrmState.delete', netns, state: state() });
    await host.foreign({ op: 'xfrmState.add', netns, state: { ...moved, reqid: foreignReqid } });
    same(await outcome(host, setPorts), 'EEXIST', 'of another program');
  }),
  withEsp('an SA of another program is not found, and not deleted', async (host, netns) => {
    const foreign = state({ reqid: foreignReqid });
    await host.foreign({ op: 'xfrmState.add', netns, state: foreign });
    same((await read(host, netns)).xfrmStates, new Map(), 'found');
    await must(host, { op: 'xfrmState.delete', netns, state: state() });
    same(await outcome(host, { op: 'xfrmState.add', netns, state: state() }), 'EEXIST', 'still there');
  }),
  withEsp('a watch of the host namespace reports that another program deletes an SA of ours', async (host) => {
    const op = { netns: hostNetns, state: state() };
    await must(host, { op: 'xfrmState.add', ...op });
    let isReported = false;
    const watch = host.kernel.watch(hostNetns, (_, { more }) => {
      isReported ||= more;
    });
    await host.foreign({ op: 'xfrmState.delete', ...op });
    await host.until(() => isReported);
    watch?.close();
    same((await read(host, hostNetns)).xfrmStates, new Map(), 'found');
  }),
  {
    name: 'an SA: deleting succeeds when it is absent, or its namespace; adding without the namespace is ENOENT',
    async run(host) {
      const netns = await namespace(host);
      const gone = host.freshPath();
      same(await outcome(host, { op: 'xfrmState.delete', netns, state: state() }), 'ok', 'absent');
      same(await outcome(host, { op: 'xfrmState.delete', netns: gone, state: state() }), 'ok', 'no namespace');
      same(await outcome(host, { op: 'xfrmState.add', netns: gone, state: state() }), 'ENOENT', 'add');
    },
  },
];

/** A case in a namespace of its own. Where the kernel has no ESP, the case is that an SA is refused. */
function withEsp(name: string, run: (host: ContractHost, netns: NetnsPath) => Promise<void>): ContractCase {
  return {
    name: `${name} (without ESP an SA is ENOSYS)`,
    async run(host) {
      const netns = await namespace(host);
      if (host.hasEsp) return run(host, netns);
      same(await outcome(host, { op: 'xfrmState.add', netns, state: state() }), 'ENOSYS', 'without ESP');
      same((await read(host, netns)).xfrmStates, new Map(), 'without ESP');
    },
  };
}
