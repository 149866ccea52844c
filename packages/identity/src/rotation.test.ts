import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { agent, authorityOf, cluster, credentialOf, now } from './testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from './testing/openssl.ts';
import { formatTrustBundle, isIssuedBy, parseTrustBundle, type TrustBundle } from './trust.ts';
import { verifyPeer } from './verify.ts';
import { type Certificate, formatCertificates } from './x509/certificate.ts';
import { crossSign } from './x509/issue.ts';

const [present, next] = [authorityOf(1), authorityOf(2)];
const cross = crossSign(present, next.certificate, { now, random: new SeededRandom(5) });
const old = credentialOf(present, agent).chain;
const renewed: readonly Certificate[] = [...credentialOf(next, agent, { seed: 101 }).chain, cross];

/** [who verifies, whom he trusts, the certificate, whether it is accepted] */
const stages: readonly [string, TrustBundle, readonly Certificate[], boolean][] = [
  ['before: old trust, old certificate', [present.certificate], old, true],
  ['a peer that has not heard of the rotation meets a renewed one', [present.certificate], renewed, true],
  ['a peer that trusts both meets an old one', [present.certificate, next.certificate], old, true],
  ['a peer that trusts both meets a renewed one', [present.certificate, next.certificate], renewed, true],
  ['after: new trust, renewed certificate', [next.certificate], renewed, true],
  ['after: new trust, old certificate', [next.certificate], old, false],
];

test.each(stages)('%s', (_, trust, chain, accepted) => {
  expect(verifyPeer(chain, { cluster, roles: ['agent'], trust, now }).ok).toBe(accepted);
});

for (const [what, trust, [leaf, ...between], accepted] of stages)
  testWithOpenssl(`OpenSSL agrees: ${what}`, () => {
    const [roots, untrusted, file] = [trust, between, [leaf as Certificate]].map((each) =>
      fileOf(formatCertificates(each)),
    );
    const given = between.length === 0 ? [] : ['-untrusted', untrusted ?? ''];
    const at = ['-x509_strict', '-attime', String(now / 1_000)];
    const verify = (): string => openssl('verify', ...at, '-CAfile', roots ?? '', ...given, file ?? '');
    if (accepted) expect(verify()).toContain('OK');
    else expect(verify).toThrow('unable to get local issuer certificate');
  });

test('a bundle of four roots is read', () => {
  expect(parseTrustBundle(formatTrustBundle(Array(4).fill(present.certificate))).ok).toBe(true);
});

test('an error of OpenSSL is a refusal', () => {
  const broken = {
    checkIssued: () => {
      throw new Error('unknown algorithm');
    },
  };
  expect(isIssuedBy({ ...cross, x509: broken as never }, present.certificate)).toBe(false);
});

test('a trust bundle is the same after PEM', () => {
  const bundle = [present.certificate, next.certificate];
  const again = unwrap(parseTrustBundle(formatTrustBundle(bundle)));
  expect(again.map(({ der }) => der)).toEqual(bundle.map(({ der }) => der));
});

test.each<[string, string, string]>([
  ['nothing', '', 'the text contains none'],
  ['a certificate that is no root', formatCertificates([cross]), 'is not a root CA'],
  ['a certificate of a node', formatCertificates(old), 'is not a root CA'],
  ['a block without an end', formatTrustBundle([present.certificate]).slice(0, -10), 'damaged'],
  ['more roots than a rotation needs', formatTrustBundle(Array(5).fill(present.certificate)), 'at most 4 roots'],
])('a trust bundle is refused: %s', (_, pem, why) => {
  const parsed = parseTrustBundle(pem);
  expect(parsed.ok ? '' : parsed.error.message).toContain(why);
});
