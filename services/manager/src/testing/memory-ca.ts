import {
  type Authority,
  backdating,
  type Certificate,
  type CertificateOrder,
  checkRequest,
  crossSign,
  formatCertificates,
  formatPin,
  fromBase64,
  issueNode,
  issueRoot,
  managerDnsName,
  type PrivateKey,
  pinOf,
} from '@causeway/identity';
import { CausewayError, type ClusterId, unwrap } from '@causeway/model';
import { milliseconds, type Random } from '@causeway/runtime';
import type { ExternalCa } from '../cluster/ca/external-ca.ts';

interface MemoryCaParts {
  readonly cluster: ClusterId;
  readonly createKey: () => PrivateKey;
  readonly random: Random;
}

/** A CA in this process, which has the keys of its roots. It says what it was asked for, and fails when a test wants it. */
export class MemoryCa implements ExternalCa {
  readonly name = 'the CA of the test';
  readonly orders: CertificateOrder[] = [];
  readonly #parts: MemoryCaParts;
  /** By the fingerprint of the root. */
  readonly #authorities = new Map<string, Authority>();
  /** By the fingerprint of the root before. */
  readonly #next = new Map<string, Authority>();
  #change: (pem: string) => string = (pem) => pem;

  constructor(parts: MemoryCaParts, authority: Authority) {
    this.#parts = parts;
    this.#add(authority);
  }

  /** From now on, what is printed is changed so. A function that throws makes the CA fail. */
  change(change: (pem: string) => string): void {
    this.#change = change;
  }

  /** From now on, it fails with this reason. */
  fail(why: string): void {
    this.#change = () => {
      throw failed(why);
    };
  }

  async issue(order: CertificateOrder, signal: AbortSignal): Promise<string> {
    if (signal.aborted) throw failed('the caller has left');
    this.orders.push(order);
    const { name, dnsNames, ipAddresses, notBefore, notAfter, root } = order;
    const authority = this.#of(root);
    const der = fromBase64(order.request.replaceAll(/-----.*-----|\n/g, '')) ?? new Uint8Array();
    const hosts = [...dnsNames.filter((host) => host !== managerDnsName(name.cluster)), ...ipAddresses];
    const now = notBefore + backdating;
    const issuing = { now, random: this.#parts.random, life: milliseconds(notAfter - now) };
    const holder = { name, key: unwrap(checkRequest(der)), hosts };
    return this.#change(formatCertificates([issueNode(authority, holder, issuing)]));
  }

  async next(present: Certificate, signal: AbortSignal): Promise<string> {
    if (signal.aborted) throw failed('the caller has left');
    const { cluster, createKey, random } = this.#parts;
    const authority = this.#of(present);
    const pin = formatPin(pinOf(present));
    const issuing = { now: present.notBefore + backdating, random };
    const own = createKey();
    const next = this.#next.get(pin) ?? { key: own, certificate: issueRoot(cluster, own, issuing) };
    this.#next.set(pin, next);
    this.#add(next);
    return this.#change(formatCertificates([next.certificate, crossSign(authority, next.certificate, issuing)]));
  }

  #add(authority: Authority): void {
    this.#authorities.set(formatPin(pinOf(authority.certificate)), authority);
  }

  #of(root: Certificate): Authority {
    const authority = this.#authorities.get(formatPin(pinOf(root)));
    if (authority === undefined) throw failed('it does not have the key of this root');
    return authority;
  }
}

function failed(why: string): CausewayError {
  return new CausewayError('external-ca-failed', `the CA of the test has issued nothing: ${why}`);
}
