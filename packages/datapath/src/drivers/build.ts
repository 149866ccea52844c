import type { EndpointId, EndpointRow, Network } from '@causeway/model';
import type { State } from '../state.ts';
import type { Driver, NetworkOnHost } from './driver.ts';
import { byGatewayRank } from './gateway.ts';
import { dualEncryptedOverlay, dualOverlay, encryptedOverlay, overlay } from './overlay.ts';
import { Peers } from './peers.ts';

/** The driver for each kind of network. */
const drivers: { readonly [Of in Network as Of['driver']]: Driver<Of> } = {
  overlay,
  'dual-overlay': dualOverlay,
  'dual-encrypted-overlay': dualEncryptedOverlay,
  'encrypted-overlay': encryptedOverlay,
};

function driverOf<Of extends Network>({ driver }: Of): Driver<Of> {
  return drivers[driver] as Driver<Of>;
}

/**
 * The state of the network that the host's kernel must hold. An endpoint of this host without a sandbox adds nothing, and
 * neither does a sandbox without a row. `peers`: collects the endpoints of other hosts; it may already hold some.
 */
export function buildNetwork(input: NetworkOnHost, peers: Peers = new Peers(input)): State {
  const { network, node, vtep, vxlanPort } = input;
  const own = new Map<EndpointId, EndpointRow>();
  for (const row of input.rows) {
    if (row.node === node) own.set(row.id, row);
    else peers.add(row);
  }
  const attachments = input.sandboxes.toSorted(byGatewayRank).flatMap((sandbox) => {
    const row = own.get(sandbox.endpoint);
    return row === undefined ? [] : [{ sandbox, row }];
  });
  return driverOf(network).build(network, { vtep, vxlanPort, attachments, peers });
}

/** The part of that state for endpoints on other hosts: entries, without the links that they belong to. */
export function buildPeers(input: Pick<NetworkOnHost, 'network' | 'node' | 'rows'>): State {
  const peers = new Peers(input);
  for (const row of input.rows) peers.add(row);
  return driverOf(input.network).buildPeers(input.network, peers);
}
