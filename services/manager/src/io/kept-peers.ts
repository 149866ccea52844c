import { identityDirectory, noteManagers, readMembershipNote } from '@causeway/identity/io';
import { messageOf, readManagerAddresses } from '@causeway/model';
import type { Log } from '@causeway/runtime';

interface PeerParts {
  readonly log: Log;
}

/**
 * IP:PORT of the managers of the cluster, as this manager last saw them. If the data of its etcd are lost, it joins them: the settings
 * of the first manager name no others. A file that cannot be read counts as empty, because a manager that has its data needs none.
 */
export async function readPeers({ log }: PeerParts, dataDir: string): Promise<readonly string[]> {
  try {
    const { managers } = await readMembershipNote(identityDirectory(dataDir));
    return readManagerAddresses(managers);
  } catch (error) {
    log.warn('managers.not-read', { message: messageOf(error) });
    return [];
  }
}

/** Writes the managers to the disk if they are others than before. */
export async function keepPeers({ log }: PeerParts, dataDir: string, managers: readonly string[]): Promise<void> {
  await noteManagers(identityDirectory(dataDir), managers).catch((error: unknown) =>
    log.warn('managers.not-kept', { message: messageOf(error) }),
  );
}
