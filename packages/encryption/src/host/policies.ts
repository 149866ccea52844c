import { ourPriority, ourReqid, type PolicyAction, type XfrmPolicy } from '@causeway/datapath';
import { encryptedVxlanPort, family, type Ip, Prefix, width } from '@causeway/model';

/** A policy that demands ESP. */
export interface Demand extends XfrmPolicy {
  readonly action: PolicyAction & { readonly kind: 'esp' };
}

/** Drops all VXLAN of encrypted networks, both ways, that no policy of a pair lets pass. */
export const blocks: readonly XfrmPolicy[] = (['0.0.0.0/0', '::/0'] as const).flatMap((any) =>
  (['in', 'out', 'fwd'] as const).map((direction) => ({
    direction,
    selector: { src: Prefix(any), dst: Prefix(any), dport: encryptedVxlanPort },
    priority: ourPriority.block,
    action: { kind: 'block' } as const,
  })),
);

/**
 * Lets VXLAN pass from one address to another if it is in ESP, of any SA of ours. Only a tunnel sends from the port: packets that a
 * program writes are blocked, and so do not reach the peer's containers in ESP.
 */
export function demand(direction: 'in' | 'out', src: Ip, dst: Ip): Demand {
  const port = encryptedVxlanPort;
  const selector = { src: only(src), dst: only(dst), sport: port, dport: port };
  return { direction, selector, priority: ourPriority.pair, action: { kind: 'esp', src, dst, reqid: ourReqid } };
}

/** The same, of the SA with this SPI. */
export function demandOf(spi: number, policy: Demand): Demand {
  return { ...policy, action: { ...policy.action, spi } };
}

function only(ip: Ip): Prefix {
  return Prefix(`${ip}/${width(family(ip))}`);
}
