import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Removals } from '@causeway/identity';
import { ClientCredentials, contextOptions, type LiveCredential } from '@causeway/identity/io';
import { CausewayError, messageOf } from '@causeway/model';
import { ChannelCredentials } from '@grpc/grpc-js';

/** What a client of etcd presents and trusts. */
export interface EtcdCredentials {
  /** For gRPC. */
  readonly channel: ChannelCredentials;
  /** For one request by HTTP. */
  tls(): SecureContextOptions;
}

/** For an etcd of the operator's own at http: URLs. */
export const unencrypted: EtcdCredentials = { channel: ChannelCredentials.createInsecure(), tls: () => ({}) };

/**
 * For the etcds that managers run: a manager is admitted, and accepts only the etcd of a manager that was not removed. `now`: Unix
 * ms.
 */
export function memberCredentials(
  credential: LiveCredential,
  now: () => number,
  removals?: () => Removals,
): EtcdCredentials {
  return {
    channel: ClientCredentials.toManagers(credential, now, removals),
    tls: () => contextOptions(credential.current),
  };
}

/** Paths of PEM files, as the flags name them. */
interface EtcdTlsFiles {
  /** Authorities that sign etcd's certificates. Absent: the system's list. */
  readonly caCert?: string;
  /** The manager's certificate, for an etcd that asks for one; `cert` and `key`, or neither. */
  readonly cert?: string;
  readonly key?: string;
}

/** @throws CausewayError invalid-argument naming the flag whose file cannot be read or holds something else */
export async function tlsCredentials(files: EtcdTlsFiles): Promise<EtcdCredentials> {
  const [ca, cert, key] = await Promise.all([
    readPem('--etcd-cacert', files.caCert),
    readPem('--etcd-cert', files.cert),
    readPem('--etcd-key', files.key),
  ]);
  const tls: SecureContextOptions = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const message = `--etcd-cacert, --etcd-cert, --etcd-key: these files do not go together (${messageOf(cause)}): give PEM files, and the key that belongs to the certificate`;
    throw new CausewayError('invalid-argument', message, { field: '--etcd-cert' }, { cause });
  }
  return { tls: () => tls, channel: ChannelCredentials.createSsl(ca ?? null, key ?? null, cert ?? null) };
}

async function readPem(flag: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  let pem: Buffer;
  try {
    pem = await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `${flag} ${path}: cannot be read (${why}); name a PEM file that this user may read`;
    throw new CausewayError('invalid-argument', message, { field: flag, value: path }, { cause });
  }
  if (pem.includes('-----BEGIN ')) return pem;
  throw new CausewayError('invalid-argument', `${flag} ${path}: is not a PEM file ("-----BEGIN …")`, {
    field: flag,
    value: path,
  });
}
