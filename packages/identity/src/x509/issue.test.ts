import { createPublicKey } from 'node:crypto';
import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { issuedAt } from '../lifetimes.ts';
import { parsePeerName } from '../name.ts';
import {
  agent,
  authorityOf,
  cluster,
  credentialOf,
  day,
  keyOf,
  manager,
  name,
  now,
  operator,
} from '../testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from '../testing/openssl.ts';
import { type Certificate, formatCertificates, readCertificate, readCertificates } from './certificate.ts';
import { type Authority, crossSign, issueNode, issueRoot } from './issue.ts';

const present = authorityOf(1);
const next = authorityOf(2);
const hosts = ['10.0.0.7', '2001:db8::7', 'm1.example'];

/** A certificate of each kind. */
const make = (): Readonly<Record<string, Certificate>> => ({
  root: authorityOf(1).certificate,
  'cross-signed root': crossSign(present, next.certificate, { now, random: new SeededRandom(3) }),
  manager: credentialOf(present, manager, { hosts }).chain[0],
  agent: credentialOf(present, agent, { seed: 101 }).chain[0],
  operator: credentialOf(present, operator, { seed: 102 }).chain[0],
});
const made = make();

/** Everything but the signature, which is another each time. */
function print(certificate: Certificate): string {
  const file = fileOf(formatCertificates([certificate]));
  const options = ['-certopt', 'no_sigdump,no_pubkey', '-text', '-noout', '-nameopt', 'RFC2253'];
  return openssl('x509', '-in', file, ...options).replaceAll(/[ \t]+$/gm, '');
}

testWithOpenssl('OpenSSL prints what was meant', async () => {
  const text = Object.entries(make()).map(([what, certificate]) => `# ${what}\n${print(certificate)}`);
  await expect(text.join('\n')).toMatchFileSnapshot('golden/certificates.txt');
});

test.each(Object.keys(made))('a certificate is the same after PEM: %s', (what) => {
  const certificate = made[what] as Certificate;
  const [again] = unwrap(readCertificates(`a comment\n${formatCertificates([certificate])}`));
  expect(again?.der).toEqual(certificate.der);
  expect(again?.serial).toBe(certificate.serial);
});

test('a name in a certificate is read back', () => {
  expect(made['agent']?.uris.map((uri) => unwrap(parsePeerName(uri)))).toEqual([agent]);
});

test('a certificate is valid from ten minutes before it was issued, and it is known when that was', () => {
  const certificate = credentialOf(present, agent).chain[0];
  expect(certificate.notBefore).toBe(now - 600_000);
  expect(certificate.notAfter).toBe(now + 30 * day);
  expect(issuedAt(certificate)).toBe(now);
});

test('no certificate outlives its issuer', () => {
  const late = now + 3652 * day - 5 * day;
  const certificate = credentialOf(present, agent, { at: late }).chain[0];
  expect(certificate.notAfter).toBe(present.certificate.notAfter);
});

test('from 2050 on, times have four digits for the year', () => {
  const at = Date.UTC(2049, 11, 20);
  const root = issueRoot(cluster, keyOf(1), { now: at, random: new SeededRandom(1), life: (60 * day) as never });
  expect(new Date(root.notAfter).toISOString()).toBe('2050-02-18T00:00:00.000Z');
  expect(new Date(root.notBefore).getUTCFullYear()).toBe(2049);
});

test('serial numbers have 128 random bits, also where these begin with zeros or a one', () => {
  const serialOf = (first: number, second: number): string => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => [first, second][i] ?? 7);
    const random = { float: () => 0, bytes: () => bytes };
    return issueRoot(cluster, keyOf(1), { now, random }).serial;
  };
  expect(serialOf(0xff, 0xff)).toBe(`ffff${'07'.repeat(14)}`);
  expect(serialOf(0, 0)).toBe('07'.repeat(14));
  expect(serialOf(0, 0xff)).toBe(`ff${'07'.repeat(14)}`);
});

testWithOpenssl('OpenSSL agrees on the purpose of each certificate', () => {
  const roots = fileOf(formatCertificates([present.certificate]));
  const allowed = (what: string, purpose: string): boolean => {
    const leaf = fileOf(formatCertificates([made[what] as Certificate]));
    try {
      openssl('verify', '-x509_strict', '-attime', String(now / 1_000), '-purpose', purpose, '-CAfile', roots, leaf);
      return true;
    } catch {
      return false;
    }
  };
  const purposes = ['sslclient', 'sslserver'];
  const table = ['manager', 'agent', 'operator'].map((what) => [what, ...purposes.map((each) => allowed(what, each))]);
  expect(table).toEqual([
    ['manager', true, true],
    ['agent', true, true],
    ['operator', true, false],
  ]);
});

testWithOpenssl('a CA that OpenSSL made, with another kind of key id, can issue', () => {
  const key = keyOf(9);
  const keyFile = fileOf(key.export({ format: 'pem', type: 'pkcs8' }));
  const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  const pem = openssl('req', '-x509', '-new', '-key', keyFile, '-subj', '/C=CH/O=Example/CN=Our CA', ...extensions);
  const [certificate] = unwrap(readCertificates(pem));
  const authority: Authority = { key, certificate: certificate as Certificate };
  const at = Date.now();
  const issuing = { now: at, random: new SeededRandom(1) };
  const leaf = issueNode(authority, { name: agent, key: createPublicKey(keyOf(10)) }, issuing);
  const [roots, file] = [[authority.certificate], [leaf]].map((each) => fileOf(formatCertificates(each)));
  expect(openssl('verify', '-x509_strict', '-CAfile', roots ?? '', file ?? '')).toContain('OK');
});

test('what follows a certificate is refused', () => {
  const bytes = new Uint8Array([...present.certificate.der, 0]);
  expect(readCertificate(bytes).ok).toBe(false);
});

test('a host name cannot pretend to be a further name of the peer', () => {
  const lie = `x, URI:spiffe://${cluster}/manager/m1, DNS:y`;
  const certificate = credentialOf(present, name('manager', 'm2'), { hosts: [lie, `"${lie}"`, `\\"${lie}`] }).chain[0];
  expect(certificate.uris).toEqual([`spiffe://${cluster}/manager/m2`]);
});
