import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { SeededRandom } from '@causeway/runtime/testing';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import type { Credential } from '../credential.ts';
import type { Role } from '../name.ts';
import {
  agent,
  authorityOf,
  cluster,
  credentialOf,
  day,
  hour,
  manager,
  name,
  operator,
  otherCluster,
} from '../testing/fixtures.ts';
import { pinOf } from '../trust.ts';
import type { Expected, Removals } from '../verify.ts';
import { crossSign } from '../x509/issue.ts';
import { ClientCredentials } from './client-credentials.ts';
import { LiveCredential } from './live-credential.ts';
import { PeerListener } from './peer-listener.ts';
import { EchoClient, echoServer } from './testing/echo-server.ts';
import { contextOptions } from './tls.ts';

/** OpenSSL reads the clock of the machine, so these certificates are of today. */
const now = Date.now();
const host = '127.0.0.1';
const [root, next] = [authorityOf(1, cluster, now), authorityOf(2, cluster, now)];
const foreign = authorityOf(3, otherCluster, now);
const of = (holder: typeof agent, wanted = {}, by = root): Credential =>
  credentialOf(by, holder, { at: now, ...wanted });

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

interface Started {
  readonly server: Server;
  readonly listener: PeerListener;
  readonly live: LiveCredential;
  readonly port: number;
}

async function serve(credential = of(manager), removals?: Removals): Promise<Started> {
  const server = echoServer();
  const live = new LiveCredential(credential);
  const roles: readonly Role[] = ['operator', 'manager', 'agent'];
  const expected = (): Expected => {
    const now = Date.now();
    return { cluster, roles, trust: live.current.trust, now, ...(removals && { removals }) };
  };
  const listener = new PeerListener({ server, credential: live, expected }, { host, port: 0 });
  const port = await listener.start();
  cleanups.push(() => {
    listener.stop();
    server.forceShutdown();
  });
  return { server, listener, live, port };
}

function clientCredentials(credential: LiveCredential, roles: readonly Role[] = ['manager']): ClientCredentials {
  const expected = (): Expected => ({ cluster, roles, trust: credential.current.trust, now: Date.now() });
  return new ClientCredentials({ credential, expected });
}

function client(port: number, credentials: ClientCredentials): EchoClient {
  const made = new EchoClient(port, credentials);
  cleanups.push(() => made.close());
  return made;
}

const as = (port: number, credential: Credential): EchoClient =>
  client(port, clientCredentials(new LiveCredential(credential)));

const joiner = (port: number, pinned = root.certificate): EchoClient =>
  client(port, new ClientCredentials({ pin: pinOf(pinned), now: () => Date.now() }));

describe('who calls', () => {
  test.each<[string, Credential]>([
    ['agent/a1a1a1a1a1a1a1a1', of(agent)],
    ['manager/m1', of(manager, { seed: 101 })],
    ['operator/ops', of(operator)],
  ])('%s', async (peer, credential) => {
    const { port } = await serve();
    const caller = as(port, credential);
    expect(await caller.who()).toBe(peer);
    expect(await caller.who()).toBe(peer);
  });

  test('a host that has not joined: anonymous', async () => {
    const { port } = await serve();
    expect(await joiner(port).who()).toBe('anonymous');
  });

  test('callers at the same time are not mixed up', async () => {
    const { port } = await serve();
    const callers = [as(port, of(agent)), as(port, of(operator)), joiner(port), as(port, of(manager))];
    const names = await Promise.all([...callers, ...callers].map((caller) => caller.who()));
    const once = ['agent/a1a1a1a1a1a1a1a1', 'operator/ops', 'anonymous', 'manager/m1'];
    expect(names).toEqual([...once, ...once]);
  });
});

test('agents that all connect together are all served', async () => {
  const { port } = await serve();
  const callers = Array.from({ length: 64 }, () => as(port, of(agent)));
  // On a busy machine some have waited too long, and come again as agents do.
  const names = await Promise.all(callers.map((caller) => caller.who({ waitForReady: true })));
  expect(new Set(names)).toEqual(new Set(['agent/a1a1a1a1a1a1a1a1']));
});

describe('a caller whose certificate is refused learns why, in the answer to each call', () => {
  const removal = { at: now + day, isUntilJoin: false };
  const removals: Removals = { peers: new Map([['agent/a1a1a1a1a1a1a1a1', removal]]), serials: new Set() };
  const stranger = { ...of(name('agent', agent.id, otherCluster), {}, foreign), trust: [root.certificate] };
  test.each<[string, Credential, string]>([
    [
      'another cluster',
      stranger,
      `cluster-mismatch: agent/${agent.id} belongs to the cluster ${otherCluster}; this is the cluster ${cluster}`,
    ],
    ['another CA', { ...of(agent, {}, foreign), trust: [root.certificate] }, 'certificate-untrusted'],
    ['of a CA', { key: foreign.key, chain: [foreign.certificate], trust: [root.certificate] }, 'certificate-invalid'],
    ['expired', of(agent, { at: now - 10 * day, life: day }), 'certificate-expired'],
    ['not yet valid', of(agent, { at: now + hour }), 'certificate-not-yet-valid'],
    ['removed', of(agent), 'node-removed'],
  ])('%s', async (_, credential, why) => {
    const { port } = await serve(of(manager), removals);
    expect(await as(port, credential).who()).toContain(why);
  });
});

describe('a client refuses a server, and says why', () => {
  const strange = { ...of(manager, {}, foreign), trust: [foreign.certificate] };
  test.each<[string, Credential, string]>([
    ['of another CA', strange, 'certificate-untrusted'],
    ['of another cluster', of(name('manager', 'm1', otherCluster), {}, foreign), 'cluster-mismatch'],
    ['that is an agent', of(agent), 'role-mismatch'],
    ['that expired', of(manager, { at: now - 10 * day, life: day }), 'certificate-expired'],
  ])('%s', async (_, credential, code) => {
    const { port } = await serve(credential);
    const credentials = clientCredentials(new LiveCredential(of(agent)));
    const said = await client(port, credentials).who();
    expect(said).toContain(`refused as ${code}: `);
  });

  test('OpenSSL has a say, too: a certificate that is only for clients does not make a server', async () => {
    const { port } = await serve(of(operator));
    const credentials = clientCredentials(new LiveCredential(of(agent)), ['operator']);
    expect(await client(port, credentials).who()).toContain(
      'the certificate of operator/ops is refused by OpenSSL: INVALID_PURPOSE',
    );
  });
});

test('a joiner that pins another CA sends nothing but its part of the handshake', async () => {
  const received: Buffer[] = [];
  const server = createTlsServer({ ...contextOptions(of(manager)), ALPNProtocols: ['h2'] });
  server.on('secureConnection', (socket) => socket.on('data', (bytes) => received.push(bytes)));
  server.on('tlsClientError', () => {});
  const ended = new Promise<void>((resolve) => server.on('connection', (socket) => socket.once('close', resolve)));
  server.listen(0, host);
  cleanups.push(() => server.close());
  await once(server, 'listening');
  const caller = joiner((server.address() as AddressInfo).port, foreign.certificate);
  expect(await caller.who()).toMatch(/refused as ca-mismatch: .*; nothing was sent to it/);
  await ended;
  expect(Buffer.concat(received).length).toBe(0);
});

test('a server that speaks no TLS is refused', async () => {
  const server = echoServer();
  const port = await new Promise<number>((resolve) =>
    server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (_, bound) => resolve(bound)),
  );
  cleanups.push(() => server.forceShutdown());
  expect(await as(port, of(agent)).who()).toContain('No connection established');
});

describe('a renewed certificate', () => {
  test('of the server serves new connections, and open streams go on', async () => {
    const { port, live } = await serve();
    const talk = as(port, of(agent)).talk();
    expect(await talk.say('before')).toBe('agent/a1a1a1a1a1a1a1a1: before');
    const renewed = of(manager, { seed: 200 });
    live.replace(renewed);
    expect(await talk.say('after')).toBe('agent/a1a1a1a1a1a1a1a1: after');
    const fresh = await shakeHands(port, of(agent));
    expect(fresh.getPeerX509Certificate()?.serialNumber.toLowerCase()).toBe(renewed.chain[0].serial);
    expect(await talk.say('later')).toBe('agent/a1a1a1a1a1a1a1a1: later');
  });

  test('of a client is shown from its next connection on, and open streams go on', async () => {
    const { port } = await serve();
    const live = new LiveCredential(of(agent));
    const credentials = clientCredentials(live);
    const talk = client(port, credentials).talk();
    expect(await talk.say('before')).toBe('agent/a1a1a1a1a1a1a1a1: before');
    live.replace(of(name('agent', 'b2b2b2b2b2b2b2b2'), { seed: 200 }));
    expect(await talk.say('after')).toBe('agent/a1a1a1a1a1a1a1a1: after');
    expect(await client(port, credentials).who()).toBe('agent/b2b2b2b2b2b2b2b2');
  });
});

test('a rotation of the CA: old and renewed peers talk at every stage, both ways', async () => {
  const cross = crossSign(root, next.certificate, { now, random: new SeededRandom(3) });
  const both = [root.certificate, next.certificate];
  const renewed = (holder: typeof agent): Credential => ({ ...of(holder, { seed: 300 }, next), trust: both });
  const withCross = (holder: typeof agent): Credential => ({
    ...renewed(holder),
    chain: [renewed(holder).chain[0], cross],
  });
  const old = of(agent);
  const { port, live } = await serve();
  const talk = as(port, old).talk();
  const who = 'agent/a1a1a1a1a1a1a1a1';
  const callers: readonly (readonly [string, Credential])[] = [
    ['old, trusts the old root', old],
    ['old, trusts both', { ...old, trust: both }],
    ['renewed', withCross(agent)],
  ];
  for (const server of [of(manager), { ...of(manager), trust: both }, withCross(manager)]) {
    live.replace(server);
    for (const [, credential] of callers) expect(await as(port, credential).who()).toBe(who);
    expect(await joiner(port, root.certificate).who()).toBe('anonymous');
  }
  expect(await joiner(port, next.certificate).who()).toBe('anonymous');
  live.replace({ ...renewed(manager), trust: [next.certificate] });
  expect(await as(port, { ...renewed(agent), trust: [next.certificate] }).who()).toBe(who);
  expect(await as(port, { ...old, trust: both }).who()).toContain('certificate-untrusted');
  expect(await talk.say('still here')).toBe(`${who}: still here`);
});

test('the connections of a removed node are cut, and no others', async () => {
  const { port, listener } = await serve();
  const removed = as(port, of(agent)).talk();
  const other = as(port, of(name('agent', 'b2b2b2b2b2b2b2b2'))).talk();
  await removed.say('hello');
  await other.say('hello');
  expect(listener.cut(({ name: { id } }) => id === agent.id)).toBe(1);
  expect(await removed.ended).not.toBe('');
  expect(await other.say('still here')).toBe('agent/b2b2b2b2b2b2b2b2: still here');
});

describe('a stranger cannot fill the server’s memory', () => {
  test('with requests that never end', { timeout: 20_000 }, async () => {
    const { port } = await serve();
    const { key, cert, ca, ...options } = contextOptions(of(agent));
    const socket = connectTls({
      port,
      host,
      ca: ca ?? [],
      ...options,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    cleanups.push(() => socket.destroy());
    const session = connectHttp2(`https://${host}:${port}`, { createConnection: () => socket });
    session.on('error', () => {});
    const ended = new Promise<void>((resolve) => session.once('close', resolve));
    const headers = {
      ':method': 'POST',
      ':path': '/test.Echo/Who',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    for (let i = 0; i < 64; i++) {
      const stream = session.request(headers);
      stream.on('error', () => {});
      stream.write(Buffer.from([0, 0, 0x3f, 0xff, 0xff, ...Array(16_000).fill(0)]));
    }
    await ended;
    expect(await joiner(port).who()).toBe('anonymous');
  });

  test('with many connections: the oldest are ended, and those of peers stay', async () => {
    const { port } = await serve();
    const talk = as(port, of(agent)).talk();
    await talk.say('hello');
    const ended: number[] = [];
    const bare = { key: undefined, cert: undefined, rejectUnauthorized: false };
    for (let i = 0; i < 260; i++) {
      const from = { ...bare, localAddress: `127.0.1.${1 + (i % 64)}` };
      (await shakeHands(port, of(agent), from)).once('close', () => ended.push(i)).resume();
    }
    expect(await joiner(port).who()).toBe('anonymous');
    await expect.poll(() => ended.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(ended.length).toBeLessThan(10);
    expect(await talk.say('still here')).toBe('agent/a1a1a1a1a1a1a1a1: still here');
  });

  test('with many connections from one address: its oldest are ended, and those of others stay', async () => {
    const { port } = await serve();
    const ended: string[] = [];
    const open = async (name: string, localAddress: string): Promise<void> => {
      const bare = { key: undefined, cert: undefined, rejectUnauthorized: false, localAddress };
      (await shakeHands(port, of(agent), bare)).once('close', () => ended.push(name)).resume();
    };
    await open('other', '127.0.1.1');
    for (let i = 0; i < 130; i++) await open(`flood ${i}`, '127.0.1.2');
    await expect.poll(() => ended).toEqual(['flood 0', 'flood 1']);
  });

  test('with half-open connections: they delay their own source, and end', async () => {
    const { port } = await serve();
    let ended = 0;
    const [flood, others] = ['127.0.1.2', 300] as const;
    for (let i = 0; i < others; i++) {
      const socket = connect({ port, host, localAddress: flood }).once('close', () => ended++);
      socket.on('error', () => {});
      socket.resume();
      cleanups.push(() => socket.destroy());
    }
    expect(await as(port, of(agent)).who()).toBe('agent/a1a1a1a1a1a1a1a1');
    await expect.poll(() => ended, { timeout: 5_000 }).toBeGreaterThan(others / 2);
    expect(await as(port, of(agent)).who()).toBe('agent/a1a1a1a1a1a1a1a1');
  });

  test('a peer may send as much as it needs', async () => {
    const { port } = await serve();
    const talk = as(port, of(agent)).talk();
    for (let i = 0; i < 4; i++) await talk.say('x'.repeat(200_000));
    expect(await talk.say('more')).toBe('agent/a1a1a1a1a1a1a1a1: more');
  });
});

describe('a connection becomes one of TLS with the first bytes of its client', () => {
  test('which may be few', async () => {
    const { port } = await serve();
    const slow = createServer((client) => {
      const onward = connect(port, host);
      client.once('data', (hello) => {
        onward.setNoDelay().write(hello.subarray(0, 3));
        onward.once('ready', () => setImmediate(() => onward.write(hello.subarray(3))));
        client.pipe(onward).pipe(client);
      });
      for (const socket of [client, onward]) socket.on('error', () => undefined);
    }).listen(0, host);
    cleanups.push(() => slow.close());
    await once(slow, 'listening');
    expect(await as((slow.address() as AddressInfo).port, of(agent)).who()).toBe('agent/a1a1a1a1a1a1a1a1');
  });

  test('and ends when its client ends it before', async () => {
    const { port } = await serve();
    const socket = connect(port, host).end().resume();
    await once(socket, 'close');
    expect(await as(port, of(agent)).who()).toBe('agent/a1a1a1a1a1a1a1a1');
  });
});

test('the server stops with its connections', async () => {
  const { port, listener, server } = await serve();
  const talk = as(port, of(agent)).talk();
  await talk.say('hello');
  listener.stop();
  const stopped = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  talk.end();
  await stopped;
  const refused = await new Promise<string>((resolve) => {
    connect(port, host).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
  expect(refused).toBe('ECONNREFUSED');
});

/** A TLS connection as a program without gRPC makes it. */
function shakeHands(port: number, credential: Credential, options = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const context = { ...contextOptions(credential), ALPNProtocols: ['h2'], checkServerIdentity: () => undefined };
    const socket = connectTls({ port, host, ...context, ...options }, () => resolve(socket));
    cleanups.push(() => socket.destroy());
    socket.once('error', reject);
  });
}

describe('the protocol', () => {
  test('is TLS 1.3', async () => {
    const { port } = await serve();
    expect((await shakeHands(port, of(agent))).getProtocol()).toBe('TLSv1.3');
    const older = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
    await expect(shakeHands(port, of(agent), older)).rejects.toThrow(/protocol version/);
  });

  test('is TLS 1.3 after a renewal', async () => {
    const { port, live } = await serve();
    live.replace(of(manager, { seed: 200 }));
    const older = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
    await expect(shakeHands(port, of(agent), older)).rejects.toThrow(/protocol version/);
  });

  test('has no resumption: no verdict of an earlier handshake is carried over', async () => {
    const { port } = await serve();
    const first = await shakeHands(port, of(agent));
    const session = await new Promise<Buffer>((resolve) => {
      first.once('session', resolve);
      first.resume();
    });
    const second = await shakeHands(port, of(agent), { session });
    expect(second.isSessionReused()).toBe(false);
  });
});
