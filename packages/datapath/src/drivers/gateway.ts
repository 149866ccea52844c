/** Decides which interface of a container is its default route: the one whose default route has the smallest metric. */
export interface GatewayRank {
  /** -50 to 50; the largest wins. */
  readonly priority: number;
  /**
   * Decides between equal priorities: the smallest slot, which is the oldest attachment, wins. No two interfaces of a
   * container have the same slot, on any network, so their default routes never have the same metric.
   */
  readonly slot: number;
}

export const gatewayPriorities = { least: -50, most: 50, usual: 0 } as const;

/**
 * Metric of the first interface; each later interface has 1 more, each step of priority takes 1000 off. The values are
 * larger than the metrics of the container's own default routes (0, for IPv6 1024), so those win.
 */
const first = 100_000;
const step = 1_000;

export function routeMetric({ priority, slot }: GatewayRank): number {
  return first - step * priority + Math.min(slot, step - 1);
}

/** Sorts by rank: the first one provides the container's default route. */
export function byGatewayRank(
  { gateway: a }: { gateway: GatewayRank },
  { gateway: b }: { gateway: GatewayRank },
): number {
  return b.priority - a.priority || a.slot - b.slot;
}
