import { readdirSync } from 'node:fs';
import { KernelError, NETLINK_ROUTE } from '@causeway/netlink';
import { NetlinkSocket, withNetns } from '@causeway/netlink/io';
import { deleteLinkIn, dumpLinks, dumpLinksIn, type LinkRecord, readLink } from '../wire/link.ts';
import { dumpNsids, readNsid } from '../wire/nsid.ts';

/** Where programs keep namespaces by name. */
const directory = '/run/netns';

/**
 * Deletes the links that match and were moved to another namespace (`ip link set NAME netns …`). When a link moves, the kernel
 * gives its new namespace a number in its old namespace, so no path to the new namespace is needed.
 * @param netns fd of the namespace that the links were made in
 */
export async function deleteMoved(netns: number, matches: (link: LinkRecord) => boolean): Promise<void> {
  const socket = new NetlinkSocket(NETLINK_ROUTE, netns);
  try {
    const nsids = await socket.dump(
      dumpNsids,
      () => [] as number[],
      (found, message) => found.push(...[readNsid(message)].filter((nsid) => nsid !== undefined)),
    );
    for (const nsid of nsids) {
      const links = await linksIn(socket, dumpLinksIn(nsid));
      for (const { index } of links.filter(matches)) socket.request(deleteLinkIn(nsid, index));
    }
  } finally {
    socket.close();
  }
}

/** The link that matches, in words, with its namespace: in the host's namespace, or in a namespace that has a name. */
export async function whereIs(matches: (link: LinkRecord) => boolean): Promise<string> {
  const names = [undefined, ...namedNamespaces()];
  for (const name of names) {
    const socket = openIn(name);
    if (socket === undefined) continue;
    try {
      const found = (await linksIn(socket, dumpLinks)).find(matches);
      const where = name === undefined ? "the host's namespace" : `${directory}/${name}`;
      if (found !== undefined) return `link "${found.name}" in ${where}`;
    } finally {
      socket.close();
    }
  }
  return `a link in a network namespace that has no name in ${directory}`;
}

function openIn(name: string | undefined): NetlinkSocket | undefined {
  if (name === undefined) return new NetlinkSocket(NETLINK_ROUTE);
  return withNetns(`${directory}/${name}`, (fd) => new NetlinkSocket(NETLINK_ROUTE, fd));
}

function namedNamespaces(): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A namespace that ends meanwhile has no links. */
async function linksIn(socket: NetlinkSocket, dump: typeof dumpLinks): Promise<readonly LinkRecord[]> {
  try {
    return await socket.dump(
      dump,
      () => [] as LinkRecord[],
      (found, message) => found.push(readLink(message)),
    );
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
}
