import { stateKey, type XfrmState, type XfrmStateOp } from '../../kinds/xfrm-state.ts';
import { isOurReqid } from '../../owner.ts';
import { SaKey } from '../../wire/sa-key.ts';
import { xfrmStateCases } from '../contract/xfrm-state.ts';
import { type FakeNamespace, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** The SAs of a namespace, those of other programs included. */
export const statesOf = perOwner<FakeNamespace, Map<string, XfrmState>>(() => new Map());

/** From which ports packets have come, by `stateKey`. */
export const arrivalsOf = perOwner<FakeNamespace, Map<string, number>>(() => new Map());

export const xfrmState: Twin<XfrmStateOp> = {
  execute(namespace, { op, state }, host) {
    const states = statesOf(namespace);
    const known = states.get(stateKey(state));
    if (op === 'xfrmState.delete') {
      if (known !== undefined && isOurReqid(known.reqid)) states.delete(stateKey(state));
      return;
    }
    if (op === 'xfrmState.setPorts') {
      if (known === undefined) throw new Refusal('ESRCH', 'there is no such SA');
      if (!isOurReqid(known.reqid)) throw new Refusal('EEXIST', 'another program has an SA with this SPI');
      if (known.encap === undefined || state.encap === undefined) throw new Refusal('EINVAL', '');
      states.set(stateKey(state), { ...known, encap: state.encap });
      arrivalsOf(namespace).delete(stateKey(state));
      return;
    }
    if (!host.hasEsp) throw new Refusal('ENOSYS', 'Requested AEAD algorithm not found');
    if (known !== undefined) throw new Refusal('EEXIST', '');
    const counts = { bytes: 0, packets: 0, addedAt: Math.floor(host.wall / 1_000), replays: 0 };
    states.set(stateKey(state), { counts, ...state });
  },
  view(namespace) {
    const ours = [...statesOf(namespace)].filter(([, { reqid }]) => isOurReqid(reqid));
    return new Map(ours.map(([key, each]) => [key, found(each, arrivalsOf(namespace).get(key))]));
  },
  report: (changes) => {
    changes.more = true;
  },
  reportsOwn: () => false,
  cases: xfrmStateCases,
  /** SAs are in the host namespace, which no network's plan is about: see xfrm.property.test.ts. */
  drift: () => [],
};

function found(state: XfrmState, arrivesFrom: number | undefined): XfrmState {
  const isElsewhere = state.encap !== undefined && arrivesFrom !== undefined && arrivesFrom !== state.encap.sport;
  return { ...state, key: SaKey.take(state.key.reveal().slice()), ...(isElsewhere && { arrivesFrom }) };
}
