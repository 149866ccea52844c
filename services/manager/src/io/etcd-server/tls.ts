import { resolve } from 'node:path';
import { managerDnsName, nameOf } from '@causeway/identity';
import { identityDirectory, identityPaths, type LiveCredential, revokedPath } from '@causeway/identity/io';
import type { EtcdTls } from './flags.ts';

/** With what the embedded etcd proves that it is this manager's. etcd gets absolute paths. */
export function etcdTlsOf(dataDir: string, { current }: LiveCredential): EtcdTls {
  const directory = identityDirectory(resolve(dataDir));
  const managers = managerDnsName(nameOf(current).cluster);
  return { ...identityPaths(directory), revoked: revokedPath(directory), managers };
}
