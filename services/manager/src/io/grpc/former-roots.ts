import { type Certificate, isIssuedBy, type TrustBundle } from '@causeway/identity';

interface Bundles {
  /** What the cluster trusts now; undefined: not known. */
  readonly present: TrustBundle | undefined;
  /** What this process trusts: until it has renewed its own credential, also roots that were replaced. */
  readonly trusted: TrustBundle;
}

/**
 * The roots that this process has trusted and the cluster has replaced. OpenSSL verifies a chain when a connection begins, by what
 * the process trusts then, so a connection would outlive the CA of its certificate.
 */
export class FormerRoots {
  readonly #known = new Set<Certificate>();
  #bundles: Bundles | undefined;
  #former: readonly Certificate[] = [];
  #verdicts = new WeakMap<Certificate, boolean>();

  haveIssued(certificate: Certificate, bundles: Bundles): boolean {
    this.#learn(bundles);
    if (this.#former.length === 0) return false;
    const known = this.#verdicts.get(certificate);
    if (known !== undefined) return known;
    const verdict = this.#former.some((root) => isIssuedBy(certificate, root));
    this.#verdicts.set(certificate, verdict);
    return verdict;
  }

  /** A root that is not among those of the cluster may also be the next, which this manager has not read of yet. */
  #learn(bundles: Bundles): void {
    const { present, trusted } = bundles;
    if (present === this.#bundles?.present && trusted === this.#bundles?.trusted) return;
    this.#bundles = bundles;
    for (const root of [...trusted, ...(present ?? [])]) this.#known.add(root);
    const [newest] = present ?? [];
    const isPresent = (root: Certificate): boolean => present?.some((each) => isSame(each, root)) ?? true;
    const isFormer = (root: Certificate): boolean => newest !== undefined && root.notBefore < newest.notBefore;
    this.#former = [...this.#known].filter((root) => !isPresent(root) && isFormer(root));
    this.#verdicts = new WeakMap();
  }
}

function isSame(one: Certificate, other: Certificate): boolean {
  return one.x509.fingerprint256 === other.x509.fingerprint256;
}
