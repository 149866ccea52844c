import type { Network } from '@causeway/model';
import { latest, type Moment } from '../../store/moment.ts';
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

interface SubnetFill {
  readonly prefix: string;
  /** Addresses that endpoints can have, those in use included. */
  readonly size: bigint;
  readonly free: bigint;
}

export interface NetworkFacts {
  readonly network: Recorded<Network>;
  /** The claim of the network's VNI belongs to the network. */
  readonly holdsVni: boolean;
  readonly subnets: readonly SubnetFill[];
  /** The network's automatic MTU is more than some host carries, and is about to be lowered. */
  readonly exceedsUnderlay: boolean;
  /** Hosts whose underlay carries less than the network's fixed MTU. */
  readonly small: readonly SmallHost[];
  /** What the next step of its driver waits for. Absent: its driver does not change, or no manager leads. */
  readonly waitsFor?: readonly string[];
  /** Absent: no manager leads. */
  readonly hosts?: {
    readonly progress: Progress;
    /** All hosts that have an endpoint of the network, with their drift in this network. */
    readonly states: readonly HostState[];
  };
}

/** A subnet is nearly full when less than this part of it is free. */
const scarce = 20n;

export function networkConditions(facts: NetworkFacts): readonly Condition[] {
  const { hosts } = facts;
  return [
    allocated(facts),
    hosts === undefined ? unknown('Programmed') : programmed(hosts.progress),
    ...(facts.network.value.change === undefined ? [] : [changing(facts)]),
    health(facts),
  ];
}

/** The network is neither encrypted nor not, until all hosts have the last step. */
function changing({ network: { value, written: since }, waitsFor }: NetworkFacts): Condition {
  const type = 'Settled';
  if (waitsFor === undefined) return unknown(type);
  const why = waitsFor.length === 0 ? 'the next step follows' : waitsFor.join('; ');
  const message = `it becomes ${value.change?.to}, and is ${value.driver} now: ${why}`;
  return { type, status: 'false', reason: 'Changing', message, since };
}

function allocated({ network: { value, written: since }, holdsVni }: NetworkFacts): Condition {
  const type = 'Allocated';
  const prefixes = value.subnets.map(({ prefix }) => prefix).join(', ');
  if (holdsVni) {
    const message = `VNI ${value.vni} and ${prefixes} are claimed`;
    return { type, status: 'true', reason: 'Claimed', message, since };
  }
  const message = `VNI ${value.vni} is not claimed by it`;
  return { type, status: 'false', reason: 'ClaimMissing', message, since };
}

function health({ network, subnets, exceedsUnderlay, small, hosts }: NetworkFacts): Condition {
  const moved = latest(network.written, ...(hosts === undefined ? [] : [hosts.progress.since]));
  const problems = [
    ...lost(hosts?.states ?? []),
    ...drifting(hosts?.states ?? []),
    ...subnets.flatMap((subnet) => shortage(subnet, moved)),
    ...(exceedsUnderlay ? [tooLarge(network)] : []),
    ...(small.length > 0 ? [underlayTooSmall(network, small)] : []),
  ];
  if (problems.length === 0 && hosts === undefined) return unknown('Degraded');
  const since = (hosts?.states ?? []).map((host) => latest(host.since, host.driftSince));
  return degraded(problems, [moved, ...since]);
}

function lost(states: readonly HostState[]): Problem[] {
  return states
    .filter(({ session }) => session === 'none')
    .map((host) => ({ reason: 'HostLost', message: `no session with ${host.name}`, since: host.since }));
}

function drifting(states: readonly HostState[]): Problem[] {
  const drift = states.filter((host) => host.session !== 'none' && host.drift > 0);
  return drift.map(({ name, drift: count, driftSince }) => ({
    reason: 'Drift',
    message: driftText(count, ` on ${name}`),
    since: driftSince,
  }));
}

function shortage({ prefix, size, free }: SubnetFill, since: Moment): Problem[] {
  if (free <= 0n) return [{ reason: 'SubnetExhausted', message: `${prefix} has no free address`, since }];
  if (free * scarce >= size) return [];
  return [{ reason: 'SubnetNearlyFull', message: `${prefix} has ${free} free addresses of ${size}`, since }];
}

function tooLarge({ value, written }: Recorded<Network>): Problem {
  const message = `MTU ${value.mtu.bytes} is more than every host carries: it is being lowered`;
  return { reason: 'MtuTooLarge', message, since: written };
}
