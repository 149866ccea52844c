import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where Debian's etcd-server puts it; a service's PATH may be narrower than a login's. */
const usualPlaces = ['/usr/bin', '/usr/local/bin'];

/** Path of the etcd binary: on PATH first, then in the usual places; undefined when there is none. */
export async function findEtcd(path: string = process.env['PATH'] ?? ''): Promise<string | undefined> {
  for (const directory of [...path.split(delimiter), ...usualPlaces]) {
    if (directory === '') continue;
    const candidate = join(directory, 'etcd');
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}
