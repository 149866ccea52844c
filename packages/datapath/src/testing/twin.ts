import type { Ip, Mac } from '@causeway/model';
import type { ChangeSet } from '../changes.ts';
import type { ReadScope } from '../kernel.ts';
import type { LinkEventType } from '../kinds/kind.ts';
import type { Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import type { ContractCase } from './contract/host.ts';
import type { FakeHost, FakeLink, FakeNamespace } from './fake/host.ts';

/** A kind in the fake kernel, and the tests that its behaviour equals the real kernel's. */
export interface Twin<KindOp extends Op = Op> {
  /** Carries out the op. Throws a Refusal if it cannot; nothing has changed then. */
  execute(namespace: FakeNamespace, op: KindOp, host: FakeHost): void;
  /** The kind's slot of the namespace: the objects that belong to these links or to no link. */
  view(namespace: FakeNamespace, links: ReadonlyMap<string, FakeLink>, scope: ReadScope): ReadonlyMap<unknown, unknown>;
  /** Changes the objects of the kind when something happens to a link. */
  follow?(namespace: FakeNamespace, link: FakeLink, what: FakeLinkEventType): void;
  /** Adds what a watch reports of the op, beside the links that it changes. */
  report?(changes: ChangeSet, op: KindOp): void;
  /** Whether a watch also reports the op when it came through `apply`: see Kernel.watch. */
  reportsOwn?(op: KindOp): boolean;

  /** Tests that every kernel must pass for objects of this kind. */
  readonly cases: readonly ContractCase[];
  /**
   * What other programs may do to objects of the kind, whether or not the kernel allows it: groups of alternatives, each
   * group equally likely. Plans must repair all of it.
   */
  drift(target: DriftTarget): readonly (readonly KindOp[])[];
}

/** What can happen to a link in a kernel. More than a plan must foresee, since a plan never sets a link down. */
export type FakeLinkEventType = LinkEventType | 'made' | 'down' | 'IPv6 again';

/** A host's network in which a test causes drift. */
export interface DriftTarget {
  readonly overlay: NetnsPath;
  /** Links in it: br0, vxlan0 and ports. */
  readonly devs: readonly string[];
  /** Containers' namespaces, each with an "eth0". */
  readonly containers: readonly { readonly netns: NetnsPath; readonly number: number }[];
  readonly macs: readonly Mac[];
  readonly ips: readonly Ip[];
  readonly vteps: readonly Ip[];
}
