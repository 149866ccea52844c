import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NodeId } from '@causeway/model';
import { afterAll, describe, expect, it } from 'vitest';
import { describeKeyFile } from '../encryption/key-file-contract.ts';
import { keyDirectory, SecretKeyFile, whyLasting } from './secret-key-file.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-keys-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const node = 'a1a1a1a1a1a1a1a1' as NodeId;
let places = 0;
const placeFor = (): string => keyDirectory(join(root, `${++places}`, 'agent.sock'));

describeKeyFile('a file for root only', async () => {
  const directory = placeFor();
  return () => new SecretKeyFile(directory, node);
});

describe('the key file', () => {
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it('is for its owner only, and so is its directory', async () => {
    const file = new SecretKeyFile(placeFor(), node);
    await file.write('secret');
    expect([modeOf(dirname(file.path)), modeOf(file.path)]).toEqual(['700', '600']);
    expect(readdirSync(dirname(file.path))).toEqual([`${node}.json`]);
  });

  it('that others could read is refused', async () => {
    const file = new SecretKeyFile(placeFor(), node);
    await file.write('secret');
    chmodSync(file.path, 0o640);
    await expect(file.read()).rejects.toMatchObject({ code: 'key-exposed' });
  });

  it('leaves nothing of a write that did not end', async () => {
    const file = new SecretKeyFile(placeFor(), node);
    await file.write('secret');
    writeFileSync(`${file.path}.0f8fad5b.tmp`, 'a former secret', { mode: 0o600 });
    expect(await file.read()).toBe('secret');
    expect(readdirSync(dirname(file.path))).toEqual([`${node}.json`]);
  });

  it('is another one for another identity of the host', async () => {
    const directory = placeFor();
    await new SecretKeyFile(directory, node).write('secret');
    expect(await new SecretKeyFile(directory, 'b2b2b2b2b2b2b2b2' as NodeId).read()).toBeUndefined();
  });

  it('says whether it outlives a reboot', async () => {
    const file = new SecretKeyFile(placeFor(), node);
    await file.write('secret');
    const directory = dirname(file.path);
    expect(await file.whyLasting()).toBe(whyLasting(directory, statfsSync(directory).type));
  });
});

it.each([
  ['tmpfs', 0x0102_1994, undefined],
  ['ramfs', 0x8584_58f6, undefined],
  ['ext4', 0xef53, '/run/causeway/keys is not on a tmpfs'],
  ['overlayfs', 0x794c_7630, '/run/causeway/keys is not on a tmpfs'],
])('keys on %s', (_, type, why) => {
  expect(whyLasting('/run/causeway/keys', type)).toEqual(why);
});
