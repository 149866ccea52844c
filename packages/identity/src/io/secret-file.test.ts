import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { afterAll, describe, expect, test } from 'vitest';
import { formatPrivateKey } from '../credential.ts';
import { agent, authorityOf, credentialOf } from '../testing/fixtures.ts';
import { allTextOf } from '../testing/outcome.ts';
import { identityPaths, readCredential, writeCredential } from './identity-directory.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-secret-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function refusal(act: () => Promise<unknown>): Promise<CausewayError> {
  const error = await act().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CausewayError)) throw new Error(`expected a CausewayError, got ${error}`);
  return error;
}

describe('a secret file', () => {
  test('is for its owner only, and so is a directory that is made for it', async () => {
    const path = join(root, 'new', 'secret');
    await writeSecretFile(path, 'one');
    await writeSecretFile(path, 'two');
    expect(await readSecretFile(path)).toBe('two');
    expect([modeOf(join(root, 'new')), modeOf(path)]).toEqual(['700', '600']);
    expect(readdirSync(join(root, 'new'))).toEqual(['secret']);
  });

  test('may be absent', async () => expect(await readSecretFile(join(root, 'absent'))).toBeUndefined());

  test('that could not be written leaves nothing behind, and the old content', async () => {
    const path = join(root, 'full');
    await writeSecretFile(path, 'old');
    const circular = {
      toString: () => {
        throw new Error('the disk is full');
      },
    } as unknown as string;
    await expect(writeSecretFile(path, circular)).rejects.toThrow();
    expect(await readSecretFile(path)).toBe('old');
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test.each([0o640, 0o604, 0o620, 0o602, 0o610])('that others may use is refused: mode %o', async (mode) => {
    const path = join(root, 'exposed');
    writeFileSync(path, 'secret words');
    chmodSync(path, mode);
    const error = await refusal(() => readSecretFile(path));
    expect(error.code).toBe('key-exposed');
    expect(error.message).toContain(`its mode is ${mode.toString(8)}; expected 600`);
    expect(allTextOf(error)).not.toContain('secret words');
  });

  test.each([0o770, 0o707, 0o1777])('in a directory to which others may write is refused: mode %o', async (mode) => {
    const path = join(root, 'open', 'secret');
    await writeSecretFile(path, 'secret words');
    chmodSync(join(root, 'open'), mode);
    const error = await refusal(() => readSecretFile(path));
    chmodSync(join(root, 'open'), 0o700);
    expect(error.message).toContain(`users other than the owner may write to ${join(root, 'open')}`);
  });

  test.skipIf(process.geteuid?.() !== 0)('of another user is refused (skipped unless root)', async () => {
    const path = join(root, 'foreign');
    writeFileSync(path, '', { mode: 0o600 });
    chownSync(path, 65_534, 65_534);
    expect((await refusal(() => readSecretFile(path))).message).toContain('it belongs to the user 65534');
  });

  test.skipIf(process.geteuid?.() !== 0)(
    'in a directory of another user is refused (skipped unless root)',
    async () => {
      const directory = join(root, 'foreign-directory');
      await writeSecretFile(join(directory, 'secret'), 'secret words');
      chownSync(directory, 65_534, 65_534);
      const error = await refusal(() => readSecretFile(join(directory, 'secret')));
      expect(error.code).toBe('key-exposed');
      expect(error.message).toContain(`${directory} belongs to the user 65534`);
    },
  );
});

describe('the directory of an identity', () => {
  const credential = credentialOf(authorityOf(1), agent);
  let count = 0;
  const written = async (): Promise<string> => {
    const directory = join(root, `identity-${++count}`);
    await writeCredential(directory, credential);
    return directory;
  };

  test('gives back what was written', async () => {
    const again = await readCredential(await written());
    expect(formatPrivateKey(again.key)).toBe(formatPrivateKey(credential.key));
    expect(again.chain.map(({ serial }) => serial)).toEqual(credential.chain.map(({ serial }) => serial));
    expect(again.trust.map(({ serial }) => serial)).toEqual(credential.trust.map(({ serial }) => serial));
  });

  test('that does not exist says what to do', async () => {
    const error = await refusal(() => readCredential(join(root, 'nowhere')));
    expect(error.code).toBe('identity-missing');
    expect(error.message).toContain('this host has not joined a cluster; run "causeway join" or "causeway init"');
  });

  const otherKey = formatPrivateKey(credentialOf(authorityOf(1), agent, { seed: 7 }).key);
  test.each<[string, 'identity' | 'trust', (text: string) => string, string]>([
    ['without a key', 'identity', (text) => text.slice(text.indexOf('-----BEGIN CERT')), 'it contains no private key'],
    [
      'with half a key',
      'identity',
      (text) => text.replace(/.{20}\n-----END PRIVATE/, '\n-----END PRIVATE'),
      'its private key cannot be parsed',
    ],
    [
      'with the key of another',
      'identity',
      (text) => otherKey + text.slice(text.indexOf('-----BEGIN CERT')),
      'its private key is not the key of its certificate',
    ],
    [
      'without a certificate',
      'identity',
      (text) => text.slice(0, text.indexOf('-----BEGIN CERT')),
      'the text contains none',
    ],
    ['with half a certificate', 'identity', (text) => text.slice(0, -100), 'its PEM block is damaged'],
    ['that is empty', 'identity', () => '', 'it contains no private key'],
    ['with no root', 'trust', () => '', 'the text contains none'],
  ])('a file is refused: %s', async (_, which, damage, why) => {
    const directory = await written();
    const path = identityPaths(directory)[which];
    const text = (await readSecretFile(path)) ?? '';
    await writeSecretFile(path, damage(text));
    const error = await refusal(() => readCredential(directory));
    expect(error.code).toBe('data-damaged');
    expect(error.message).toContain(path);
    expect(error.message).toContain(why);
    const secret = formatPrivateKey(credential.key).split('\n')[1] ?? '';
    expect(allTextOf(error)).not.toContain(secret.slice(40));
  });
});
