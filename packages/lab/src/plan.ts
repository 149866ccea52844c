import { CausewayError, clip, family, type Ip, nthAddress, type Prefix, sizeOf } from '@causeway/model';
import type { Duration } from '@causeway/runtime';

/** What is started in a host: an agent in every one, a manager in the first few, and there an etcd member. */
export const processKinds = ['etcd', 'manager', 'agent'] as const;
export type ProcessKind = (typeof processKinds)[number];

/** Whether etcd members are processes of their own, or their managers' (`--etcd embedded`). */
export const etcdKinds = ['separate', 'embedded'] as const;
export type EtcdKind = (typeof etcdKinds)[number];

export interface LabSettings {
  readonly name: string;
  readonly hosts: number;
  readonly managers: number;
  readonly etcd: EtcdKind;
  /** Of the underlay, bytes. */
  readonly mtu: number;
  /** Of the underlay: host N has the Nth address. */
  readonly subnet: Prefix;
  /** What managers are told of it; absent: nothing, so that they take their default. */
  readonly cooldown?: Duration;
}

export interface LabHost {
  /** "h1" */
  readonly name: string;
  readonly underlay: Ip;
  readonly kinds: readonly ProcessKind[];
}

/** A lab as it will be: decided before anything is made. */
export interface LabPlan {
  readonly name: string;
  readonly subnet: Prefix;
  readonly mtu: number;
  readonly etcd: EtcdKind;
  readonly cooldown?: Duration;
  readonly hosts: readonly LabHost[];
}

/** The name is a folder, and part of the path of unix sockets, which have 107 bytes (unix(7)). */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
/** Each host is three processes and a namespace: beyond this a machine is too small, and a /24 full. */
const maxHosts = 250;
/** 1280 is what IPv6 asks of a link (RFC 8200 §5), 50 the VXLAN header; 65535 is what veth takes. */
const mtuRange = { min: 1330, max: 65_535 };

/** Throws `invalid-argument`, `name-invalid` or `mtu-invalid`, naming the setting and what would be right. */
export function planLab(settings: LabSettings): LabPlan {
  const { name, hosts, managers, etcd, mtu, subnet, cooldown } = settings;
  checkLabName(name);
  checkCount('--hosts', hosts, 1, maxHosts, '');
  checkCount('--managers', managers, 1, hosts, ': a manager runs in a host of its own');
  if (!Number.isInteger(mtu) || mtu < mtuRange.min || mtu > mtuRange.max) {
    throw new CausewayError('mtu-invalid', `--mtu must be a number from ${mtuRange.min} to ${mtuRange.max}`);
  }
  // The network address and, in IPv4, the broadcast address are nobody's.
  const usable = sizeOf(subnet) - (family(nthAddress(subnet, 0n)) === 4 ? 2n : 1n);
  if (usable < BigInt(hosts)) {
    throw new CausewayError(
      'invalid-argument',
      `--subnet ${subnet} is too small: ${hosts} hosts need ${hosts} addresses, it has ${usable < 0n ? 0n : usable}`,
      { field: 'subnet' },
    );
  }
  const host = (_: unknown, i: number): LabHost => ({
    name: `h${i + 1}`,
    underlay: nthAddress(subnet, BigInt(i + 1)),
    kinds: i < managers ? kindsBeside[etcd] : ['agent'],
  });
  const shape = { name, subnet, mtu, etcd, ...(cooldown === undefined ? {} : { cooldown }) };
  return { ...shape, hosts: Array.from({ length: hosts }, host) };
}

export function checkLabName(name: string): void {
  if (namePattern.test(name)) return;
  throw new CausewayError(
    'name-invalid',
    `"${clip(name)}" is not a lab name: 1 to 32 of a-z, 0-9 and "-", neither first nor last a "-"`,
  );
}

/** The host of that name; throws `lab-host-unknown`. */
export function hostOf(plan: LabPlan, name: string): LabHost {
  const found = plan.hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const last = plan.hosts.at(-1)?.name;
  throw new CausewayError('lab-host-unknown', `lab ${plan.name} has no host "${clip(name)}": it has h1 to ${last}`);
}

export function managersOf(plan: LabPlan): readonly LabHost[] {
  return plan.hosts.filter((host) => host.kinds.includes('manager'));
}

/** What is started where a manager is. */
const kindsBeside: Readonly<Record<EtcdKind, readonly ProcessKind[]>> = {
  separate: processKinds,
  embedded: ['manager', 'agent'],
};

function checkCount(flag: string, value: number, min: number, max: number, reason: string): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new CausewayError('invalid-argument', `${flag} must be a number from ${min} to ${max}${reason}`, {
    field: flag.slice(2),
  });
}
