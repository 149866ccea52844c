import { NETLINK_ROUTE } from '@causeway/netlink';
import { chunkSize, Slice } from '@causeway/netlink/io';
import type { Announcement } from '../announce/announcement.ts';
import { announcementFrames } from '../announce/frames.ts';
import type { NetnsPath } from '../state.ts';
import { changeNeighbour } from '../wire/neighbour.ts';
import type { Namespaces, OpenNamespace } from './namespaces.ts';

/** Steps between two yields to the event loop; they take half a millisecond. */
const stepsAtOnce = 64;

/** A system call. `bridge`: the index of the bridge. */
type Step = (namespace: OpenNamespace, bridge: number) => void;

/** See Kernel.announce. `open`: a watch may close its namespace between two turns of the event loop. */
export async function announceAll(
  open: () => Namespaces,
  { netns, dev }: { readonly netns: NetnsPath; readonly dev: string },
  announcements: readonly Announcement[],
): Promise<void> {
  const slice = new Slice();
  for (const steps of inChunks([...stepsOf(announcements)], stepsAtOnce)) {
    const namespaces = open();
    try {
      const bridge = namespaces.linkIndex(netns, dev);
      const namespace = namespaces.get(netns);
      for (const step of steps) step(namespace, bridge);
    } finally {
      namespaces.close();
    }
    await slice.maybeYield();
  }
}

function* stepsOf(announcements: readonly Announcement[]): Generator<Step> {
  for (const chunk of inChunks(announcements, chunkSize)) {
    yield (namespace, bridge) => {
      // Failures mean that the bridge has no such entry, or no IPv6.
      namespace.socket(NETLINK_ROUTE).batch(chunk, (to, { ip, mac }) => changeNeighbour(to, bridge, ip, mac));
    };
  }
  for (const announcement of announcements) {
    for (const frame of announcementFrames(announcement)) {
      yield (namespace, bridge) => namespace.packets.send(bridge, frame);
    }
  }
}

function* inChunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
