import { join } from 'node:path';
import { CausewayError, isCausewayError } from '@causeway/model';
import { fieldsOf } from '../text.ts';
import type { TokenId } from '../token.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** What a member keeps beside its credential. */
export interface MembershipNote {
  /** The token with which it joined; absent: it founded the cluster. */
  readonly token?: TokenId;
  /** HOST:PORT of the managers, as they have said last. */
  readonly managers: readonly string[];
}

/**
 * The note in the directory of a credential. Without a file it is empty.
 * @throws CausewayError data-damaged, key-exposed
 */
export async function readMembershipNote(directory: string): Promise<MembershipNote> {
  const path = pathIn(directory);
  const { token, managers = [] } = fieldsOf((await readSecretFile(path)) ?? '{}');
  if (!Array.isArray(managers) || (token !== undefined && typeof token !== 'string')) {
    const message = `${path} is damaged: remove it, and run the command again`;
    throw new CausewayError('data-damaged', message, { path });
  }
  return { managers: managers.map(String), ...(token !== undefined && { token: token as TokenId }) };
}

/** Durable when it resolves. */
export async function writeMembershipNote(directory: string, note: MembershipNote): Promise<void> {
  await writeSecretFile(pathIn(directory), `${JSON.stringify(note)}\n`);
}

/**
 * Writes these managers to the note if it has others. What else is in it stays. A note that is damaged is made anew: there is nothing in
 * it to keep. @throws CausewayError key-exposed
 */
export async function noteManagers(directory: string, managers: readonly string[]): Promise<void> {
  const note = await readMembershipNote(directory).catch((error: unknown) => {
    if (isCausewayError(error, 'data-damaged')) return undefined;
    throw error;
  });
  if (note?.managers.join() !== managers.join()) await writeMembershipNote(directory, { ...note, managers });
}

function pathIn(directory: string): string {
  return join(directory, 'membership.json');
}
