import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Credential } from './credential.ts';
import { sentChain } from './credential.ts';
import type { Role } from './name.ts';
import {
  agent,
  authorityOf,
  cluster,
  credentialOf,
  day,
  hour,
  manager,
  name,
  now,
  operator,
  otherCluster,
  second,
} from './testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from './testing/openssl.ts';
import { outcome } from './testing/outcome.ts';
import { pinOf } from './trust.ts';
import { checkPeer, type Expected, type Removals, verifyPeer, verifyPinned, verifyTrusted } from './verify.ts';
import { type Certificate, readCertificate, readCertificates } from './x509/certificate.ts';
import { crossSign, issueRoot } from './x509/issue.ts';

const [root, next, foreign] = [authorityOf(1), authorityOf(2), authorityOf(3, otherCluster)];
const cross = crossSign(root, next.certificate, { now, random: new SeededRandom(4) });
const trust = [root.certificate];
const everyRole: readonly Role[] = ['operator', 'manager', 'agent'];

const base: Expected = { cluster, roles: everyRole, trust, now };
const good = credentialOf(root, agent);
const [certificate] = good.chain;
const short = credentialOf(root, agent, { life: hour });
const ahead = credentialOf(root, agent, { at: now + hour });

function removals(peer: string, at: number, isUntilJoin = false): Removals {
  return { peers: new Map([[peer, { at, isUntilJoin }]]), serials: new Set() };
}

const revokedSerial: Removals = { peers: new Map(), serials: new Set([certificate.serial]) };
const agentText = 'agent/a1a1a1a1a1a1a1a1';

describe('a peer', () => {
  test.each<[string, readonly Certificate[], Partial<Expected>, string]>([
    ['of this cluster', good.chain, {}, 'accepted'],
    ['that also sends its root', sentChain(good), {}, 'accepted'],
    ['at its first second', good.chain, { now: certificate.notBefore }, 'accepted'],
    ['at its last second', good.chain, { now: certificate.notAfter }, 'accepted'],
    ['of an authority that is one of two', good.chain, { trust: [next.certificate, root.certificate] }, 'accepted'],
    [
      'of the next root, which the peer sends cross-signed',
      [...credentialOf(next, agent).chain, cross],
      {},
      'accepted',
    ],
    [
      'that was removed before its certificate was issued',
      good.chain,
      { removals: removals(agentText, now - second) },
      'accepted',
    ],
    [
      'that was removed until it joins again, with a certificate from after that',
      good.chain,
      { removals: removals(agentText, now - second, true) },
      `node-removed: ${agentText} was removed from the cluster on 2026-11-26T23:59:59Z`,
    ],
    ['while another was removed', good.chain, { removals: removals('agent/b2b2b2b2b2b2b2b2', now) }, 'accepted'],

    ['without a certificate', [], {}, 'certificate-missing: the peer has no certificate'],
    [
      'of another cluster',
      credentialOf(foreign, name('agent', agent.id, otherCluster)).chain,
      {},
      `cluster-mismatch: ${agentText} belongs to the cluster ${otherCluster}; this is the cluster ${cluster}`,
    ],
    [
      'that claims this cluster, by the CA of another',
      credentialOf(foreign, agent).chain,
      {},
      `certificate-untrusted: the certificate of ${agentText} was not issued by a CA of this cluster: its issuer is "O=${otherCluster}, CN=Causeway CA`,
    ],
    ['of the next root, without the cross-signed one', credentialOf(next, agent).chain, {}, 'certificate-untrusted'],
    [
      'that expired, of an unknown CA',
      short.chain,
      { now: now + 2 * hour, trust: [next.certificate] },
      'certificate-expired',
    ],
    [
      'with two names',
      [{ ...certificate, uris: [...certificate.uris, 'x'] }],
      {},
      'certificate-invalid: the certificate has 2 names of peers; expected one',
    ],
    [
      'with another name',
      [{ ...certificate, uris: ['spiffe://x/agent/y'] }],
      {},
      'certificate-invalid: "spiffe://x/agent/y" is not the name of a peer',
    ],
    ['of the old root, after the rotation', good.chain, { trust: [next.certificate] }, 'certificate-untrusted'],
    [
      'whose issuer is no CA',
      [...credentialOf({ certificate, key: good.key }, agent).chain, certificate],
      {},
      'certificate-untrusted',
    ],
    ['that is a CA itself', [root.certificate], {}, 'certificate-invalid: the certificate is of a CA, not of a peer'],
    [
      'that expired',
      short.chain,
      { now: now + 3 * hour },
      `certificate-expired: the certificate of ${agentText} expired on 2026-11-27T01:00:00Z, 2 hours ago: it was not renewed in time, so its host must join again; or the clock of this host is that far ahead`,
    ],
    [
      'that expired, where this host’s own certificate seems to have expired as well',
      short.chain,
      { now: now + 3 * hour, own: credentialOf(root, manager, { life: hour }).chain[0] },
      'the clock of this host may be ahead, since its own certificate seems to have expired, too',
    ],
    [
      'that expired, where this host’s own certificate is valid to the second',
      short.chain,
      { now: now + 3 * hour, own: credentialOf(root, manager, { life: 3 * hour }).chain[0] },
      'or the clock of this host is that far ahead',
    ],
    [
      'whose certificate is from the future, where this host’s own is just valid',
      ahead.chain,
      { own: { notBefore: now, notAfter: now } },
      'or the clock of the manager that issued it was that far ahead',
    ],
    [
      'whose certificate is from the future',
      ahead.chain,
      {},
      `certificate-not-yet-valid: the certificate of ${agentText} is valid from 2026-11-27T00:50:00Z, and here it is 2026-11-27T00:00:00Z: the clock of this host is at least 50 minutes behind, or the clock of the manager that issued it was that far ahead`,
    ],
    [
      'whose certificate is from the future, like this host’s own',
      good.chain,
      { now: now - hour, own: credentialOf(root, manager).chain[0] },
      'the clock of this host is at least 50 minutes behind, since its own certificate is not valid yet either',
    ],
    [
      'whose CA expired',
      good.chain,
      {
        trust: [issueRoot(cluster, root.key, { now: now - 9 * day, random: new SeededRandom(5), life: day as never })],
      },
      `certificate-expired: the CA that issued the certificate of ${agentText} expired on 2026-11-19T00:00:00Z, 8 days ago: rotate the CA; or`,
    ],
    [
      'of a role that is not allowed here',
      good.chain,
      { roles: ['operator', 'manager'] },
      `role-mismatch: ${agentText} is not allowed here: expected operator or manager`,
    ],
    [
      'that was removed',
      good.chain,
      { removals: removals(agentText, now) },
      `node-removed: ${agentText} was removed from the cluster on 2026-11-27T00:00:00Z; to come back, it must join again with a new token`,
    ],
    [
      'whose certificate was revoked',
      good.chain,
      { removals: revokedSerial },
      `node-removed: the certificate of ${agentText} with the serial number ${certificate.serial} was revoked`,
    ],
  ])('%s', (_, chain, expected, said) => expect(outcome(verifyPeer(chain, { ...base, ...expected }))).toContain(said));
});

test('what may change while a connection lasts is checked again without its chain', () => {
  const peer = { name: agent, certificate: short.chain[0] };
  const at = (changed: Partial<Expected>): string =>
    outcome(checkPeer(peer, { ...base, ...changed })).split(':')[0] ?? '';
  expect(at({})).toBe('accepted');
  expect(at({ now: now + 2 * hour })).toBe('certificate-expired');
  expect(at({ removals: removals(agentText, now) })).toBe('node-removed');
  expect(at({ roles: ['manager'] })).toBe('role-mismatch');
});

describe('a peer whose chain OpenSSL has verified', () => {
  test.each<[string, Certificate, Partial<Expected>, string]>([
    ['is accepted without its chain', credentialOf(next, agent).chain[0], {}, 'accepted'],
    [
      'of another cluster',
      credentialOf(foreign, name('agent', agent.id, otherCluster)).chain[0],
      {},
      'cluster-mismatch',
    ],
    ['that is a CA', root.certificate, {}, 'certificate-invalid'],
    ['that was removed', certificate, { removals: removals(agentText, now) }, 'node-removed'],
    ['that expired', short.chain[0], { now: now + 2 * hour }, 'certificate-expired'],
    ['of another role', certificate, { roles: ['manager'] }, 'role-mismatch'],
  ])('%s', (_, peer, expected, said) => expect(outcome(verifyTrusted(peer, { ...base, ...expected }))).toContain(said));
});

describe('a joiner that knows only a pin', () => {
  const rotating = (of: typeof root): Credential => ({
    ...credentialOf(of, manager),
    trust: [root.certificate, next.certificate],
  });
  const pins = { root: pinOf(root.certificate), next: pinOf(next.certificate), foreign: pinOf(foreign.certificate) };
  const ofNext = sentChain({ ...rotating(next), chain: [...rotating(next).chain, cross] });
  test.each<[string, readonly Certificate[], Uint8Array, string]>([
    ['accepts a manager of the pinned CA', sentChain(credentialOf(root, manager)), pins.root, 'accepted'],
    ['accepts a manager of the next CA by the present CA’s pin', ofNext, pins.root, 'accepted'],
    ['accepts a manager of the next CA by its own pin', ofNext, pins.next, 'accepted'],
    [
      'refuses another cluster’s manager',
      sentChain(credentialOf(root, manager)),
      pins.foreign,
      'ca-mismatch: this manager belongs to another cluster than the token',
    ],
    ['refuses an agent of the cluster', sentChain(good), pins.root, 'role-mismatch'],
    ['refuses an operator of the cluster', sentChain(credentialOf(root, operator)), pins.root, 'role-mismatch'],
    [
      'refuses who sends the pinned root with a certificate of another CA',
      [...credentialOf(foreign, manager).chain, root.certificate],
      pins.root,
      'certificate-untrusted',
    ],
    ['refuses who sends only the pinned root', [root.certificate], pins.root, 'certificate-invalid'],
    ['refuses who sends nothing', [], pins.root, 'certificate-missing'],
  ])('%s', (_, chain, pin, said) => expect(outcome(verifyPinned(chain, pin, now))).toContain(said));
});

/** A copy of a certificate with one changed byte, or undefined if it cannot be parsed. */
function changed({ der }: Certificate, at: number, change: number): Certificate | undefined {
  const read = readCertificate(Uint8Array.from(der, (byte, i) => (i === at ? byte ^ change : byte)));
  return read.ok ? read.value : undefined;
}

test('any change of a byte of a certificate is refused', () => {
  fc.assert(
    fc.property(fc.nat(certificate.der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const other = changed(certificate, at, change);
      expect(other !== undefined && verifyPeer([other], base).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test('any change of a byte of a certificate between is refused, also by a joiner', () => {
  const [leaf] = credentialOf(next, manager).chain;
  const pin = pinOf(root.certificate);
  expect(verifyPeer([leaf, cross], base).ok).toBe(true);
  expect(verifyPinned([leaf, cross, root.certificate], pin, now).ok).toBe(true);
  fc.assert(
    fc.property(fc.nat(cross.der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const other = changed(cross, at, change);
      if (other === undefined) return;
      expect(verifyPeer([leaf, other], base).ok).toBe(false);
      expect(verifyPinned([leaf, other, root.certificate], pin, now).ok).toBe(false);
    }),
    { numRuns: 500 },
  );
});

testWithOpenssl('a certificate of any algorithm is refused without a crash', () => {
  const subject = root.certificate.x509.subject.split('\n').reduce((text, part) => `${text}/${part}`, '');
  for (const algorithm of ['RSA', 'ED25519', 'RSA-PSS']) {
    const key = fileOf(openssl('genpkey', '-algorithm', algorithm));
    const [own] = unwrap(readCertificates(openssl('req', '-x509', '-new', '-key', key, '-subj', subject)));
    expect(outcome(verifyPeer([certificate, own as Certificate], { ...base, trust: [next.certificate] }))).toContain(
      'untrusted',
    );
    expect(outcome(verifyPeer([own as Certificate], base))).toContain('certificate-invalid');
  }
});

test('programs learn how far a certificate is from its time', () => {
  const dataAt = (chain: readonly Certificate[], at: number): unknown => {
    const verified = verifyPeer(chain, { ...base, now: at });
    return verified.ok ? undefined : verified.error.data;
  };
  expect(dataAt(short.chain, now + 3 * hour)).toEqual({ peer: agentText, seconds: 7_200 });
  expect(dataAt(ahead.chain, now)).toEqual({ peer: agentText, seconds: 3_000 });
});
