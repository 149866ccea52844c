/** Packets of one process's that are dropped in its host, where the underlay could only drop all of the host's. */

const ports = { etcdClient: 2379, etcdPeer: 2380 };

/** What is cut: what passes to and from this TCP port. */
export function portOf(target: 'manager' | 'etcd'): number {
  return target === 'manager' ? ports.etcdClient : ports.etcdPeer;
}

export function tableOf(target: 'manager' | 'etcd'): string {
  return `inet chaos-${target}`;
}

/**
 * `nft -f` lines. A manager is cut off from etcd members elsewhere by what it sends to their client port and they answer;
 * an etcd member from its peers by both ends of their port.
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

/** Packets that the rules of an `nft -j list …` have counted. */
export function countedBy(listing: string): number {
  const { nftables } = JSON.parse(listing) as Listing;
  const counters = nftables.flatMap(({ rule }) => rule?.expr ?? []).flatMap(({ counter }) => counter ?? []);
  return counters.reduce((sum, { packets }) => sum + packets, 0);
}
