import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CausewayError, fail, ok, type Result, unwrap } from '@causeway/model';
import { type PeerName, parsePeerName } from './name.ts';
import { toHex } from './text.ts';
import type { TrustBundle } from './trust.ts';
import { type Certificate, formatCertificates, publicKeyOf, readCertificates } from './x509/certificate.ts';
import { isOurs, spkiOf } from './x509/signed.ts';

export type PrivateKey = KeyObject;

/** With what a process proves its name to peers, and which CAs it trusts. */
export interface Credential {
  readonly key: KeyObject;
  /** The process's own certificate; while the CA rotates, also the next root, signed by the present root. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly trust: TrustBundle;
}

/** The name that the credential proves. @throws CausewayError certificate-invalid: it is not the credential of a peer */
export function nameOf({ chain: [{ uris }] }: Pick<Credential, 'chain'>): PeerName {
  return unwrap(parsePeerName(uris[0] ?? ''));
}

/**
 * What is sent in a handshake. The roots are sent too, so that a host which joins finds the one that its token names; a peer
 * that trusts a root ignores the copy.
 */
export function sentChain({ chain, trust }: Pick<Credential, 'chain' | 'trust'>): readonly Certificate[] {
  return [...chain, ...trust];
}

/** The private key and the chain, in one text: as one file they change at the same instant. Secret. */
export function formatIdentity({ key, chain }: Pick<Credential, 'key' | 'chain'>): string {
  return `${formatPrivateKey(key)}${formatCertificates(chain)}`;
}

/** No error contains a part of the text. */
export function parseIdentity(text: string): Result<Pick<Credential, 'key' | 'chain'>, CausewayError> {
  const key = parsePrivateKey(text);
  if (!key.ok) return key;
  const read = readCertificates(text);
  if (!read.ok) return damaged(read.error.message);
  const [certificate, ...issuers] = read.value;
  if (certificate === undefined || toHex(publicKeyOf(certificate)) !== toHex(spkiOf(createPublicKey(key.value))))
    return damaged('its private key is not the key of its certificate');
  return ok({ key: key.value, chain: [certificate, ...issuers] });
}

export function publicKeyFor(key: PrivateKey): KeyObject {
  return createPublicKey(key);
}

/** PKCS #8 in PEM. Secret. */
export function formatPrivateKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

const privateKey = /-----BEGIN (EC )?PRIVATE KEY-----[^-]*-----END (EC )?PRIVATE KEY-----/;

/** The first private key of a text in PEM. */
export function parsePrivateKey(text: string): Result<KeyObject, CausewayError> {
  const [pem] = privateKey.exec(text) ?? [];
  if (pem === undefined) return damaged('it contains no private key');
  try {
    const key = createPrivateKey(pem);
    return isOurs(key) ? ok(key) : damaged('its private key is not a key on the curve P-256');
  } catch {
    return damaged('its private key cannot be parsed');
  }
}

function damaged(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('data-damaged', `the identity is damaged: ${why}`));
}
