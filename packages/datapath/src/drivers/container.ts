import { addressOf, contains, type Family, familyOf, minimumMtu, type Network, Prefix } from '@causeway/model';
import type { Draft } from '../draft.ts';
import { interfaceSysctl } from '../kinds/sysctl.ts';
import type { Attachment } from './driver.ts';
import { routeMetric } from './gateway.ts';

const everything: Record<Family, Prefix> = { 4: Prefix('0.0.0.0/0'), 6: Prefix('::/0') };

/** Addresses, routes and the sysctl of a container's interface. They are the same for every driver. */
export function addAddresses(container: Draft, network: Network, attachment: Attachment): void {
  const { ifname } = attachment.sandbox;
  container.addresses.set(ifname, new Set(attachment.row.addresses));
  addRoutes(container, network, attachment);
  // A host on the network must not become the container's router. Below the minimum MTU there is no IPv6.
  if (network.mtu.bytes >= minimumMtu) container.sysctls.set(interfaceSysctl('ipv6', ifname, 'accept_ra'), '0');
}

/**
 * If a container has several interfaces on one network, the first provides its default route: `buildNetwork` orders
 * them.
 */
function addRoutes(container: Draft, { subnets }: Network, { sandbox, row }: Attachment): void {
  for (const address of row.addresses) {
    const subnet = subnets.find(({ prefix }) => contains(prefix, addressOf(address)));
    const dst = everything[familyOf(address)];
    if (subnet?.gateway === undefined || container.routes.has(dst)) continue;
    container.routes.set(dst, {
      dst,
      gateway: subnet.gateway,
      dev: sandbox.ifname,
      metric: routeMetric(sandbox.gateway),
    });
  }
}
