import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeCredential } from '@causeway/identity/io';
import type { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GrpcManager, startGrpcManager } from '../../testing/grpc-manager.ts';
import { testCluster } from '../../testing/members.ts';

// docs/api-client.md shows how to write a client. The test runs the code exactly as the page has it.
const root = new URL('../../../../../', import.meta.url);
const page = readFileSync(new URL('docs/api-client.md', root), 'utf8');
const directory = new URL('.cache/api-client/', root);

const blocks = (language: string): string[] =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')), ([, text = '']) => text);

mkdirSync(directory, { recursive: true });
for (const text of blocks('ts')) {
  const [, name] = /^\/\/ (\S+\.ts)\n/.exec(text) ?? [];
  writeFileSync(new URL(name ?? 'unnamed.ts', directory), text);
}

type Client = NetworkServiceClient;
interface Operator {
  readonly directory: string;
  readonly cluster: string;
}
interface Documented {
  connect(address: string, operator: Operator): Client;
  refusalOf(error: ServiceError): { reason: string; domain: string; metadata: Record<string, string> } | undefined;
  createNetwork(managers: readonly Client[], request: CreateNetworkRequest): Promise<{ id: string; revision: bigint }>;
  listNetworks(manager: Client, pageSize?: number): Promise<{ networks: { name: string }[]; revision: bigint }>;
  watchNetworks(
    manager: Client,
    position: { fromRevision: bigint; epoch: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<{ type: string; network?: { name: string }; revision: bigint }>;
  main(addresses: readonly string[], operator: Operator, signal: AbortSignal): Promise<void>;
}

const load = async (name: string): Promise<Partial<Documented>> =>
  (await import(/* @vite-ignore */ fileURLToPath(new URL(name, directory)))) as Partial<Documented>;
const parts = await Promise.all(
  ['connect', 'refusal', 'create', 'list', 'follow', 'main'].map((name) => load(`${name}.ts`)),
);
const documented = Object.assign({}, ...parts) as Documented;

const operator: Operator = { directory: mkdtempSync(join(tmpdir(), 'causeway-operator-')), cluster: testCluster.id };
let manager: GrpcManager;
let client: Client;

beforeAll(() => writeCredential(operator.directory, testCluster.credential('operator', 'inventory')));
afterAll(() => rmSync(operator.directory, { recursive: true }));

beforeEach(async () => {
  manager = await startGrpcManager();
  client = documented.connect(manager.address, operator);
});

afterEach(async () => {
  client.close();
  await manager.stop();
});

const request = (name: string, team = 'core'): CreateNetworkRequest =>
  CreateNetworkRequest.create({ requestId: randomUUID(), name, ipv4: true, labels: { team } });

/** Refused at once: no process listens on port 1. */
const nowhere = '127.0.0.1:1';

describe('the client of docs/api-client.md', () => {
  it('creates a network at the manager that answers, and a retry with the same id takes nothing twice', async () => {
    const silent = documented.connect(nowhere, operator);
    const blue = request('blue');
    const made = await documented.createNetwork([silent, client], blue);
    silent.close();
    const again = await documented.createNetwork([client], blue);
    expect([again.id, again.revision]).toEqual([made.id, made.revision]);
    expect((await documented.listNetworks(client)).networks.map(({ name }) => name)).toEqual(['blue']);
  });

  it('reads why a manager refuses, and that nothing is said where gRPC itself fails', async () => {
    await documented.createNetwork([client], request('blue'));
    const refused = await documented.createNetwork([client], request('blue')).catch((error: ServiceError) => error);
    expect(documented.refusalOf(refused as ServiceError)).toMatchObject({
      reason: 'NAME_TAKEN',
      domain: 'causeway.v1',
      metadata: { field: 'name' },
    });
    const silent = documented.connect(nowhere, operator);
    const failed = await documented.listNetworks(silent).catch((error: ServiceError) => error);
    silent.close();
    expect(documented.refusalOf(failed as ServiceError)).toBeUndefined();
  });

  it('lists every page of what the selector matches, and watches on from there', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await documented.createNetwork([client], request(name));
    await documented.createNetwork([client], request('other', 'sales'));
    const { networks, revision } = await documented.listNetworks(client, 2);
    expect(networks.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await documented.createNetwork([client], request('f'));
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const change of documented.watchNetworks(client, { fromRevision: revision, epoch: 0n }, stop.signal)) {
      seen.push(`${change.type} ${change.network?.name ?? ''}`);
      if (change.network !== undefined) stop.abort();
    }
    expect(seen).toEqual(['BOOKMARK ', 'ADDED f']);
  });

  it('hears that a revision cannot be watched from', async () => {
    const position = { fromRevision: 1_000_000n, epoch: 0n };
    const watching = documented.watchNetworks(client, position, new AbortController().signal);
    const ended = await watching.next().catch((error: ServiceError) => error);
    expect(documented.refusalOf(ended as ServiceError)?.reason).toBe('REVISION_COMPACTED');
  });

  it('runs as a whole: makes the network, follows changes, and finds it there the second time', async () => {
    const said: string[] = [];
    const spy = vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    try {
      const first = new AbortController();
      const running = documented.main([nowhere, manager.address], operator, first.signal);
      await vi.waitFor(() => expect(said.at(-1)).toBe('networks: blue'), { timeout: 10_000 });
      await documented.createNetwork([client], request('green'));
      await vi.waitFor(() => expect(said.at(-1)).toBe('networks: blue green'), { timeout: 10_000 });
      first.abort();
      await running;
      expect(said[0]).toMatch(/^blue has VNI \d+ and 10\.\d+\.\d+\.0\/\d+$/);
      said.length = 0;
      const second = new AbortController();
      const again = documented.main([manager.address], operator, second.signal);
      await vi.waitFor(() => expect(said.at(-1)).toBe('networks: blue green'), { timeout: 10_000 });
      second.abort();
      await again;
      expect(said[0]).toBe('blue is there already (NAME_TAKEN, field name)');
    } finally {
      spy.mockRestore();
    }
  });

  it('shows the same from the shell', async () => {
    await documented.createNetwork([client], request('blue'));
    const [text = ''] = blocks('sh').filter((each) => each.includes('buf curl'));
    const script = text
      .replace('~/.config/causeway/3f9c6a1be2d04c57', operator.directory)
      .replaceAll('3f9c6a1be2d04c57', operator.cluster)
      .replaceAll(/^buf /gm, `${fileURLToPath(new URL('node_modules/.bin/buf', root))} `)
      .replaceAll('10.0.0.1:7443', manager.address);
    const { stdout } = await promisify(execFile)('sh', ['-ec', script]);
    expect(stdout.match(/"name": "blue"/g)).toHaveLength(2);
  });
});
