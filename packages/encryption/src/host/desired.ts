import { newNamespace, ourReqid, policyKey, type SaLimits, type UdpPorts, type XfrmState } from '@causeway/datapath';
import type { NodeId } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import { receivingLimits, sendingLimits } from '../limits.ts';
import { publicHalf } from '../node-key.ts';
import type { PeerPlan } from '../protocol/peer-plan.ts';
import { portsOf } from './encap.ts';
import { type FoundIpsec, isAsMade } from './found.ts';
import type { HostView } from './host-view.ts';
import { blocks, demandOf } from './policies.ts';
import { type PeerSas, type PossibleSa, saOf } from './possible-sas.ts';

type Desired = ReturnType<typeof newNamespace>;

/** What the kernel shall have. The blocks are always there: an encrypted network that comes later finds them. */
export function desiredIpsec(
  host: Pick<HostView, 'own' | 'stored' | 'sas' | 'peers' | 'period'>,
  plans: ReadonlyMap<NodeId, PeerPlan>,
  found: FoundIpsec,
): FoundIpsec {
  const desired = newNamespace();
  for (const block of blocks) desired.xfrmPolicies.set(policyKey(block), block);
  for (const [node, plan] of plans) {
    const peer = host.peers.get(node);
    if (peer !== undefined) addPeer(desired, host, host.sas.of(host, peer), plan, found);
  }
  return desired;
}

function addPeer(
  desired: Desired,
  { own, period }: Pick<HostView, 'own' | 'period'>,
  sas: PeerSas,
  { receives, sends, sendsWith }: PeerPlan,
  found: FoundIpsec,
): void {
  const { demandIn, demandOut } = sas;
  for (const [all, pairs] of [
    [sas.received, receives],
    [sas.sent, sends],
  ] as const) {
    for (const pair of pairs) {
      const sa = saOf(all, pair);
      const state = sa && desiredState(sa, sas, period, found);
      if (sa === undefined || state === undefined) continue;
      desired.xfrmStates.set(sa.name, state);
      if (state.encap !== undefined) desired.encapSockets.set(own.address, true);
    }
  }
  if (receives.length > 0) desired.xfrmPolicies.set(demandIn.name, demandIn.policy);
  const sending = sendsWith && saOf(sas.sent, sendsWith);
  if (sending !== undefined) desired.xfrmPolicies.set(demandOut.name, demandOf(sending.spi, demandOut.policy));
}

/** An SA that is there stays as it is, but for its ports: with other limits it would be made again with the same key. */
function desiredState(sa: PossibleSa, sas: PeerSas, period: Duration, found: FoundIpsec): XfrmState | undefined {
  const { direction, src, dst, spi, meeting } = sa;
  const key = meeting.saKey(direction);
  if (key === undefined) return undefined;
  const there = found.xfrmStates.get(sa.name);
  const encap = portsOf(sa, sas, found);
  if (there !== undefined && isAsMade(sa, there) && hasPorts(there, encap)) return there;
  const limits = there?.key.equals(key) === true ? there.limits : freshLimits(sa, period);
  return {
    ...{ direction, src, dst, spi, reqid: ourReqid, key, limits, isStrict: true },
    ...(encap && { encap }),
  };
}

function hasPorts({ encap }: XfrmState, wanted: UdpPorts | undefined): boolean {
  return encap?.sport === wanted?.sport && encap?.dport === wanted?.dport;
}

function freshLimits({ direction, meeting }: PossibleSa, period: Duration): SaLimits {
  return direction === 'in' ? receivingLimits(period) : sendingLimits(publicHalf(meeting.ownKey), period);
}
