import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { AttachRequest, AttachResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import { milliseconds, seconds } from '@causeway/runtime';
import { MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentApi } from '../api/api.ts';
import { AgentServer } from './agent-server.ts';

let directory: string;
let socket: string;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'causeway-socket-'));
  socket = join(directory, 'run', 'agent.sock');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(directory, { recursive: true });
});

const request: AttachRequest = {
  requestId: 'r',
  network: 'blue',
  name: 'web',
  netns: '/n',
  ifname: '',
  addresses: [],
  labels: {},
  gatewayPriority: 0,
};

/** Answers an attach with the name it was given; refuses the name "taken". */
const api: Pick<AgentApi, 'attach'> = {
  async attach({ name }) {
    if (name === 'taken') throw new CausewayError('name-taken', 'name "taken" is taken', { field: 'name' });
    if (name === 'defect') throw new TypeError('undefined is not a function');
    return { endpoint: Endpoint.create({ name }), alreadyAttached: false };
  },
};

async function serve(log = new MemoryLog(), idleConnection = seconds(60)): Promise<AgentServer> {
  const server = new AgentServer({ api: api as AgentApi, log }, { socket, idleConnection });
  await server.start();
  cleanups.push(() => server.stop());
  return server;
}

function attach(change: Partial<AttachRequest> = {}): Promise<AttachResponse> {
  const client = new AgentServiceClient(`unix:${socket}`, plaintext);
  cleanups.push(() => client.close());
  return callUnary(client.attach.bind(client), { ...request, ...change }, { timeout: 10_000 });
}

describe('AgentServer', () => {
  it('ends connections that ask for nothing, and keeps serving', async () => {
    await serve(new MemoryLog(), milliseconds(100));
    for (let n = 0; n < 20; n++) {
      const idle = connect(socket);
      idle.on('error', () => undefined);
      idle.resume();
      await once(idle, 'close');
    }
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('serves on a socket only its owner may open, in a directory it makes', async () => {
    await serve();
    expect(((await lstat(socket)).mode & 0o777).toString(8)).toBe('600');
    expect((await lstat(join(directory, 'run'))).mode & 0o777).toBe(0o755);
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('refuses a directory in which others could replace the socket', async () => {
    await mkdir(join(directory, 'run'));
    await chmod(join(directory, 'run'), 0o777);
    await expect(serve()).rejects.toMatchObject({ message: expect.stringContaining('others may change') });
    await chmod(join(directory, 'run'), 0o1777);
    await serve();
  });

  it('passes on our errors, and hides what is a defect but logs it', async () => {
    const log = new MemoryLog();
    await serve(log);
    await expect(attach({ name: 'taken' })).rejects.toMatchObject({ code: 'name-taken', data: { field: 'name' } });
    await expect(attach({ name: 'defect' })).rejects.toMatchObject({ code: 'internal' });
    expect(log.lines).toMatchObject([{ level: 'error', event: 'call.failed' }]);
  });

  it('refuses a message of 10 MB, and goes on serving', async () => {
    await serve();
    await expect(attach({ network: 'x'.repeat(10 * 1024 * 1024) })).rejects.toMatchObject({
      code: 'message-too-large',
    });
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('is not harmed by garbage, or by a client that connects and leaves', async () => {
    await serve();
    for (const garbage of [Buffer.alloc(70_000, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(0)]) {
      await new Promise<void>((resolve) => {
        const client = connect(socket, () => client.end(garbage));
        client.on('error', () => undefined);
        client.on('close', () => resolve());
        client.resume();
      });
    }
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('takes over the socket a dead agent left', async () => {
    await mkdir(join(directory, 'run'));
    // Node removes the file on an orderly close; a process that is killed leaves it behind.
    const left = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', left]);
    expect((await lstat(socket)).isSocket()).toBe(true);
    await serve();
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('leaves the socket of a living agent alone', async () => {
    await serve();
    await expect(serve()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('another agent'),
    });
    expect(await attach()).toMatchObject({ endpoint: { name: 'web' } });
  });

  it('refuses a path that is something else, or too long', async () => {
    socket = join(directory, 'file');
    await writeFile(socket, 'mine');
    await chmod(socket, 0o644);
    await expect(serve()).rejects.toMatchObject({
      data: { field: 'socket' },
      message: expect.stringContaining('not a socket'),
    });
    socket = join(directory, 'x'.repeat(120));
    await expect(serve()).rejects.toMatchObject({ message: expect.stringContaining('106 bytes') });
    socket = join(directory, 'file', 'agent.sock');
    await expect(serve()).rejects.toMatchObject({ message: expect.stringContaining('ENOTDIR') });
  });
});
