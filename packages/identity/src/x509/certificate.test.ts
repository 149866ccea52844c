import { expect, test } from 'vitest';
import { agent, authorityOf, credentialOf } from '../testing/fixtures.ts';
import { isIssuedBy } from '../trust.ts';
import { publicKeyOf, unparsed } from './certificate.ts';

test('a certificate that is kept unparsed says and proves the same', () => {
  const [authority, other] = [authorityOf(1), authorityOf(2)];
  const [certificate] = credentialOf(authority, agent).chain;
  const kept = unparsed(certificate);
  const { x509: _x509, publicKey: _publicKey, ...fields } = certificate;
  expect(kept).toEqual(fields);
  expect(kept.x509.fingerprint256).toBe(certificate.x509.fingerprint256);
  expect(publicKeyOf(kept)).toEqual(publicKeyOf(certificate));
  expect([authority, other].map((by) => isIssuedBy(kept, by.certificate))).toEqual([true, false]);
});
