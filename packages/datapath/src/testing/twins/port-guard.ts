import type { PortGuard, PortGuardOp } from '../../kinds/port-guard.ts';
import { portGuardCases } from '../contract/port-guard.ts';
import { type FakeNamespace, perOwner } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** The guards of a namespace, by port. */
export const guardsOf = perOwner<FakeNamespace, Map<number, PortGuard>>(() => new Map());

export const portGuard: Twin<PortGuardOp> = {
  execute(namespace, { op, port }) {
    if (op === 'portGuard.set') guardsOf(namespace).set(port, 'whole');
    else guardsOf(namespace).delete(port);
  },
  view: (namespace) => new Map(guardsOf(namespace)),
  report: (changes) => {
    changes.more = true;
  },
  reportsOwn: () => false,
  cases: portGuardCases,
  /** As for SAs. */
  drift: () => [],
};
