import { newNamespace, ourReqid, SaKey, saKeySize, stateKey, type XfrmState } from '@causeway/datapath';
import { Ip } from '@causeway/model';
import { expect, it } from 'vitest';
import { ReplayTally } from './replay-tally.ts';

const [here, there, third] = [Ip('192.0.2.1'), Ip('192.0.2.2'), Ip('192.0.2.3')];

function sa(src: Ip, spi: number, replays: number, addedAt = 0): XfrmState {
  return {
    ...{ direction: 'in', src, dst: here, spi, reqid: ourReqid, limits: {}, isStrict: true },
    key: SaKey.of(new Uint8Array(saKeySize)),
    counts: { bytes: 0, packets: 0, addedAt, replays },
  };
}

const found = (...states: readonly XfrmState[]) => ({
  ...newNamespace(),
  xfrmStates: new Map(states.map((state) => [stateKey(state), state])),
});

it('a number never falls: neither when SAs go, nor when another one has the SPI', () => {
  const tally = new ReplayTally();
  const looks = [
    [found(sa(there, 0x1000, 3), sa(third, 0x2000, 1)), 3],
    [found(sa(there, 0x1000, 5), sa(there, 0x1001, 0)), 5],
    [found(sa(there, 0x1000, 5), sa(there, 0x1001, 2)), 7],
    [found(sa(there, 0x1001, 2)), 7],
    [found(), 7],
    [found(sa(there, 0x1001, 4)), 11],
    [found(sa(there, 0x1001, 1, 60)), 12],
  ] as const;
  for (const [kernel, total] of looks) {
    tally.see(kernel);
    expect(tally.of(there)).toBe(total);
  }
  expect(tally.of(third)).toBe(1);
  expect(tally.of(here)).toBe(0);
});

it('counts also on a kernel that does not record the direction of SAs', () => {
  const tally = new ReplayTally();
  tally.see(found({ ...sa(there, 0x1000, 3), direction: 'unknown' }));
  expect(tally.of(there)).toBe(3);
});

it('a look that has begun earlier and ends later counts nothing again', () => {
  const tally = new ReplayTally();
  for (const replays of [100, 60, 100, 0, 110]) tally.see(found(sa(there, 0x1000, replays)));
  expect(tally.of(there)).toBe(110);
});
