import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { acceptNextRoot } from './accept-next-root.ts';
import { checkExternalAuthority } from './authority.ts';
import { formatPrivateKey } from './credential.ts';
import { agent, authorityOf, cluster, credentialOf, day, keyOf, now } from './testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from './testing/openssl.ts';
import { outcome } from './testing/outcome.ts';
import { type Certificate, formatCertificates, readCertificates } from './x509/certificate.ts';
import { crossSign, issueRoot } from './x509/issue.ts';

const [present, next, other] = [authorityOf(1), authorityOf(2), authorityOf(3)];
const minute = 60_000;
const issuing = { now, random: new SeededRandom(5) };
const cross = crossSign(present, next.certificate, issuing);

function accept(made: readonly Certificate[], of = present.certificate, at = now): string {
  return outcome(acceptNextRoot(formatCertificates(made), { present: of, now: at }));
}

test('the next root and the same, signed by the present root, are accepted in any order, beside the present root', () => {
  expect(accept([next.certificate, cross])).toBe('accepted');
  expect(accept([cross, present.certificate, next.certificate])).toBe('accepted');
});

describe('refused', () => {
  const notSigned = 'not a CA that the present root has signed';

  test.each<[string, readonly Certificate[], string]>([
    ['only the next root', [next.certificate], 'expected the next root, and the next root signed by'],
    ['only what the present root has signed', [cross], 'expected the next root'],
    ['three certificates', [next.certificate, cross, other.certificate], 'expected the next root'],
    ['the root of another, signed', [other.certificate, cross], 'has another name or key than the next root'],
    ['a root that another has signed', [next.certificate, crossSign(other, next.certificate, issuing)], notSigned],
    ['a member', [next.certificate, credentialOf(present, agent).chain[0]], notSigned],
    ['a root with the present key', [issueRoot(cluster, present.key, issuing), cross], 'is the key of the present'],
  ])('%s', (_, made, why) => expect(accept(made)).toContain(why));

  test('certificates that are so new that hosts whose clock is behind would refuse them', () => {
    expect(accept([next.certificate, cross], present.certificate, now - 5 * minute)).toBe('accepted');
    const young = crossSign(present, next.certificate, { ...issuing, now: now + 6 * minute });
    expect(accept([next.certificate, young])).toContain('hosts whose clock is behind would refuse it');
  });

  test('a root that has expired', () => {
    expect(accept([next.certificate, cross], present.certificate, now + 4_000 * day)).toContain('expired on');
  });

  test('what is no certificate', () => {
    expect(outcome(acceptNextRoot('no', { present: present.certificate, now }))).toContain('the text contains none');
  });
});

testWithOpenssl(
  'a certificate by the present root with another key id is refused: no certificate would lead to it',
  () => {
    const files = [formatCertificates([next.certificate]), formatCertificates([present.certificate])].map(fileOf);
    const [root = '', ca = ''] = files;
    const extensions = fileOf('basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=00112233\n');
    const signing = ['-CA', ca, '-CAkey', fileOf(formatPrivateKey(present.key)), '-clrext', '-extfile', extensions];
    const times = ['-not_before', '20261126235000Z', '-not_after', '20361126235000Z'];
    const read = readCertificates(openssl('x509', '-in', root, ...signing, ...times));
    expect(accept([next.certificate, ...(read.ok ? read.value : [])])).toContain('another subjectKeyIdentifier');
  },
);

testWithOpenssl('a present root below which no CA may stand cannot be replaced', () => {
  const key = fileOf(formatPrivateKey(keyOf(9)));
  const options = ['-subj', '/CN=mine', '-days', '3650', '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0'];
  const read = readCertificates(openssl('req', '-x509', '-new', '-key', key, ...options));
  const [certificate] = read.ok ? read.value : [];
  if (certificate === undefined) throw new Error('OpenSSL has made no certificate');
  const at = certificate.notBefore + 1_000;
  const root = issueRoot(cluster, keyOf(2), { now: at, random: new SeededRandom(6) });
  const signed = crossSign({ certificate, key: keyOf(9) }, root, { now: at, random: new SeededRandom(7) });
  // The year of the test may be any, and the cross-signed root is dated back to before the root of OpenSSL.
  expect(accept([root, signed], certificate, at)).toContain('pathlen:0');
});

describe('an external CA', () => {
  test.each<[string, Certificate, number, string]>([
    ['can issue', present.certificate, now, 'accepted'],
    ['that is a member', credentialOf(present, agent).chain[0], now, 'is not a CA certificate'],
    ['that is no root', cross, now, 'is not a root: give the cluster a root of its own'],
    ['that expired', present.certificate, now + 4_000 * day, 'expired on'],
    ['of the future', present.certificate, now - day, 'is valid from'],
  ])('%s', (_, certificate, at, said) => expect(outcome(checkExternalAuthority(certificate, at))).toContain(said));

  testWithOpenssl('with a key of RSA', () => {
    const key = fileOf(openssl('genpkey', '-algorithm', 'RSA'));
    const read = readCertificates(openssl('req', '-x509', '-new', '-key', key, '-subj', '/CN=mine'));
    const [certificate] = read.ok ? read.value : [];
    if (certificate === undefined) throw new Error('OpenSSL has made no certificate');
    const said = outcome(checkExternalAuthority(certificate, certificate.notBefore));
    expect(said).toContain('not a key on the curve P-256');
  });
});
