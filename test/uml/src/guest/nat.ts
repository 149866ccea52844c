/** A NAT for the UDP port 4500 of one host behind it. */
export interface PortNat {
  /** Address of the host, and the address and port that the NAT gives it. */
  readonly inner: string;
  readonly outer: string;
  readonly port: number;
  /** The device at which the NAT is done. */
  readonly device: string;
  /** What is behind the device: the host, or all others. */
  readonly behind: 'host' | 'others';
}

/** tc(8) commands that make the NAT, in place of one that the device has. */
export function natCommands({ inner, outer, port, device, behind }: PortNat): readonly (readonly string[])[] {
  const [toHost, fromHost] = behind === 'host' ? ['egress', 'ingress'] : ['ingress', 'egress'];
  const add = (direction: string, match: readonly string[], rewrite: readonly string[]): readonly string[] => [
    ...['filter', 'add', 'dev', device, direction, 'protocol', 'ip', 'flower', 'ip_proto', 'udp', ...match],
    ...['action', 'pedit', 'ex', ...rewrite, 'pipe', 'action', 'csum', 'ip', 'and', 'udp'],
  ];
  const munge = (end: 'src' | 'dst', address: string, to: number): readonly string[] => [
    ...['munge', 'ip', end, 'set', address],
    ...['munge', 'udp', end === 'src' ? 'sport' : 'dport', 'set', `${to}`],
  ];
  return [
    ['qdisc', 'replace', 'dev', device, 'clsact'],
    ...['ingress', 'egress'].map((direction) => ['filter', 'delete', 'dev', device, direction]),
    add(toHost, ['dst_ip', outer, 'dst_port', `${port}`], munge('dst', inner, espPort)),
    add(fromHost, ['src_ip', inner, 'src_port', `${espPort}`], munge('src', outer, port)),
  ];
}

/** ESP in UDP (RFC 3948). */
export const espPort = 4500;
