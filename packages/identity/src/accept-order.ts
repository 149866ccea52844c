import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { clockTolerance } from './lifetimes.ts';
import type { CertificateOrder } from './order.ts';
import type { PublicKey } from './sealed-for.ts';
import { toHex } from './text.ts';
import { formatTime } from './time.ts';
import { verifyPeer } from './verify.ts';
import { type Certificate, publicKeyOf, readCertificates } from './x509/certificate.ts';
import { decode, parts } from './x509/der.ts';
import { oids } from './x509/oids.ts';
import {
  alternativeNamesIn,
  extensionsOf,
  isAuthorityIn,
  keyUsageIn,
  namesSerialIn,
  usagesIn,
} from './x509/read-extensions.ts';
import { signatureOf, spkiOf } from './x509/signed.ts';

/*
 * What a CA issues whose key the cluster does not have must be what the cluster would have issued: the rules of the cluster are
 * about names, times and usages in certificates, and no other place enforces them.
 */

/** How much earlier than ordered a certificate may begin: some CAs date back further. */
const earliest = minutes(50);
/** A certificate that ends sooner than this would be renewed all the time. */
const shortestLife = minutes(30);
/** CAs that follow RFC 5280 and the CA/Browser Forum make 64 random bits or more; leading zeros are not printed. */
const serialDigits = 14;

const digitalSignature = 0x80;
/** keyCertSign and cRLSign. */
const signsOthers = 0x06;

/** Extensions that every verifier of the cluster understands, OpenSSL and Go. */
const understood: readonly string[] = [
  oids.basicConstraints,
  oids.keyUsage,
  oids.extKeyUsage,
  oids.subjectAltName,
  oids.subjectKeyIdentifier,
  oids.authorityKeyIdentifier,
];

/** Whether this text, in PEM, is the certificate that was ordered for this key. The root may be in the text, too. */
export function acceptOrdered(
  pem: string,
  { order, key, now }: { readonly order: CertificateOrder; readonly key: PublicKey; readonly now: number },
): Result<Certificate, CausewayError> {
  const read = readCertificates(pem);
  if (!read.ok) return refuse(read.error.message);
  const [certificate, ...others] = read.value.filter(({ der }) => toHex(der) !== toHex(order.root.der));
  if (certificate === undefined) return refuse('there is no certificate but the root');
  if (others.length > 0)
    return refuse('there are several certificates: the root itself must issue it, without a CA in between');
  if (toHex(publicKeyOf(certificate)) !== toHex(spkiOf(key))) return refuse('it is of another key than the request');
  const wrong = wrongIn(certificate, order) ?? wrongTimes(certificate, order, now);
  if (wrong !== undefined) return refuse(wrong);
  const { cluster, role } = order.name;
  const verified = verifyPeer([certificate], { cluster, roles: [role], trust: [order.root], now });
  return verified.ok ? ok(certificate) : refuse(verified.error.message);
}

/** What is wrong with the names and the extensions. */
function wrongIn(certificate: Certificate, order: CertificateOrder): string | undefined {
  const [, algorithm, signature] = parts(decode(certificate.der)) ?? [];
  if (signatureOf(algorithm, signature) === undefined) return 'it is not signed by ECDSA with SHA-256';
  const extensions = extensionsOf(certificate);
  if (extensions === undefined) return 'it has no extensions';
  const ids = extensions.map(({ id }) => id);
  if (new Set(ids).size < ids.length) return 'it has an extension twice';
  const strange = extensions.find(({ id, isCritical }) => isCritical && !understood.includes(id));
  if (strange !== undefined) return `it has a critical extension that hosts do not understand, ${strange.id}`;
  const valueIn = (id: string): Uint8Array | undefined => extensions.find((each) => each.id === id)?.value;
  if (isAuthorityIn(valueIn(oids.basicConstraints))) return 'it is of a CA';
  const keyUsage = keyUsageIn(valueIn(oids.keyUsage));
  if ((keyUsage & digitalSignature) === 0 || (keyUsage & signsOthers) !== 0)
    return 'its key usage is not digitalSignature';
  if (namesSerialIn(valueIn(oids.authorityKeyIdentifier)))
    return 'its authorityKeyIdentifier has more than the key id, so it would not be accepted while the CA is replaced';
  const usages = order.usages.map((usage) => oids[usage]);
  const differs =
    difference('extended key usages', usagesIn(valueIn(oids.extKeyUsage)).map(String), usages) ??
    difference('names', alternativeNamesIn(valueIn(oids.subjectAltName)), namesOf(order));
  if (differs !== undefined) return differs;
  return certificate.serial.length < serialDigits
    ? `its serial number ${certificate.serial} has fewer than 64 random bits`
    : undefined;
}

/** As `alternativeNamesIn` writes them. */
function namesOf({ uri, dnsNames, ipAddresses }: CertificateOrder): readonly string[] {
  const dns = dnsNames.map((name) => `DNS:${name.toLowerCase()}`);
  return [`URI:${uri}`, ...dns, ...ipAddresses.map((ip) => `IP:${ip}`)];
}

/** One name too many may be that of a manager, so they must be exactly those. */
function difference(what: string, found: readonly string[], ordered: readonly string[]): string | undefined {
  const missing = ordered.filter((each) => !found.includes(each));
  if (missing.length > 0) return `its ${what} lack ${missing.join(', ')}`;
  const extra = found.filter((each) => !ordered.includes(each));
  return extra.length > 0 ? `its ${what} have ${extra.join(', ')} beside those that were ordered` : undefined;
}

function wrongTimes({ notBefore, notAfter }: Certificate, order: CertificateOrder, now: number): string | undefined {
  // A removal refuses certificates by the time of their issue, which is counted from the beginning of their life.
  if (notBefore > order.notBefore)
    return `it is valid from ${formatTime(notBefore)}, which is later than ${formatTime(order.notBefore)}`;
  if (notBefore < order.notBefore - earliest)
    return `it is valid from ${formatTime(notBefore)}, which is long before ${formatTime(order.notBefore)}`;
  if (notAfter > order.notAfter + clockTolerance)
    return `it expires on ${formatTime(notAfter)}, which is later than ${formatTime(order.notAfter)}`;
  if (notAfter < Math.min(order.notAfter - clockTolerance, now + shortestLife))
    return `it expires on ${formatTime(notAfter)}, which is too soon: ${formatTime(order.notAfter)} was ordered`;
  return undefined;
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the certificate is not what was ordered: ${why}`));
}
