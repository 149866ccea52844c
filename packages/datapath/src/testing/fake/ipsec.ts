import { contains, type Ip } from '@causeway/model';
import type { XfrmPolicy } from '../../kinds/xfrm-policy.ts';
import { stateKey, type XfrmState } from '../../kinds/xfrm-state.ts';
import { guardsOf } from '../twins/port-guard.ts';
import { policiesOf } from '../twins/xfrm-policy.ts';
import { statesOf } from '../twins/xfrm-state.ts';
import type { FakeNamespace } from './host.ts';

/** A packet of UDP between two hosts. */
export interface Datagram {
  readonly src: Ip;
  readonly dst: Ip;
  /** Absent: another for each flow. */
  readonly sport?: number | undefined;
  readonly dport: number;
}

/** What becomes of a packet that a host sends: an SA protects it, or it leaves "in the clear", or it is "dropped". */
export type Fate = XfrmState | 'in the clear' | 'dropped';

export function fateOf(sender: FakeNamespace, packet: Datagram): Fate {
  const fate = fateByPolicies(sender, packet);
  return fate === 'in the clear' && isGuarded(sender, packet) ? 'dropped' : fate;
}

/** Whether a guard drops the packet if no SA protects it. */
export function isGuarded(namespace: FakeNamespace, { dport }: Pick<Datagram, 'dport'>): boolean {
  return guardsOf(namespace).get(dport) === 'whole';
}

/** As `fateOf`, of a host that has no guards. */
export function fateByPolicies(sender: FakeNamespace, packet: Datagram): Fate {
  const policy = policyFor(sender, 'out', packet);
  if (policy === undefined || policy.action.kind === 'other') return 'in the clear';
  const { action } = policy;
  if (action.kind === 'block') return 'dropped';
  const fitting = [...statesOf(sender).values()].find(
    ({ src, dst, spi, reqid }) =>
      src === action.src && dst === action.dst && reqid === action.reqid && spi === (action.spi ?? spi),
  );
  return fitting ?? 'dropped';
}

/** Whether a host takes in a packet that came in this SA, or in the clear. */
export function isTaken(receiver: FakeNamespace, packet: Datagram, sent: XfrmState | 'in the clear'): boolean {
  const policy = policyFor(receiver, 'in', packet);
  if (policy?.action.kind === 'block') return false;
  if (sent === 'in the clear' && isGuarded(receiver, packet)) return false;
  if (sent === 'in the clear') return policy === undefined || policy.action.kind === 'other';
  const received = statesOf(receiver).get(stateKey(sent));
  if (received === undefined || received.src !== packet.src || !received.key.equals(sent.key)) return false;
  return policy?.action.kind !== 'esp' || policy.action.reqid === received.reqid;
}

function policyFor(
  namespace: FakeNamespace,
  direction: XfrmPolicy['direction'],
  { src, dst, sport, dport }: Datagram,
): XfrmPolicy | undefined {
  const matching = [...policiesOf(namespace).values()].filter(
    ({ direction: of, selector }) =>
      of === direction &&
      contains(selector.src, src) &&
      contains(selector.dst, dst) &&
      (selector.sport === undefined || selector.sport === sport) &&
      (selector.dport === undefined || selector.dport === dport),
  );
  return matching.reduce<XfrmPolicy | undefined>(
    (first, each) => (first === undefined || each.priority < first.priority ? each : first),
    undefined,
  );
}
