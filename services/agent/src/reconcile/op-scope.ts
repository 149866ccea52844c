import {
  bridgeName,
  deviceOf,
  hostEnd,
  isOverlayNetns,
  isStructural,
  type Op,
  overlayNetns,
  vxlanName,
} from '@causeway/datapath';
import type { EndpointId } from '@causeway/model';
import type { Sandbox } from '../disk/sandbox.ts';

/** The only endpoint that needs the op; undefined: all endpoints of the network need it. */
export function endpointOf(op: Op, sandboxes: readonly Sandbox[]): EndpointId | undefined {
  const device = deviceOf(op);
  const of = sandboxes.find(({ endpoint, netns, ifname }) =>
    op.netns === overlayNetns(endpoint.network)
      ? device === hostEnd(endpoint.id)
      : op.netns === netns && (device === undefined || device === ifname),
  );
  return of?.endpoint.id;
}

/** Whether the op changes a link that all endpoints share. The kernel drops entries by itself when such a link changes. */
export function affectsSharedLink(op: Op): boolean {
  if (!isStructural(op)) return false;
  const device = deviceOf(op);
  return device === undefined || (isOverlayNetns(op.netns) && sharedLinks.has(device));
}

const sharedLinks: ReadonlySet<string> = new Set([bridgeName, vxlanName]);
