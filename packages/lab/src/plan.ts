import { CausewayError, clip, family, type Ip, nthAddress, type Prefix, sizeOf } from '@causeway/model';
import type { Duration } from '@causeway/runtime';

/**
 * The processes in hosts: an agent in each host, a manager in the first few hosts, and an etcd member beside each
 * manager.
 */
export const processKinds = ['etcd', 'manager', 'agent'] as const;
export type ProcessKind = (typeof processKinds)[number];

/** Whether etcd members are separate processes or belong to the managers (`--etcd embedded`). */
export const etcdKinds = ['separate', 'embedded'] as const;
export type EtcdKind = (typeof etcdKinds)[number];

export interface LabSettings {
  readonly name: string;
  readonly hosts: number;
  readonly managers: number;
  readonly etcd: EtcdKind;
  /** MTU of the underlay, bytes. */
  readonly mtu: number;
  /** Subnet of the underlay: host N has the Nth address. */
  readonly subnet: Prefix;
  /** `--cooldown` of the managers; absent: their default. */
  readonly cooldown?: Duration;
}

export interface LabHost {
  /** "h1" */
  readonly name: string;
  readonly underlay: Ip;
  readonly kinds: readonly ProcessKind[];
}

/** A lab before it is made: everything is decided. */
export interface LabPlan {
  readonly name: string;
  readonly subnet: Prefix;
  readonly mtu: number;
  readonly etcd: EtcdKind;
  readonly cooldown?: Duration;
  readonly hosts: readonly LabHost[];
}

/** The name is a folder, and part of the path of unix sockets, which is limited to 107 bytes (unix(7)). */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
/** A host has three processes and a namespace. With more hosts, machines are too small and a /24 is full. */
const maxHosts = 250;
/** 1280 is the minimum for IPv6 (RFC 8200 §5), 50 the VXLAN overhead; 65535 is the maximum of veth. */
const mtuRange = { min: 1330, max: 65_535 };

/** Throws `invalid-argument`, `name-invalid` or `mtu-invalid`. The error names the setting and what would be right. */
export function planLab(settings: LabSettings): LabPlan {
  const { name, hosts, managers, etcd, mtu, subnet, cooldown } = settings;
  checkLabName(name);
  checkCount('--hosts', hosts, 1, maxHosts, '');
  checkCount('--managers', managers, 1, hosts, ': a manager runs in a host of its own');
  if (!Number.isInteger(mtu) || mtu < mtuRange.min || mtu > mtuRange.max) {
    throw new CausewayError('mtu-invalid', `--mtu must be a number from ${mtuRange.min} to ${mtuRange.max}`);
  }
  // No host has the network address or, in IPv4, the broadcast address.
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
    `"${clip(name)}" is not a lab name: expected 1 to 32 of a-z, 0-9 and "-", beginning and ending with a letter or digit`,
  );
}

/** The host with this name; throws `lab-host-unknown`. */
export function hostOf(plan: LabPlan, name: string): LabHost {
  const found = plan.hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const last = plan.hosts.at(-1)?.name;
  throw new CausewayError('lab-host-unknown', `lab ${plan.name} has no host "${clip(name)}": it has h1 to ${last}`);
}

export function managersOf(plan: LabPlan): readonly LabHost[] {
  return plan.hosts.filter((host) => host.kinds.includes('manager'));
}

/** What runs in a host that has a manager. */
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
