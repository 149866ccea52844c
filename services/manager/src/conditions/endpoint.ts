import type { Endpoint } from '@causeway/model';
import type { Versioned } from '../store/view.ts';
import {
  type Condition,
  degraded,
  driftText,
  type HostState,
  type Problem,
  type Progress,
  programmed,
  unknown,
} from './condition.ts';

export interface EndpointFacts {
  readonly endpoint: Versioned<Endpoint>;
  /** Addresses whose claim is not its own, with who has it: "nobody", "gateway". */
  readonly unclaimed: readonly { readonly address: string; readonly holder: string }[];
  /** Absent: nobody leads. */
  readonly hosts?: {
    readonly progress: Progress;
    /** The one it is on, its drift being that in this network; undefined: there is no such host any more. */
    readonly own: HostState | undefined;
  };
}

export function endpointConditions(facts: EndpointFacts): readonly Condition[] {
  const { hosts } = facts;
  return [
    allocated(facts),
    hosts === undefined ? unknown('Programmed') : programmed(hosts.progress),
    hosts === undefined ? unknown('Degraded') : health(facts.endpoint, hosts.own),
  ];
}

function allocated({ endpoint: { value, revision }, unclaimed }: EndpointFacts): Condition {
  const type = 'Allocated';
  if (unclaimed.length === 0) {
    const message = `${value.addresses.join(', ')} ${value.addresses.length === 1 ? 'is' : 'are'} claimed`;
    return { type, status: 'true', reason: 'Claimed', message, sinceRevision: revision };
  }
  const claims = unclaimed.map(({ address, holder }) => `${address} is claimed by ${holder}`).join(', ');
  const message = `${claims}: causeway ipam check tells more`;
  return { type, status: 'false', reason: 'ClaimMissing', message, sinceRevision: revision };
}

function health({ value, revision }: Versioned<Endpoint>, own: HostState | undefined): Condition {
  if (own === undefined)
    return degraded([{ reason: 'HostGone', message: `host ${value.node} is not there any more`, since: revision }], []);
  return degraded(problemsOf(own), [revision, own.since, own.driftSince]);
}

function problemsOf({ name, session, since, drift, driftSince }: HostState): Problem[] {
  if (session === 'none') return [{ reason: 'HostLost', message: `no session with ${name}`, since }];
  if (drift === 0) return [];
  return [{ reason: 'Drift', message: driftText(drift, ` on ${name}`), since: driftSince }];
}
