import { type Ip, parseIp } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import { backdating, nodeLife } from './lifetimes.ts';
import { formatPeerName, managerDnsName, type PeerName } from './name.ts';
import type { Certificate } from './x509/certificate.ts';
import type { Holder } from './x509/issue.ts';
import { formatPem } from './x509/pem.ts';

/** A certificate that a CA is to issue whose key the cluster does not have. */
export interface CertificateOrder {
  /** The request of the holder, PKCS #10 in PEM. It has neither a subject nor names: the names are in the order. */
  readonly request: string;
  readonly name: PeerName;
  /** The name of the holder as a URI. */
  readonly uri: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly Ip[];
  readonly usages: readonly ('clientAuth' | 'serverAuth')[];
  /** Unix ms. */
  readonly notBefore: number;
  /** Unix ms. */
  readonly notAfter: number;
  /** The root that is to sign. */
  readonly root: Certificate;
}

interface Ordering {
  readonly root: Certificate;
  /** Unix ms. */
  readonly now: number;
  readonly life?: Duration;
}

/** `request`: PKCS #10 in DER. The certificate ends with the root at the latest. */
export function orderFor(
  { name, hosts = [] }: Pick<Holder, 'name' | 'hosts'>,
  request: Uint8Array,
  { root, now, life = nodeLife }: Ordering,
): CertificateOrder {
  const names = name.role === 'manager' ? [managerDnsName(name.cluster), ...hosts] : [];
  const ips = names.flatMap((host): readonly Ip[] => {
    const ip = parseIp(host);
    return ip.ok ? [ip.value] : [];
  });
  return {
    request: formatPem('CERTIFICATE REQUEST', request),
    name,
    uri: formatPeerName(name),
    dnsNames: names.filter((host) => !parseIp(host).ok),
    ipAddresses: ips,
    usages: name.role === 'operator' ? ['clientAuth'] : ['clientAuth', 'serverAuth'],
    notBefore: now - backdating,
    notAfter: Math.min(now + life, root.notAfter),
    root,
  };
}
