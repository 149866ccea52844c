/** Which of a container's interfaces is its way out: the one whose default route has the smallest metric. */
export interface GatewayRank {
  /** The larger one wins; from -50 to 50. */
  readonly priority: number;
  /**
   * Of equal priorities the smaller one, which is the older attachment: no two interfaces of a container have the same,
   * on whichever networks, so that each network's default route stands beside the others'.
   */
  readonly slot: number;
}

export const gatewayPriorities = { least: -50, most: 50, usual: 0 } as const;

/**
 * Behind any default route the container has of its own (metric 0, of IPv6 1024): 100000 for the first interface, 1 more
 * for each later one, 1000 less for each step of priority.
 */
const first = 100_000;
const step = 1_000;

export function routeMetric({ priority, slot }: GatewayRank): number {
  return first - step * priority + Math.min(slot, step - 1);
}

/** In the order in which they are a container's way out. */
export function byGatewayRank(
  { gateway: a }: { gateway: GatewayRank },
  { gateway: b }: { gateway: GatewayRank },
): number {
  return b.priority - a.priority || a.slot - b.slot;
}
