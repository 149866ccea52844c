import { ourPriority, ourReqid, type XfrmPolicy } from '@causeway/datapath';
import { encryptedVxlanPort, family, type Ip, Prefix, width } from '@causeway/model';

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
 * Lets VXLAN pass from one address to another if it is in ESP. Only a tunnel sends from the port: packets that a program writes are
 * blocked, and so do not reach the peer's containers in ESP. `spi`: of the SA to send with; absent: of any SA of ours.
 */
export function demand(direction: 'in' | 'out', src: Ip, dst: Ip, spi?: number): XfrmPolicy {
  const port = encryptedVxlanPort;
  const selector = { src: only(src), dst: only(dst), sport: port, dport: port };
  const action = { kind: 'esp', src, dst, reqid: ourReqid, ...(spi !== undefined && { spi }) } as const;
  return { direction, selector, priority: ourPriority.pair, action };
}

function only(ip: Ip): Prefix {
  return Prefix(`${ip}/${width(family(ip))}`);
}
