import type { ClusterId } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeText } from '../../store/records/codec.ts';
import { type BackupHeader, decodePreamble, encodePreamble, nextEpoch } from './format.ts';

const header: BackupHeader = {
  clusterId: '00000000000000c1' as ClusterId,
  epoch: 1n,
  revision: 9_007_199_254_740_993n,
  schema: 1,
  version: '0.1.0',
  time: 1_763_990_000_000,
  prefix: '/causeway/v1/',
};

describe('the preamble', () => {
  it('is read back as it was written, whatever follows', () => {
    const bytes = encodePreamble(header);
    expect(decodePreamble(Uint8Array.of(...bytes, 1, 2, 0x0a))).toEqual({
      ok: true,
      value: { header, length: bytes.length },
    });
  });

  it.each<[string, string]>([
    ['an empty file', ''],
    ['a text', 'hello\n{}\n'],
    ['another version', 'causeway-backup 2\n{}\n'],
    ['a header without end', 'causeway-backup 1\n{"clusterId":'],
    ['a header of something else', 'causeway-backup 1\n[]\n'],
    ['a header without revision', 'causeway-backup 1\n{"clusterId":"00000000000000c1","epoch":"1"}\n'],
  ])('is not taken from %s', (_, text) => {
    expect(decodePreamble(encodeText(text))).toMatchObject({ ok: false, error: { code: 'data-damaged' } });
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodePreamble(bytes).ok).toBe(false);
        decodePreamble(Uint8Array.of(...encodeText('causeway-backup 1\n'), ...bytes));
      }),
    );
  });
});

describe('nextEpoch', () => {
  it('rises with every restore, of the same backup too', () => {
    const first = nextEpoch(header, 1_764_000_000_000);
    expect(first).toBe(1_764_000_000n);
    expect(nextEpoch(header, 1_764_000_001_000)).toBeGreaterThan(first);
  });

  it('rises when the clock is wrong', () => {
    expect(nextEpoch({ epoch: 1_764_000_000n }, 0)).toBe(1_764_000_001n);
  });
});
