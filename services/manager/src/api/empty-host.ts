import type { NodeId } from '@causeway/model';
import { milliseconds, seconds, within } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import type { OwnChange } from '../commit/writer.ts';
import { endpointOrphaned } from '../events/describe.ts';
import { releaseByManager } from '../plan/release-endpoint.ts';
import type { Emptied } from '../plan/remove-node.ts';
import type { ApiModules } from './modules.ts';

/** Most releases under way at once, so that other calls get their turn. */
const batch = 20;
/** How long a removal waits for the host, if it is connected. A healthy host removes its interfaces in much less. */
const removalLimit = seconds(3);

/**
 * Releases every endpoint of a host that is to be removed, and waits a moment until the host, if it is connected, has removed
 * their interfaces. Afterwards the host learns nothing more, and would keep using addresses that others get.
 */
export async function emptyHost(
  node: NodeId,
  { view, writer, feed, clock }: Pick<ApiModules, 'view' | 'writer' | 'feed' | 'clock'>,
  change: OwnChange,
  call: Pick<CallContext, 'remaining' | 'signal'>,
): Promise<Emptied> {
  const [endpoints, networks] = [[...view.endpointsOn(node)], [...view.networksOn(node)]];
  for (let at = 0; at < endpoints.length; at += batch) {
    const releases = endpoints
      .slice(at, at + batch)
      .map((id) => releaseByManager(id, (endpoint, of) => endpointOrphaned(endpoint, of, 'its host is being removed')));
    await Promise.all(releases.map((release) => writer.apply(release, change)));
  }
  const released = endpoints.length;
  if (released === 0) return { released, interfacesRemoved: true };
  if (!feed.isReady(node)) return { released, interfacesRemoved: false };
  const { revision } = view;
  const span = milliseconds(Math.min(removalLimit, call.remaining / 2));
  const followed = (signal: AbortSignal): Promise<boolean[]> =>
    Promise.all(networks.map((network) => feed.progress.waitFollowed(node, network, revision, signal)));
  const all = await within(clock, span, followed, call.signal);
  return { released, interfacesRemoved: all.every(Boolean) };
}
