import type { Namespace, NetnsPath } from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import { Ip } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { inTurns, kernelCallsAtOnce } from './kernel-turns.ts';

const netns = '/run/netns/web' as NetnsPath;

describe('calls of the kernel', () => {
  let clock: FakeClock;
  let kernel: FakeKernel;
  /** Reads that have begun, in order. A call of an entry ends its read. */
  let begun: ((found?: Error) => void)[];
  let written: number;
  beforeEach(() => {
    clock = new FakeClock();
    kernel = new FakeKernel({ clock }, { underlay: Ip('192.0.2.1') });
    begun = [];
    written = 0;
    kernel.read = () =>
      new Promise<Namespace | undefined>((found, fail) => {
        begun.push((error) => (error === undefined ? found(undefined) : fail(error)));
      });
    kernel.apply = async () => {
      written++;
      return [];
    };
  });
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await clock.yield();
  };

  it('are a few at a time; a write goes before the reads that wait', async () => {
    const few = inTurns(kernel, { clock });
    const reads = Array.from({ length: 3 * kernelCallsAtOnce }, () => few.read(netns, { sysctls: [] }));
    const write = few.apply([]);
    await turns();
    expect([begun.length, written]).toEqual([kernelCallsAtOnce, 0]);
    begun[0]?.();
    await write;
    await turns();
    expect([begun.length, written]).toEqual([kernelCallsAtOnce + 1, 1]);
    for (let n = 1; n < reads.length; n++) {
      begun[n]?.();
      await turns();
    }
    expect(await Promise.all(reads)).toHaveLength(3 * kernelCallsAtOnce);
  });

  it('that fail give their turn on', async () => {
    const few = inTurns(kernel, { clock });
    const ends: string[] = [];
    for (let n = 0; n < 2 * kernelCallsAtOnce; n++) {
      few.read(netns, { sysctls: [] }).then(
        () => ends.push('read'),
        (error: Error) => ends.push(error.message),
      );
    }
    for (let n = 0; n < 2 * kernelCallsAtOnce; n++) {
      await turns();
      begun[n]?.(new Error('EMFILE'));
    }
    await turns();
    expect(ends).toEqual(Array(2 * kernelCallsAtOnce).fill('EMFILE'));
  });
});
