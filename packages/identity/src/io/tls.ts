import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { type Credential, formatPrivateKey, sentChain } from '../credential.ts';
import { formatPeer } from '../name.ts';
import { type Expected, type Peer, verifyPeer, verifyTrusted } from '../verify.ts';
import { type Certificate, formatCertificates, readCertificate } from '../x509/certificate.ts';

/** Only HTTP/2 is spoken over connections of the cluster. */
export const protocol = 'h2';

/** A longer chain is none of ours: certificate, next root, and at most four roots. */
const longestChain = 6;

/**
 * Both ends of every connection. Sessions are never resumed (in TLS 1.3 by tickets): a resumed session would carry over the
 * verdict of an earlier handshake.
 */
export const tlsOptions = {
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

export function contextOptions(credential: Credential): SecureContextOptions {
  return {
    ...tlsOptions,
    key: formatPrivateKey(credential.key),
    cert: formatCertificates(sentChain(credential)),
    ca: formatCertificates(credential.trust),
  };
}

const contexts = new WeakMap<Credential, SecureContext>();

/**
 * For a client. Made once for each credential: to make it costs as much as a handshake. Only joiners need the roots of the other end,
 * and no client is asked by a joiner, so a client gives OpenSSL no roots to send. OpenSSL adds the root by which it is trusted.
 */
export function contextOf(credential: Credential): SecureContext {
  const known = contexts.get(credential);
  if (known !== undefined) return known;
  const made = createSecureContext({ ...contextOptions(credential), cert: formatCertificates(credential.chain) });
  contexts.set(credential, made);
  return made;
}

let ofJoiners: SecureContext | undefined;

/** For hosts that have no certificate yet, and trust no root. */
export function joinerContext(): SecureContext {
  // Without `ca`, Node would load its own list of public CAs.
  ofJoiners ??= createSecureContext({ ...tlsOptions, ca: [] });
  return ofJoiners;
}

/**
 * The certificates that the peer has sent, its own first. To be read once for each connection: Node takes the issuers out of
 * the connection when it is first asked for the certificate. In a server, later versions of Node ask before we can
 * (https://github.com/nodejs/node/issues/65579), so there only the peer's own certificate is certain to be here.
 */
export function sentBy(socket: TLSSocket): Result<readonly Certificate[], CausewayError> {
  const sent: Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && sent.length < longestChain) {
    const read = readCertificate(next);
    if (!read.ok) return read;
    sent.push(read.value);
    next = next.issuerCertificate;
  }
  return ok(sent);
}

/**
 * The verdict about the peer of a connection whose handshake is done. OpenSSL has verified the chain and what each
 * certificate may be used for; our rules are about names, roles, removals and the time. They also explain why OpenSSL
 * refused a certificate. Both must agree.
 */
export function verifySocket(
  socket: TLSSocket,
  chain: readonly Certificate[],
  expected: Expected,
): Result<Peer, CausewayError> {
  const [certificate] = chain;
  if (socket.authorized && certificate !== undefined) return verifyTrusted(certificate, expected);
  const explained = verifyPeer(chain, expected);
  if (!explained.ok) return explained;
  const why = String(socket.authorizationError);
  const message = `the certificate of ${formatPeer(explained.value.name)} is refused by OpenSSL: ${why}`;
  return fail(new CausewayError('certificate-untrusted', message, { reason: why }));
}
