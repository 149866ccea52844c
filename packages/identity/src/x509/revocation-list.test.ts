import { expect } from 'vitest';
import { authorityOf, credentialOf, manager, now } from '../testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from '../testing/openssl.ts';
import { formatRevocationList } from './revocation-list.ts';

const credential = credentialOf(authorityOf(1), manager);

const print = (serials: readonly string[]): string =>
  openssl('crl', '-in', fileOf(formatRevocationList(credential, serials, now)), '-text', '-noout');

testWithOpenssl('OpenSSL reads the serial numbers in a list, also those that begin with zeros or a one', () => {
  const serials = ['a1', 'ff07070707070707070707070707070f', '0007', credential.chain[0].serial];
  const text = print(serials);
  expect(text).toContain('Version 2');
  expect(text).toMatch(/CN ?= ?m1/);
  const read = [...text.matchAll(/Serial Number: (\w+)/g)].map(([, serial]) => BigInt(`0x${serial}`));
  expect(read).toEqual(serials.map((serial) => BigInt(`0x${serial}`)));
});

testWithOpenssl('a list may be empty', () => {
  expect(print([])).toContain('No Revoked Certificates');
});
