import type { Endpoint, Network } from '@causeway/model';
import {
  type Condition,
  degraded,
  driftText,
  type HostState,
  type Problem,
  type Progress,
  programmed,
  type Recorded,
  type SmallHost,
  underlayTooSmall,
  unknown,
} from './condition.ts';

export interface EndpointFacts {
  readonly endpoint: Recorded<Endpoint>;
  /** The endpoint's addresses that it has no claim to. `owner`: of the claim, such as "gateway"; undefined: there is no claim. */
  readonly unclaimed: readonly { readonly address: string; readonly owner: string | undefined }[];
  /** The endpoint's network and host, when the host's underlay carries less than the network's packets need. */
  readonly tooLarge?: { readonly network: Recorded<Network>; readonly host: SmallHost };
  /** Absent: no manager leads. */
  readonly hosts?: {
    readonly progress: Progress;
    /** The host of the endpoint, with its drift in this network; undefined: the host does not exist any more. */
    readonly own: HostState | undefined;
  };
}

export function endpointConditions(facts: EndpointFacts): readonly Condition[] {
  const { hosts } = facts;
  return [allocated(facts), hosts === undefined ? unknown('Programmed') : programmed(hosts.progress), health(facts)];
}

function allocated({ endpoint: { value, written: since }, unclaimed }: EndpointFacts): Condition {
  const type = 'Allocated';
  if (unclaimed.length === 0) {
    const message = `${value.addresses.join(', ')} ${value.addresses.length === 1 ? 'is' : 'are'} claimed`;
    return { type, status: 'true', reason: 'Claimed', message, since };
  }
  const claims = unclaimed.map(
    ({ address, owner }) => `${address} ${owner === undefined ? 'has no claim' : `is claimed by ${owner}`}`,
  );
  const message = `${claims.join(', ')}: see "causeway ipam check"`;
  return { type, status: 'false', reason: 'ClaimMissing', message, since };
}

function health({ endpoint: { value, written }, tooLarge, hosts }: EndpointFacts): Condition {
  const large = tooLarge === undefined ? [] : [underlayTooSmall(tooLarge.network, [tooLarge.host])];
  if (hosts === undefined) return large.length === 0 ? unknown('Degraded') : degraded(large, []);
  const { own } = hosts;
  if (own === undefined)
    return degraded(
      [{ reason: 'HostGone', message: `host ${value.node} does not exist any more`, since: written }],
      [],
    );
  return degraded([...problemsOf(own), ...large], [written, own.since, own.driftSince]);
}

function problemsOf({ name, session, since, drift, driftSince }: HostState): Problem[] {
  if (session === 'none') return [{ reason: 'HostLost', message: `no session with ${name}`, since }];
  if (drift === 0) return [];
  return [{ reason: 'Drift', message: driftText(drift, ` on ${name}`), since: driftSince }];
}
