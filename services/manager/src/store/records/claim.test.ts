import { type EndpointId, type Name, type NodeId, unwrap } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { addressClaimCodec, type Claim } from './claim.ts';
import { encodeText } from './codec.ts';

const endpoint = 'e000000000000001' as EndpointId;
const read = (text: string): Claim => unwrap(addressClaimCodec.decode(encodeText(text))).value;

describe('a claim', () => {
  test.each<[string, Claim]>([
    ['{"endpoint":"e000000000000001"}', { kind: 'endpoint', endpoint, asked: false }],
    ['{"endpoint":"e000000000000001","asked":true}', { kind: 'endpoint', endpoint, asked: true }],
    ['{"gateway":true}', { kind: 'gateway' }],
    ['{"aux":"printer"}', { kind: 'aux', name: 'printer' }],
    ['{"reservation":{"purpose":"a printer"}}', { kind: 'reservation', purpose: 'a printer' }],
    [
      '{"cooling":{"endpointName":"web","node":"a000000000000001"}}',
      { kind: 'cooling', endpointName: 'web' as Name, node: 'a000000000000001' as NodeId },
    ],
  ])('%s, both ways', (text, claim) => {
    expect(new TextDecoder().decode(addressClaimCodec.encode(claim))).toBe(text);
    expect(read(text)).toEqual(claim);
  });

  test.each<[string, Claim]>([
    ['gateway', { kind: 'gateway' }],
    ['e000000000000001', { kind: 'endpoint', endpoint, asked: false }],
  ])('of the first version: %s', (text, claim) => {
    expect(read(text)).toEqual(claim);
  });

  test.each(['{', '{}', '{"cooling":{}}', '{"later":1}'])('of a later version, kept as it is: %s', (text) => {
    const claim = read(text);
    expect(claim).toEqual({ kind: 'unknown', text });
    expect(addressClaimCodec.encode(claim)).toEqual(encodeText(text));
  });
});
