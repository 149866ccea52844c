import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Credential, fieldsOf, formatPrivateKey, nameOf, parsePrivateKey } from '@causeway/identity';
import {
  noteManagers,
  readCredential,
  readMembershipNote,
  readSecretFile,
  writeCredential,
  writeMembershipNote,
  writeSecretFile,
} from '@causeway/identity/io';
import { CausewayError, isCausewayError, type RequestId } from '@causeway/model';
import type { Attempt, Home, Membership, NewMembership } from '../home.ts';

interface Paths {
  /** Directory of the credential. It is made when it does not exist. */
  readonly directory: string;
  /** File for the sealing key of a manager; absent: the member is not a manager. */
  readonly sealingKey?: string;
}

/** A directory with the credential of a member, and what is known about how the member joined. */
export class DirectoryHome implements Home {
  readonly #paths: Paths;

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  async read(): Promise<Membership | undefined> {
    try {
      const credential = await this.credential();
      return { name: nameOf(credential), ...(await readMembershipNote(this.#paths.directory)) };
    } catch (error) {
      if (isCausewayError(error, 'identity-missing')) return undefined;
      throw error;
    }
  }

  credential(): Promise<Credential> {
    return readCredential(this.#paths.directory);
  }

  async attempt(): Promise<Attempt | undefined> {
    const path = this.#file('attempt.json');
    const text = await readSecretFile(path);
    if (text === undefined) return undefined;
    const { about, requestId, key, request } = fieldsOf(text);
    const parsed = parsePrivateKey(String(key));
    if (typeof about !== 'string' || typeof requestId !== 'string' || typeof request !== 'string' || !parsed.ok)
      throw damaged(path);
    return { about, requestId: requestId as RequestId, key: parsed.value, request: Buffer.from(request, 'base64') };
  }

  async keepAttempt({ about, requestId, key, request }: Attempt): Promise<void> {
    const kept = { about, requestId, key: formatPrivateKey(key), request: Buffer.from(request).toString('base64') };
    await writeSecretFile(this.#file('attempt.json'), JSON.stringify(kept));
  }

  /** The note comes last: without it the attempt is made again, and gets the same answer. */
  async keep({ credential, sealingKeyFile, token, managers }: NewMembership): Promise<void> {
    const { directory, sealingKey } = this.#paths;
    if (sealingKey !== undefined && sealingKeyFile !== undefined) await writeSecretFile(sealingKey, sealingKeyFile);
    await writeCredential(directory, credential);
    await writeMembershipNote(directory, { managers, ...(token !== undefined && { token }) });
    await rm(this.#file('attempt.json'), { force: true });
  }

  async keepManagers(managers: readonly string[]): Promise<void> {
    await noteManagers(this.#paths.directory, managers);
  }

  async clear(): Promise<void> {
    const { directory, sealingKey } = this.#paths;
    await rm(directory, { recursive: true, force: true });
    if (sealingKey !== undefined) await rm(sealingKey, { force: true });
  }

  #file(name: string): string {
    return join(this.#paths.directory, name);
  }
}

function damaged(path: string): CausewayError {
  const message = `${path} is damaged: remove it, and join with a new token`;
  return new CausewayError('data-damaged', message, { path });
}
