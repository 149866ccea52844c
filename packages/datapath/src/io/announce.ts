import { NETLINK_ROUTE } from '@causeway/netlink';
import { chunkSize, Slice } from '@causeway/netlink/io';
import type { Announcement } from '../announce/announcement.ts';
import { announcementFrames } from '../announce/frames.ts';
import type { NetnsPath } from '../state.ts';
import { changeNeighbour } from '../wire/neighbour.ts';
import type { Namespaces } from './namespaces.ts';

/** Frames between two yields to the event loop; they take half a millisecond. */
const framesAtOnce = 64;

/** A bridge in a namespace. */
interface Place {
  readonly netns: NetnsPath;
  readonly dev: string;
}

/** See Kernel.announce. `open`: a watch may close its namespace between two turns of the event loop. */
export async function announceAll(
  open: () => Namespaces,
  { netns, dev }: Place,
  announcements: readonly Announcement[],
): Promise<void> {
  const slice = new Slice();
  for (const chunk of inChunks(announcements, chunkSize)) {
    inPlace(open, { netns, dev }, (namespaces, index) => {
      // Failures mean that the bridge has no such entry, or no IPv6.
      namespaces.socket(netns, NETLINK_ROUTE).batch(chunk, (to, { ip, mac }) => changeNeighbour(to, index, ip, mac));
    });
    await slice.maybeYield();
  }
  for (const chunk of inChunks(announcements.flatMap(announcementFrames), framesAtOnce)) {
    inPlace(open, { netns, dev }, (namespaces, index) => {
      for (const frame of chunk) namespaces.get(netns).packets.send(index, frame);
    });
    await slice.maybeYield();
  }
}

function inPlace(
  open: () => Namespaces,
  { netns, dev }: Place,
  work: (namespaces: Namespaces, index: number) => void,
): void {
  const namespaces = open();
  try {
    work(namespaces, namespaces.linkIndex(netns, dev));
  } finally {
    namespaces.close();
  }
}

function* inChunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
