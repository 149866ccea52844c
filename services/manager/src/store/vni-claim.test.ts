import type { Name, NetworkId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { encodeText } from './codec.ts';
import { decodeVniClaim, encodeVniClaim, type VniClaim } from './vni-claim.ts';

const network = 'b000000000000001' as NetworkId;
const name = 'blue' as Name;

describe('a claim of a VNI', () => {
  test.each<[string, VniClaim]>([
    ['{"network":"b000000000000001"}', { kind: 'network', network, asked: false }],
    ['{"network":"b000000000000001","asked":true}', { kind: 'network', network, asked: true }],
    ['{"cooling":{"network":"b000000000000001","name":"blue"}}', { kind: 'cooling', network, name, asked: false }],
    [
      '{"cooling":{"network":"b000000000000001","name":"blue","asked":true}}',
      { kind: 'cooling', network, name, asked: true },
    ],
  ])('%s, both ways', (text, claim) => {
    expect(new TextDecoder().decode(encodeVniClaim(claim))).toBe(text);
    expect(decodeVniClaim(encodeText(text))).toEqual(claim);
  });

  test('of the first version: a plain id', () => {
    expect(decodeVniClaim(encodeText(network))).toEqual({ kind: 'network', network, asked: false });
  });

  test.each(['{', '{}', '{"cooling":{}}', '{"later":1}'])('of a later version, kept as it is: %s', (text) => {
    const claim = decodeVniClaim(encodeText(text));
    expect(claim).toEqual({ kind: 'foreign', text });
    expect(encodeVniClaim(claim)).toEqual(encodeText(text));
  });
});
