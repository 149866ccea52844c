import { type SaCounts, stateKey, type XfrmState } from '@causeway/datapath';
import { xfrm } from '@causeway/datapath/testing';
import { minutes } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { reasonToRekey } from './wish.ts';

const { here, there } = xfrm.ends[4];
const period = minutes(10);
const orders = { period, afterGeneration: 0 };
const newest = { generation: 18, publicKey: new Uint8Array(32), createdAt: 1_000_000 };
const made = newest.createdAt;
/** The first bytes of the key are zero, so it is due after the whole period. */
const due = newest.createdAt + period;

/** An SA of generation 18, whose SPI begins with 2, with which this host has sent so much. */
function sent(counts: Partial<SaCounts>, over: Partial<XfrmState> = {}) {
  const limits = { soft: { bytes: 1_000, packets: 10 }, hard: { bytes: 4_000 } };
  const whole = { bytes: 0, packets: 0, addedAt: 0, replays: 0, ...counts };
  const sa = xfrm.state({ direction: 'out', src: here, dst: there, spi: 0x2100_0101, limits, counts: whole, ...over });
  return { own: here, found: { xfrmStates: new Map([[stateKey(sa), sa]]) } };
}

describe('a new key is wanted', () => {
  it.each([
    ['not before the period is over', sent({}), orders, due - 1, undefined],
    ['when it is over', sent({}), orders, due, 'due'],
    ['when the clock was set back by much since it was made', sent({}), orders, made - minutes(6), 'due'],
    ['not when it was set back by little', sent({}), orders, made - minutes(4), undefined],
    ['when the managers ask for a later one', sent({}), { ...orders, afterGeneration: 18 }, made, 'requested'],
    ['not when they have got it', sent({}), { ...orders, afterGeneration: 17 }, made, undefined],
    ['when an SA has protected many bytes', sent({ bytes: 1_000 }), orders, made, 'limit'],
    ['when it has protected many packets', sent({ packets: 10 }), orders, made, 'limit'],
    ['not before', sent({ bytes: 999, packets: 9 }), orders, made, undefined],
    ['not for an SA of an older key', sent({ bytes: 1_000 }, { spi: 0x1100_0101 }), orders, made, undefined],
    ['not for an SA that receives', sent({ bytes: 1_000 }, { src: there, dst: here }), orders, made, undefined],
    ['not for an SA without limits', sent({ bytes: 1_000 }, { limits: {} }), orders, made, undefined],
  ] as const)('%s', (_, sas, wanted, now, reason) => {
    expect(reasonToRekey(newest, sas, wanted, now)).toBe(reason);
  });

  it('by the protocol itself when there is none', () => {
    expect(reasonToRekey(undefined, sent({ bytes: 1_000 }), { ...orders, afterGeneration: 5 }, due)).toBeUndefined();
  });
});
