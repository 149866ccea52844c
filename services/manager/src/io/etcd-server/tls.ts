import { resolve } from 'node:path';
import { managerDnsName, nameOf } from '@causeway/identity';
import { identityDirectory, identityPaths, type LiveCredential } from '@causeway/identity/io';
import type { EtcdTls } from './flags.ts';

/** With what the embedded etcd proves that it is this manager's. etcd gets absolute paths. */
export function etcdTlsOf(dataDir: string, { current }: LiveCredential): EtcdTls {
  return { ...identityPaths(identityDirectory(resolve(dataDir))), managers: managerDnsName(nameOf(current).cluster) };
}
