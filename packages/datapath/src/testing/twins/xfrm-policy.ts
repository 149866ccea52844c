import { policyKey, type XfrmPolicy, type XfrmPolicyOp } from '../../kinds/xfrm-policy.ts';
import { isOurPriority, isOurReqid } from '../../owner.ts';
import { xfrmPolicyCases } from '../contract/xfrm-policy.ts';
import { type FakeNamespace, perOwner } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** The policies of a namespace, those of other programs included. */
export const policiesOf = perOwner<FakeNamespace, Map<string, XfrmPolicy>>(() => new Map());

export const xfrmPolicy: Twin<XfrmPolicyOp> = {
  execute(namespace, { op, policy }) {
    const policies = policiesOf(namespace);
    const known = policies.get(policyKey(policy));
    if (op === 'xfrmPolicy.set') policies.set(policyKey(policy), policy);
    else if (known !== undefined && isOurs(known)) policies.delete(policyKey(policy));
  },
  view: (namespace) => new Map([...policiesOf(namespace)].filter(([, policy]) => isOurs(policy))),
  report: (changes) => {
    changes.more = true;
  },
  reportsOwn: () => false,
  cases: xfrmPolicyCases,
  /** As for SAs. */
  drift: () => [],
};

function isOurs({ priority, action }: XfrmPolicy): boolean {
  return isOurPriority(priority) && (action.kind !== 'esp' || isOurReqid(action.reqid));
}
