import { hostNetns, type Op, type XfrmPolicy } from '@causeway/datapath';
import { FakeKernel, xfrm } from '@causeway/datapath/testing';
import { Ip } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ipsec } from './ipsec.ts';
import { KnownIpsec } from './known-ipsec.ts';
import { noIpsec } from './round.ts';

const policy: XfrmPolicy = xfrm.block('in');
const op: Op = { op: 'xfrmPolicy.delete', netns: hostNetns, policy };

let clock: FakeClock;
let kernel: FakeKernel;
let known: KnownIpsec;
let reads: number;

beforeEach(() => {
  clock = new FakeClock();
  kernel = new FakeKernel({ clock }, { underlay: Ip('192.0.2.1') });
  reads = 0;
  const read: FakeKernel['read'] = (...args) => {
    reads++;
    return kernel.read(...args);
  };
  known = new KnownIpsec({ kernel: { read }, clock });
});

const look = () => clock.until(known.look(), seconds(1));

/** A round that makes what the kernel has as desired. */
async function round(): Promise<Ipsec> {
  const { found } = await look();
  kernel.foreign({ op: 'xfrmPolicy.set', netns: hostNetns, policy });
  const held = { ...noIpsec, xfrmPolicies: new Map([...found.xfrmPolicies, ['in', policy]]) };
  known.became(held);
  return held;
}

describe('what the kernel has', () => {
  it('is read once, and then follows from what was done', async () => {
    const held = await round();
    expect([await look(), reads]).toEqual([{ found: held, drift: [], readTook: undefined }, 1]);
  });

  it.each<[string, () => unknown]>([
    ['the kernel has notified of a change', () => known.forget()],
    ['some time has passed', () => clock.advance(seconds(5))],
    ['the kernel has refused something', () => known.became(undefined)],
    ['a round has ended in the middle', look],
    ['nothing of it is wanted any more', () => known.reset()],
  ])('is read again when %s', async (_, happens) => {
    await round();
    await happens();
    await look();
    expect(reads).toBe(2);
  });

  it('is read again when the kernel notifies of a change during a round', async () => {
    const { found } = await look();
    known.forget();
    known.became(found);
    await look();
    expect(reads).toBe(2);
  });

  it('differs from what it was after the last round by what others have changed, also when a round fails in between', async () => {
    kernel.foreign({ op: 'xfrmPolicy.set', netns: hostNetns, policy });
    known.became((await look()).found);
    kernel.foreign(op);
    for (let tries = 0; tries < 2; tries++) {
      known.forget();
      expect((await look()).drift).toMatchObject([{ kind: 'xfrm policy', actual: 'absent' }]);
    }
    known.reset();
    expect((await look()).drift).toEqual([]);
  });
});
