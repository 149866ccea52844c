import { familyOf, lengthOf } from '@causeway/model';
import type { LabHost, LabPlan } from './plan.ts';

/** The switch is its own namespace with this one bridge. Its ports have the names of their hosts. */
const switchBridge = 'br0';
/** The device of each host on the underlay. */
export const underlayDevice = 'eth0';

/**
 * `ip -batch` lines for the switch's namespace, which make the underlay. `netnsOf`: the pid of a process in the host's
 * network namespace. The switch itself sends nothing: it has no IPv6 address and makes no multicast queries.
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
  // No other device is on this link, so the address works at once, without duplicate address detection.
  const options = familyOf(plan.subnet) === 6 ? ' nodad' : '';
  return [
    'link set lo up',
    `link set ${underlayDevice} up`,
    `addr add ${host.underlay}/${lengthOf(plan.subnet)} dev ${underlayDevice}${options}`,
  ];
}
