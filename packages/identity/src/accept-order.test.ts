import { createPublicKey } from 'node:crypto';
import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { acceptOrdered } from './accept-order.ts';
import { formatPrivateKey } from './credential.ts';
import type { PeerName } from './name.ts';
import { type CertificateOrder, orderFor } from './order.ts';
import { agent, authorityOf, cluster, day, hour, keyOf, manager, name, now, operator } from './testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from './testing/openssl.ts';
import { outcome } from './testing/outcome.ts';
import { formatCertificates } from './x509/certificate.ts';
import { issueNode } from './x509/issue.ts';
import { createRequest } from './x509/request.ts';

const authority = authorityOf(1);
const root = authority.certificate;
const key = keyOf(100);
const hosts = ['10.0.0.7', '2001:db8::7', 'M1.example'];
const life = (30 * day) as never;

const ordered = (of: PeerName, names: readonly string[] = []): CertificateOrder =>
  orderFor({ name: of, hosts: names }, createRequest(key), { root, now, life });

interface Made {
  readonly by?: typeof authority;
  readonly of?: PeerName;
  readonly hosts?: readonly string[];
  readonly key?: typeof key;
  readonly at?: number;
  readonly life?: number;
}

/** As the cluster's own CA would issue it. */
function made(fields: Made = {}): string {
  const { by = authority, of = manager, hosts: names = hosts, at = now } = fields;
  const holder = { name: of, key: createPublicKey(fields.key ?? key), hosts: names };
  const issuing = { now: at, random: new SeededRandom(7), life: (fields.life ?? life) as never };
  return formatCertificates([issueNode(by, holder, issuing)]);
}

const accept = (pem: string, order = ordered(manager, hosts)): string =>
  outcome(acceptOrdered(pem, { order, key: createPublicKey(key), now }));

test('an order says all that is to be in the certificate', () => {
  const { request, ...order } = ordered(manager, hosts);
  expect(request).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
  expect(order).toEqual({
    name: manager,
    uri: `spiffe://${cluster}/manager/m1`,
    dnsNames: [`manager.${cluster}`, 'M1.example'],
    ipAddresses: ['10.0.0.7', '2001:db8::7'],
    usages: ['clientAuth', 'serverAuth'],
    notBefore: now - 600_000,
    notAfter: now + 30 * day,
    root,
  });
  expect(ordered(operator)).toMatchObject({ dnsNames: [], ipAddresses: [], usages: ['clientAuth'] });
});

test('a certificate that is ordered ends with the root at the latest', () => {
  const late = orderFor({ name: agent }, createRequest(key), { root, now: root.notAfter - hour, life });
  expect(late.notAfter).toBe(root.notAfter);
});

describe('accepted', () => {
  test.each<[string, PeerName, readonly string[]]>([
    ['the certificate of a manager', manager, hosts],
    ['that of an agent', agent, []],
    ['that of an operator', operator, []],
  ])('%s', (_, of, names) => expect(accept(made({ of, hosts: names }), ordered(of, names))).toBe('accepted'));

  test('also when the program prints the root, too', () => {
    expect(accept(`${made()}${formatCertificates([root])}`)).toBe('accepted');
  });

  test('also when it is dated back further, or ends a little sooner', () => {
    expect(accept(made({ at: now - hour / 2 }))).toBe('accepted');
    expect(accept(made({ life: 29 * day }))).toBe('accepted');
  });
});

describe('refused', () => {
  test.each<[string, () => string, string]>([
    ['no certificate', () => 'Error: permission denied', 'the text contains none'],
    ['only the root', () => formatCertificates([root]), 'there is no certificate but the root'],
    ['a CA in between', () => `${made()}${formatCertificates([authorityOf(2).certificate])}`, 'the root itself must'],
    ['another key', () => made({ key: keyOf(101) }), 'it is of another key than the request'],
    ['another holder', () => made({ of: name('manager', 'm2') }), `its names lack URI:spiffe://${cluster}/manager/m1`],
    ['a host too few', () => made({ hosts: hosts.slice(1) }), 'its names lack IP:10.0.0.7'],
    ['a host too many', () => made({ hosts: [...hosts, 'other'] }), 'its names have DNS:other beside'],
    ['a usage too few', () => made({ of: operator }), 'its extended key usages lack 1.3.6.1.5.5.7.3.1'],
    ['another CA', () => made({ by: authorityOf(2) }), 'was not issued by a CA of this cluster'],
    ['a time that is not dated back', () => made({ at: now + 60_000 }), 'which is later than 2026-11-26T23:50:00Z'],
    ['a time from long ago', () => made({ at: now - 2 * hour }), 'which is long before'],
    ['a life that is too long', () => made({ life: 31 * day }), 'which is later than 2026-12-27T00:00:00Z'],
    ['a life that is too short', () => made({ life: hour / 4 }), 'which is too soon'],
  ])('%s', (_, pem, why) => expect(accept(pem())).toContain(why));
});

/** As OpenSSL issues the certificate of an agent, with other extensions and options than those that were ordered. */
function byOpenssl(extensions: Readonly<Record<string, string>> = {}, ...options: readonly string[]): string {
  const all = {
    basicConstraints: 'critical,CA:FALSE',
    keyUsage: 'critical,digitalSignature',
    extendedKeyUsage: 'clientAuth,serverAuth',
    subjectAltName: `URI:${ordered(agent).uri}`,
    ...extensions,
  };
  const lines = Object.entries(all).flatMap(([id, value]) => (value === '' ? [] : [`${id}=${value}\n`]));
  const files = {
    request: fileOf(ordered(agent).request),
    ca: fileOf(formatCertificates([root])),
    key: fileOf(formatPrivateKey(authority.key)),
    extensions: fileOf(lines.join('')),
  };
  const times = ['-not_before', '20261126235000Z', '-not_after', '20261226000000Z'];
  return openssl(
    ...['x509', '-req', '-in', files.request, '-CA', files.ca, '-CAkey', files.key, '-extfile', files.extensions],
    ...[...times, ...options],
  );
}

describe('what OpenSSL issues', () => {
  const { uri } = ordered(agent);
  const names = (more: string) => ({ subjectAltName: `URI:${uri},${more}` });
  const cases: readonly [string, Readonly<Record<string, string>>, readonly string[], string][] = [
    ['is accepted, if it is what was ordered', {}, [], 'accepted'],
    ['with extensions that do not matter', { '1.2.3.4': 'ASN1:NULL', nsComment: 'made by hand' }, [], 'accepted'],
    [
      'for an agent with the DNS name of all managers, which would admit it to etcd',
      names(`DNS:manager.${cluster}`),
      [],
      `its names have DNS:manager.${cluster} beside`,
    ],
    ['with an address of mail', names('email:a@b.c'), [], 'a name of the kind 1 beside'],
    ['as a CA', { basicConstraints: 'critical,CA:TRUE' }, [], 'is of a CA'],
    ['with a key that signs certificates', { keyUsage: 'digitalSignature,keyCertSign' }, [], 'its key usage is not'],
    ['without a key usage', { keyUsage: '' }, [], 'its key usage is not digitalSignature'],
    [
      'with a usage too many',
      { extendedKeyUsage: 'clientAuth,serverAuth,codeSigning' },
      [],
      'key usages have 1.3.6.1.5.5.7.3.3 beside',
    ],
    [
      'with a critical extension of its own',
      { '1.2.3.4': 'critical,ASN1:NULL' },
      [],
      'critical extension that hosts do not understand, 1.2.3.4',
    ],
    [
      'that names the root by its serial number, which another certificate of the root has not',
      { authorityKeyIdentifier: 'keyid,issuer:always' },
      [],
      'its authorityKeyIdentifier has more than the key id',
    ],
    ['with a serial number that is counted', {}, ['-set_serial', '17'], 'its serial number 11 has fewer than 64'],
    ['signed with another hash', {}, ['-sha384'], 'it is not signed by ECDSA with SHA-256'],
  ];
  for (const [what, extensions, options, said] of cases)
    testWithOpenssl(what, () => expect(accept(byOpenssl(extensions, ...options), ordered(agent))).toContain(said));
});

test('the text of an error says what is wrong, and is one line', () => {
  const error = acceptOrdered('', { order: ordered(agent), key: createPublicKey(key), now });
  expect(() => unwrap(error)).toThrow(/^the certificate is not what was ordered: .*$/);
});
