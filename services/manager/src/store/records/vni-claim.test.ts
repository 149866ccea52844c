import { type Name, type NetworkId, unwrap } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { encodeText } from './codec.ts';
import { type VniClaim, vniClaimCodec } from './vni-claim.ts';

const network = 'b000000000000001' as NetworkId;
const name = 'blue' as Name;
const read = (text: string): VniClaim => unwrap(vniClaimCodec.decode(encodeText(text))).value;

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
    expect(new TextDecoder().decode(vniClaimCodec.encode(claim))).toBe(text);
    expect(read(text)).toEqual(claim);
  });

  test('of the first version: a plain id', () => {
    expect(read(network)).toEqual({ kind: 'network', network, asked: false });
  });

  test.each(['{', '{}', '{"cooling":{}}', '{"later":1}'])('of a later version, kept as it is: %s', (text) => {
    const claim = read(text);
    expect(claim).toEqual({ kind: 'unknown', text });
    expect(vniClaimCodec.encode(claim)).toEqual(encodeText(text));
  });
});
