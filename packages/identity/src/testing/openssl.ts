import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { test } from 'vitest';

/** OpenSSL's own program as an oracle that shares no code with this package. */
const missing = spawnSync('openssl', ['version']).error === undefined ? undefined : 'skipped: openssl is missing';
if (missing !== undefined && process.env['CI'] === 'true') throw new Error(missing);

export function testWithOpenssl(what: string, body: () => void | Promise<void>): void {
  test.skipIf(missing !== undefined)(missing === undefined ? what : `${what} (${missing})`, async () => {
    try {
      await body();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

const directory = join(tmpdir(), `causeway-identity-${process.pid}-${threadId}`);

let count = 0;

/** The path of a new file with this content, which exists until the test ends. Only for tests with OpenSSL. */
export function fileOf(content: string | Uint8Array): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, String(++count));
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** What it prints, on both streams. @throws Error when it fails */
export function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}
