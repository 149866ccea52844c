import { createPublicKey } from 'node:crypto';
import { issueNode, issueRoot } from '@causeway/identity';
import { createKey, identityDirectory, LiveCredential, writeCredential, writeRevoked } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import type { Clock, Random } from '@causeway/runtime';
import { type EtcdCredentials, memberCredentials } from '../etcd/credentials.ts';
import type { EtcdTls } from './flags.ts';
import { etcdTlsOf } from './tls.ts';

/**
 * An identity for an etcd that is alone on loopback and runs for a few seconds. Its CA is made for it and forgotten, so
 * nothing else can be its client.
 */
export async function createPassingIdentity(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  { cluster, dataDir }: { readonly cluster: ClusterId; readonly dataDir: string },
): Promise<{ readonly credentials: EtcdCredentials; readonly tls: EtcdTls }> {
  const issuing = { now: clock.wall(), random };
  const [caKey, key] = [createKey(), createKey()];
  const root = issueRoot(cluster, caKey, issuing);
  const holder = {
    name: { cluster, role: 'manager', id: 'restore' },
    key: createPublicKey(key),
    hosts: ['127.0.0.1'],
  } as const;
  const certificate = issueNode({ certificate: root, key: caKey }, holder, issuing);
  const credential = new LiveCredential({ key, chain: [certificate], trust: [root] });
  await writeCredential(identityDirectory(dataDir), credential.current);
  await writeRevoked(identityDirectory(dataDir), credential.current, [], issuing.now);
  return { credentials: memberCredentials(credential, () => clock.wall()), tls: etcdTlsOf(dataDir, credential) };
}
