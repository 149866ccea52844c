/** Rules that drop packets of one process, in its host's namespace. On the underlay only a whole host could be cut off. */

const ports = { etcdClient: 2379, etcdPeer: 2380 };

/** The TCP port whose traffic is cut. */
export function portOf(target: 'manager' | 'etcd'): number {
  return target === 'manager' ? ports.etcdClient : ports.etcdPeer;
}

export function tableOf(target: 'manager' | 'etcd'): string {
  return `inet chaos-${target}`;
}

/**
 * `nft -f` lines. To cut a manager off from the etcd members of other hosts, drop traffic to and from their client
 * port. To cut an etcd member off from its peers, drop traffic to and from the peer port at both ends.
 */
export function dropRules(target: 'manager' | 'etcd', others: readonly string[]): string {
  const table = tableOf(target);
  const them = `{ ${others.join(', ')} }`;
  const port = portOf(target);
  const rules = [
    `out ip daddr ${them} tcp dport ${port} counter drop`,
    `in ip saddr ${them} tcp sport ${port} counter drop`,
    ...(target === 'etcd'
      ? [`out ip daddr ${them} tcp sport ${port} counter drop`, `in ip saddr ${them} tcp dport ${port} counter drop`]
      : []),
  ];
  return [
    `add table ${table}`,
    `add chain ${table} out { type filter hook output priority 0; }`,
    `add chain ${table} in { type filter hook input priority 0; }`,
    ...rules.map((rule) => `add rule ${table} ${rule}`),
    '',
  ].join('\n');
}

interface Listing {
  readonly nftables: readonly {
    readonly rule?: { readonly expr: readonly { readonly counter?: { readonly packets: number } }[] };
  }[];
}

/** Number of packets that the rules have counted, from `nft -j list …`. */
export function countedBy(listing: string): number {
  const { nftables } = JSON.parse(listing) as Listing;
  const counters = nftables.flatMap(({ rule }) => rule?.expr ?? []).flatMap(({ counter }) => counter ?? []);
  return counters.reduce((sum, { packets }) => sum + packets, 0);
}
