import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOf } from '@causeway/identity';
import { ClientCredentials, identityDirectory, LiveCredential, readCredential } from '@causeway/identity/io';
import { systemClock } from '@causeway/runtime/io';
import { enrollAll } from './enroll-members.ts';

/**
 * For programs of tests that run in a host of a lab: who they are to the managers. What the programs know is in their
 * environment, as for `causeway`.
 */
export class LabGuest {
  readonly #managers: readonly string[];
  readonly #operator: string;

  constructor(environment = process.env) {
    this.#managers = (environment['CAUSEWAY_MANAGERS'] ?? '').split(',');
    this.#operator = environment['CAUSEWAY_CONTEXT'] ?? '';
  }

  /** Credentials of the lab's operator, for connections to the managers. */
  async operator(): Promise<ClientCredentials> {
    return credentialsIn(await readCredential(this.#operator));
  }

  /** Further hosts, which exist only as members of the cluster, with the credentials of their agents. */
  async agents(
    names: readonly string[],
  ): Promise<readonly { readonly id: string; readonly credentials: ClientCredentials }[]> {
    const directory = await mkdtemp(join(tmpdir(), 'causeway-guests-'));
    try {
      const members = names.map(
        (name) => ({ role: 'agent', name, dataDir: join(directory, name), hosts: [] }) as const,
      );
      await enrollAll({ managers: this.#managers, operator: this.#operator, members });
      const joined = await Promise.all(members.map(({ dataDir }) => readCredential(identityDirectory(dataDir))));
      return joined.map((credential) => ({ id: nameOf(credential).id, credentials: credentialsIn(credential) }));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

function credentialsIn(credential: Awaited<ReturnType<typeof readCredential>>): ClientCredentials {
  return ClientCredentials.toManagers(new LiveCredential(credential), () => systemClock.wall());
}
