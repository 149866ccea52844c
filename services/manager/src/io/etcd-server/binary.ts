import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * Where Debian's etcd-server and etcd-client install their programs. A service's PATH may be narrower than a login
 * shell's.
 */
const usualPlaces = ['/usr/bin', '/usr/local/bin'];

/** Path of the etcd binary: on PATH first, then in the usual places; undefined when there is none. */
export function findEtcd(path?: string): Promise<string | undefined> {
  return findBinary('etcd', path);
}

/** The same for any of etcd's programs. */
export async function findBinary(
  name: 'etcd' | 'etcdctl' | 'etcdutl',
  path: string = process.env['PATH'] ?? '',
): Promise<string | undefined> {
  for (const directory of [...path.split(delimiter), ...usualPlaces]) {
    if (directory === '') continue;
    const candidate = join(directory, name);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}
