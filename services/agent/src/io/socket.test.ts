import { once } from 'node:events';
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeSocket } from './socket.ts';

let directory: string;
let path: string;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'causeway-place-'));
  path = join(directory, 'agent.sock');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await rm(directory, { recursive: true });
});

async function listen(at: string): Promise<void> {
  const server = createServer((client) => client.end());
  server.listen(at);
  await once(server, 'listening');
  cleanups.push(() => server.close());
}

/** A socket on which no process listens, as a killed agent leaves it. */
async function leaveDeadSocket(): Promise<number> {
  await placeSocket(path, listen);
  for (const cleanup of cleanups.splice(0)) await cleanup();
  return (await lstat(path)).ino;
}

describe('placeSocket', () => {
  it('leaves the socket of a dead agent at its path until the new socket is bound, so that the path never is without', async () => {
    const dead = await leaveDeadSocket();
    let during: number | undefined;
    await placeSocket(path, async (at) => {
      await listen(at);
      during = (await lstat(path)).ino;
    });
    expect(during).toBe(dead);
    expect((await lstat(path)).ino).not.toBe(dead);
    await once(connect(path), 'connect');
    expect(await readdir(directory)).toEqual(['agent.sock']);
  });

  it('places a socket after an agent that was killed while it placed one', async () => {
    await writeFile(`${path}+`, '');
    await placeSocket(path, listen);
    await once(connect(path), 'connect');
    expect(await readdir(directory)).toEqual(['agent.sock']);
  });

  it('leaves the path as it was when the socket cannot be bound', async () => {
    const dead = await leaveDeadSocket();
    await expect(placeSocket(path, () => Promise.reject(new Error('EADDRINUSE')))).rejects.toThrow('EADDRINUSE');
    expect((await lstat(path)).ino).toBe(dead);
  });
});
