import { deviceOf, hostEnd, isStructural, type Op, overlayNetns } from '@causeway/datapath';
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
export function affectsSharedLink(op: Op, sandboxes: readonly Sandbox[]): boolean {
  return isStructural(op) && endpointOf(op, sandboxes) === undefined;
}
