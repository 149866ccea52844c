import type { Ip, Mac } from '@causeway/model';
import type { ChangeSet } from '../changes.ts';
import type { Scope } from '../kernel.ts';
import type { LinkFate } from '../kinds/kind.ts';
import type { Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import type { ContractCase } from './contract/host.ts';
import type { FakeHost, FakeLink, FakeNamespace } from './fake/host.ts';

/** A kind in the kernel in memory, and how to prove that it is there as in the real one. */
export interface Twin<KindOp extends Op = Op> {
  /** Carries out the op; or throws a Refusal and has changed nothing. */
  execute(namespace: FakeNamespace, op: KindOp, host: FakeHost): void;
  /** The kind's slot of the namespace, as far as it hangs on these links or on none. */
  view(namespace: FakeNamespace, links: ReadonlyMap<string, FakeLink>, scope: Scope): ReadonlyMap<unknown, unknown>;
  /** What becomes of things of the kind when something happens to a link. */
  follow?(namespace: FakeNamespace, link: FakeLink, what: FakeFate): void;
  /** What a watch tells of the op, beside the links that change by it. */
  tell?(changes: ChangeSet, op: KindOp): void;
  /** Whether a watch tells it too when it came through `apply`: see Kernel.watch. */
  isOwnTold?(op: KindOp): boolean;

  /** What every kernel must do with things of the kind. */
  readonly cases: readonly ContractCase[];
  /**
   * What others may do to things of the kind, whether or not the kernel lets them: groups of alternatives, each as likely as
   * the others. Plans must put all of it right.
   */
  damage(what: Damageable): readonly (readonly KindOp[])[];
}

/** What happens to a link in a kernel: more than a plan has to foresee, since a plan takes no link down. */
export type FakeFate = LinkFate | 'made' | 'down' | 'IPv6 again';

/** A host's network that is to be damaged. */
export interface Damageable {
  readonly overlay: NetnsPath;
  /** Links in it: br0, vxlan0 and ports. */
  readonly devs: readonly string[];
  /** Containers' namespaces, each with an "eth0". */
  readonly containers: readonly { readonly netns: NetnsPath; readonly number: number }[];
  readonly macs: readonly Mac[];
  readonly ips: readonly Ip[];
  readonly vteps: readonly Ip[];
}
