import { familyOf, lengthOf } from '@causeway/model';
import type { LabHost, LabPlan } from './plan.ts';

/** The switch is a namespace of its own with this one bridge; its ports are named as the hosts they lead to. */
export const switchBridge = 'br0';
/** Each host's way to the others. */
export const underlayDevice = 'eth0';

/**
 * `ip -batch` lines that make the underlay, for the switch's namespace. `netnsOf` gives the process whose network
 * namespace is the host's. The switch says nothing of its own: no IPv6 address, no multicast queries.
 */
export function switchBatch(plan: LabPlan, netnsOf: (host: LabHost) => number): readonly string[] {
  const { mtu } = plan;
  return [
    `link add ${switchBridge} mtu ${mtu} type bridge mcast_snooping 0`,
    `link set ${switchBridge} addrgenmode none up`,
    ...plan.hosts.flatMap((host) => [
      `link add ${host.name} mtu ${mtu} type veth peer name ${underlayDevice} mtu ${mtu} netns ${netnsOf(host)}`,
      `link set ${host.name} master ${switchBridge} addrgenmode none up`,
    ]),
  ];
}

/** `ip -batch` lines for the host's own namespace. */
export function hostBatch(plan: LabPlan, host: LabHost): readonly string[] {
  // Nobody else is on this wire: without duplicate address detection the address serves at once.
  const options = familyOf(plan.subnet) === 6 ? ' nodad' : '';
  return [
    'link set lo up',
    `link set ${underlayDevice} up`,
    `addr add ${host.underlay}/${lengthOf(plan.subnet)} dev ${underlayDevice}${options}`,
  ];
}
