import { type KeyObject, X509Certificate } from 'node:crypto';
import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { parseOpensslTime } from '../time.ts';
import { formatPem, parsePem } from './pem.ts';

/** A certificate that has been parsed. Nothing in it is proved until `verifyPeer` has agreed. */
export interface Certificate {
  readonly x509: X509Certificate;
  readonly der: Uint8Array;
  readonly publicKey: KeyObject;
  /** Lower-case hex digits. */
  readonly serial: string;
  /** Unix ms. */
  readonly notBefore: number;
  /** Unix ms. */
  readonly notAfter: number;
  readonly isAuthority: boolean;
  readonly uris: readonly string[];
}

/** Larger ones are not read: ours have some 700 bytes. */
const maxBytes = 16 * 1024;

const label = 'CERTIFICATE';

/** From DER, or as a TLS connection gives the certificate of its peer. */
export function readCertificate(source: X509Certificate | Uint8Array): Result<Certificate, CausewayError> {
  try {
    const length = source instanceof X509Certificate ? source.raw.length : source.length;
    if (length > maxBytes) return invalid('it is too large');
    const x509 = source instanceof X509Certificate ? source : new X509Certificate(source);
    // OpenSSL stops at the end of the certificate; what follows would be part of no signature.
    if (x509.raw.length !== length) return invalid('other bytes follow it');
    const [notBefore, notAfter] = [parseOpensslTime(x509.validFrom), parseOpensslTime(x509.validTo)];
    if (Number.isNaN(notBefore + notAfter)) return invalid('its validity is not a time');
    return ok({
      x509,
      der: x509.raw,
      publicKey: x509.publicKey, // throws for keys that OpenSSL does not know
      serial: x509.serialNumber.toLowerCase(),
      notBefore,
      notAfter,
      isAuthority: x509.ca,
      uris: alternativeNames(x509, 'URI:'),
    });
  } catch (cause) {
    return invalid('it cannot be parsed', cause);
  }
}

/**
 * The same certificate, for one that is kept as long as a connection: what OpenSSL makes of a certificate and its key takes
 * 20 KiB, and is made anew whenever it is asked for.
 */
export function unparsed(certificate: Certificate): Certificate {
  return new Unparsed(certificate);
}

class Unparsed implements Certificate {
  readonly der: Uint8Array;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority: boolean;
  readonly uris: readonly string[];

  constructor({ der, serial, notBefore, notAfter, isAuthority, uris }: Certificate) {
    this.der = der;
    this.serial = serial;
    this.notBefore = notBefore;
    this.notAfter = notAfter;
    this.isAuthority = isAuthority;
    this.uris = uris;
  }

  get x509(): X509Certificate {
    return new X509Certificate(this.der);
  }

  get publicKey(): KeyObject {
    return this.x509.publicKey;
  }
}

/** All certificates of a file. A file without one is refused. */
export function readCertificates(pem: string): Result<readonly Certificate[], CausewayError> {
  const blocks = parsePem(pem);
  if (blocks === undefined) return invalid('its PEM block is damaged');
  const certificates: Certificate[] = [];
  for (const { der } of blocks.filter((each) => each.label === label)) {
    const read = readCertificate(der);
    if (!read.ok) return read;
    certificates.push(read.value);
  }
  return certificates.length === 0 ? invalid('the text contains none') : ok(certificates);
}

export function formatCertificates(certificates: readonly Certificate[]): string {
  return certificates.map(({ der }) => formatPem(label, der)).join('');
}

/** SHA-256 of the certificate, as hex digits: `openssl x509 -fingerprint -sha256`. */
export function fingerprintOf({ x509 }: Certificate): string {
  return x509.fingerprint256.replaceAll(':', '').toLowerCase();
}

/** The public key, as SubjectPublicKeyInfo in DER. */
export function publicKeyOf({ publicKey }: Certificate): Uint8Array {
  return publicKey.export({ format: 'der', type: 'spki' });
}

const quoted = /"(?:[^"\\]|\\.)*"/g;

/**
 * Node prints the names in one line, and quotes each name in which a separator stands (CVE-2021-44532). Names of ours
 * need no quotes, so quoted text is dropped: otherwise one name could pretend to be several.
 */
function alternativeNames({ subjectAltName }: X509Certificate, kind: string): readonly string[] {
  const names = subjectAltName?.replaceAll(quoted, '""').split(', ') ?? [];
  return names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
}

function invalid(why: string, cause?: unknown): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the certificate is invalid: ${why}`, {}, { cause }));
}
