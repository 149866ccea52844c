import { managerDnsName } from '@causeway/identity';
import { identityPaths, revokedPath, writeCredential, writeRevoked } from '@causeway/identity/io';
import { systemClock } from '@causeway/runtime/io';
import { type EtcdCredentials, memberCredentials } from '../io/etcd/credentials.ts';
import type { EtcdTls } from '../io/etcd-server/flags.ts';
import { testCluster } from './members.ts';

/** The identity of a manager whose etcd is at 127.0.0.1, in files of that directory. */
export async function etcdIdentity(
  manager: string,
  directory: string,
): Promise<{ readonly credentials: EtcdCredentials; readonly tls: EtcdTls }> {
  const credential = testCluster.member('manager', manager, { hosts: ['127.0.0.1'] });
  await writeCredential(directory, credential.current);
  await writeRevoked(directory, credential.current, [], systemClock.wall());
  return {
    credentials: memberCredentials(credential, () => systemClock.wall()),
    tls: { ...identityPaths(directory), revoked: revokedPath(directory), managers: managerDnsName(testCluster.id) },
  };
}
