import { createPrivateKey } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseToken, parseUnlockKey } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { formsOf, hasSecret, type SecretForms, textForms } from '@causeway/uml';

/** Something in which a secret may be. */
export interface Place {
  readonly where: string;
  readonly content: Buffer;
}

/** All files below the directory. Files that are gone meanwhile, and sockets and devices, are left out. */
export async function filesBelow(root: string, directory: string): Promise<readonly Place[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const places = await Promise.all(
    paths.map((path) =>
      readFile(path).then(
        (content): Place[] => [{ where: path.slice(root.length), content }],
        () => [],
      ),
    ),
  );
  return places.flat();
}

/** Arguments and environments of all processes that the host sees. */
export async function processPlaces(root: string): Promise<readonly Place[]> {
  const pids = (await readdir(join(root, 'proc'))).filter((name) => /^\d+$/.test(name));
  const paths = pids.flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`));
  const contents = await Promise.all(paths.map((path) => readFile(join(root, path)).catch(() => Buffer.alloc(0))));
  return paths.map((where, i) => ({ where, content: contents[i] ?? Buffer.alloc(0) }));
}

/** The private keys in a text of PEM, or in JSON that has such a text: their secret numbers. */
export function privateKeysIn(text: string): readonly SecretForms[] {
  const lines = text.replaceAll('\\n', '\n');
  const blocks = lines.match(/-----BEGIN (\w+ )?PRIVATE KEY-----[^-]+-----END (\w+ )?PRIVATE KEY-----/g) ?? [];
  return blocks.map((pem) =>
    formsOf(Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d ?? '', 'base64url')),
  );
}

const sealingKeySize = 32;

/** The keys in `sealing-key.json`, while autolock is off. */
export function sealingKeysIn(text: string): readonly SecretForms[] {
  const { bytes } = JSON.parse(text) as { readonly bytes: string };
  const all = Buffer.from(bytes, 'base64');
  return Array.from({ length: all.length / sealingKeySize }, (_, i) =>
    formsOf(all.subarray(i * sealingKeySize, (i + 1) * sealingKeySize)),
  );
}

/** The secret part of a join token, as text and as bytes. */
export function tokenSecret(token: string): readonly SecretForms[] {
  return [textForms(token.slice(token.lastIndexOf('-') + 1)), formsOf(unwrap(parseToken(token)).secret)];
}

export function unlockSecret(unlockKey: string): readonly SecretForms[] {
  return [textForms(unlockKey.slice(unlockKey.lastIndexOf('-') + 1)), formsOf(unwrap(parseUnlockKey(unlockKey)))];
}

/** Where one of the secrets is. */
export function exposed(places: readonly Place[], secrets: readonly SecretForms[]): readonly string[] {
  return places.filter(({ content }) => hasSecret(content, secrets)).map(({ where }) => where);
}

/** "600": who may read the file. */
export async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o777).toString(8);
}
