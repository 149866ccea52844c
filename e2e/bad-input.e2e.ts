import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Lab, type Outcome } from '@causeway/lab/io';
import { callUnary } from '@causeway/proto/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAgent } from './agent-api.ts';
import type { EndpointJson, VerifyJson } from './answers.ts';
import { attach, createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('bad input', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'bad-input', hosts: 2, managers: 1, subnet: '10.97.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/24', 'fd66::/64');
    await createNetwork(lab, 'tiny', '10.67.0.0/30');
    await attach(lab, 'blue', 'h1', 'taken');
    await attach(lab, 'tiny', 'h1', 'full');
    await lab.sh('h1', 'ip netns add free; echo hello > /run/plain; ln -s /run/netns/free /run/link');
  });
  afterAll(() => lab?.down());

  /** What a person sees: the exit code and the message, and the error code for programs. */
  function errorOf({ code, stderr }: Outcome): { code: number; error: string; message: string } {
    const last = stderr.trim().split('\n').at(-1) ?? '';
    const { error } = JSON.parse(last.startsWith('{') ? last : '{"error":{}}') as {
      error: { code?: string; message?: string };
    };
    return { code, error: error.code ?? '', message: error.message ?? stderr };
  }

  const network = 'network create other';
  const endpoint = (rest: string) => `endpoint attach blue --name new --netns /run/netns/free ${rest}`.trim();
  const cases: readonly [what: string, line: string, code: number, error: string, message: RegExp][] = [
    [
      'a prefix with host bits',
      `${network} --subnet 10.1.2.3/16`,
      2,
      'prefix-host-bits',
      /did you mean 10\.1\.0\.0\/16/,
    ],
    ['a subnet that overlaps', `${network} --subnet 10.66.0.128/25`, 4, 'subnet-overlap', /10\.66\.0\.0\/24.*blue/],
    ['a gateway outside', `${network} --subnet 10.1.0.0/16 --gateway 10.2.0.1`, 2, 'gateway-outside', /10\.2\.0\.1/],
    ['a network name taken', 'network create blue --subnet 10.5.0.0/16', 4, 'name-taken', /blue/],
    ['a network unknown', 'network show nothing', 3, 'network-unknown', /nothing/],
    ['an attach to a network unknown', endpoint('').replace('blue', 'nothing'), 3, 'network-unknown', /nothing/],
    ['an address in use', endpoint('--ip 10.66.0.2'), 4, 'address-in-use', /10\.66\.0\.2/],
    ['an address outside', endpoint('--ip 10.9.0.9'), 2, 'address-outside', /10\.9\.0\.9/],
    ['the gateway asked for', endpoint('--ip 10.66.0.1'), 2, 'address-reserved', /10\.66\.0\.1/],
    ['a network that is full', endpoint('').replace('blue', 'tiny'), 1, 'address-exhausted', /tiny|10\.67\.0\.0\/30/],
    ['an endpoint name taken', endpoint('').replace('new', 'taken'), 4, 'name-taken', /taken/],
    ['an ifname too long', endpoint('--ifname sixteen-letters-'), 2, 'ifname-invalid', /15/],
    ['an ifname with a slash', endpoint('--ifname a/b'), 2, 'ifname-invalid', /a\/b/],
    ['an ifname taken', endpoint('').replace('netns/free', 'netns/taken'), 4, 'ifname-taken', /eth0/],
    [
      'a netns path that leads nowhere',
      endpoint('').replace('netns/free', 'netns/nowhere'),
      2,
      'netns-invalid',
      /nowhere/,
    ],
    ['a netns path that is a file', endpoint('').replace('netns/free', 'plain'), 2, 'netns-invalid', /plain/],
    ['a netns path that is a folder', endpoint('').replace('netns/free', 'netns'), 2, 'netns-invalid', /netns/],
    [
      'the namespace of the host itself',
      endpoint('').replace('/run/netns/free', '/proc/1/ns/net'),
      2,
      'netns-invalid',
      /host/,
    ],
    [
      'a namespace of another kind',
      endpoint('').replace('/run/netns/free', '/proc/1/ns/mnt'),
      2,
      'netns-invalid',
      /mnt/,
    ],
    ['an endpoint unknown', 'endpoint detach nothing', 3, 'endpoint-unknown', /nothing/],
    [
      'managers that are not there',
      '--managers 10.97.0.1:1 network list --timeout 2s',
      5,
      'manager-unavailable',
      /10\.97\.0\.1:1/,
    ],
    ['an agent that is not there', `--socket /run/none.sock ${endpoint('')}`, 5, 'agent-unavailable', /none\.sock/],
  ];
  test.each(cases)('%s', async (_, line, code, error, message) => {
    const outcome = errorOf(await lab.try('h1', 'causeway', ...line.split(' '), '-o', 'json'));
    expect(outcome).toMatchObject({ code, error });
    expect(outcome.message).toMatch(message);
  });

  test('nothing refused left anything', async () => {
    const endpoints = await lab.json<readonly EndpointJson[]>('h1', 'endpoint', 'list');
    expect(endpoints.map((each) => each.name).sort()).toEqual(['full', 'taken']);
    expect(await lab.run('h1', 'ip', '-n', 'free', '-br', 'link')).not.toContain('eth0');
    expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]);
  });

  test('garbage on the socket of the agent and on the port of a manager disturbs no other caller', async () => {
    const socket = createConnection(lab.runPath('h1', 'causeway/agent.sock'));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(randomBytes(100_000));
    socket.resume();
    await once(socket, 'close');
    await lab.try('h2', 'bash', '--norc', '-c', 'head -c 100000 /dev/urandom > /dev/tcp/10.97.0.1/7443');
    expect((await lab.status()).hosts.map((host) => host.ready)).toEqual([true, true]);
    await lab.run('h1', 'causeway', 'network', 'list');
  });

  test('a message of 10 MB is refused as too large', async () => {
    const request = {
      requestId: 'r',
      network: 'blue',
      name: 'x'.repeat(10_000_000),
      netns: '/',
      ifname: '',
      addresses: [],
      labels: {},
      gatewayPriority: 0,
    };
    const refused = withAgent(lab, 'h1', (client) =>
      callUnary(client.attach.bind(client), request, { timeout: 10_000 }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'message-too-large' });
    expect(await lab.isReady('h1')).toBe(true);
  });

  test('an agent of one cluster does not follow a manager of another', async () => {
    const flags = '--name other --listen 10.97.0.2:7450 --data-dir /var/lib/causeway/other --etcd embedded';
    const init = '--name other --data-dir /var/lib/causeway/other --operator-dir /var/lib/causeway/operator';
    await lab.run('h2', 'causeway-manager', 'init', ...init.split(' '));
    const other = await lab.start('h2', ['causeway-manager', ...flags.split(' ')]);
    const there = ['--managers', '10.97.0.2:7450', '--context', '/var/lib/causeway/operator'] as const;
    await eventually(() => lab.run('h2', 'causeway', ...there, 'network', 'list'));
    const stranger = await lab.try('h2', 'causeway', '--managers', '10.97.0.2:7450', 'network', 'list');
    expect(stranger).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/manager\/other belongs to the cluster [0-9a-f]{16}; this is/),
    });
    await lab.kill('h2', 'agent');
    const agentFlags = '--name h2 --managers 10.97.0.2:7450 --data-path 10.97.0.2 --data-dir /var/lib/causeway/agent';
    const stray = await lab.start('h2', ['causeway-agent', ...agentFlags.split(' ')]);
    let said = '';
    stray.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await eventually(async () => expect(said).toContain('session.refused'));
    expect(said).toContain('cluster-mismatch');
    const nodes = await lab.json<readonly unknown[]>('h2', ...there, 'node', 'list');
    expect(nodes).toEqual([]);
    for (const run of [stray, other]) {
      run.child.kill('SIGKILL');
      await run.outcome;
    }
    await lab.try('h2', 'pkill', '-KILL', '-x', 'etcd');
    await lab.startProcess('h2', 'agent');
    await eventually(async () => expect(await lab.isReady('h2')).toBe(true));
  });

  test('a disk full under the ledger: attach says so and leaves nothing, an agent starts; with room again it works', async () => {
    const data = '/var/lib/causeway';
    await lab.sh(
      'h2',
      `ip netns add later
       mount -n -o remount,size=$(($(df -k --output=used ${data} | tail -1) + 256))k ${data}
       head -c 1M /dev/zero > ${data}/fill || true`,
    );
    const line = 'endpoint attach blue --name later --netns /run/netns/later -o json';
    const outcome = errorOf(await lab.try('h2', 'causeway', ...line.split(' ')));
    expect(outcome).toMatchObject({ code: 1, error: 'disk-full' });
    await eventually(async () => {
      expect((await lab.try('h2', 'causeway', 'endpoint', 'show', 'later')).code).toBe(3);
    });
    await lab.kill('h2', 'agent');
    await lab.startProcess('h2', 'agent');
    await eventually(async () => expect(await lab.isReady('h2')).toBe(true));
    await lab.sh('h2', `rm ${data}/fill; mount -n -o remount,size=50% ${data}`);
    await lab.run('h2', 'causeway', ...line.split(' '));
    await eventually(async () => expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]));
  });

  /** Joined, so that it has come as far as the mistake. */
  const joinOthers = async (): Promise<void> => {
    await lab.join('h1', { kind: 'agent', name: 'x', dataDir: '/run/x' });
    await lab.join('h1', { kind: 'manager', name: 'x', dataDir: '/var/lib/causeway/x' });
    await lab.join('h2', { kind: 'manager', name: 'x2', dataDir: '/var/lib/causeway/x' });
    await lab.sh(
      'h1',
      'mkdir -m 700 /var/lib/causeway/h1; cp -a /var/lib/causeway/manager/identity /var/lib/causeway/h1',
    );
  };

  const agent = '--name x --managers 10.97.0.1:7443 --data-path 10.97.0.1 --socket /run/x.sock';
  const own = '/var/lib/causeway/etcd-identity';
  const labEtcd = `--etcd https://10.97.0.1:2379 --etcd-cacert ${own}/ca.pem --etcd-cert ${own}/identity.pem --etcd-key ${own}/identity.pem`;
  const manager = '--name x --listen 127.0.0.1:7460 --data-dir /var/lib/causeway/x';
  const starts: readonly [what: string, command: string, exit: number, message: RegExp][] = [
    [
      'an agent whose data folder cannot be written',
      `causeway-agent ${agent} --data-dir /proc/x`,
      2,
      /--data-dir.*\/proc\/x/,
    ],
    ['a second agent on a host', `causeway-agent ${agent} --data-dir /run/x`, 4, /another agent .*runs on this host/],
    [
      'an agent at a socket that is served',
      `unshare --net causeway-agent ${agent.replace('/run/x.sock', '/run/causeway/agent.sock')} --data-dir /run/x`,
      2,
      /agent\.sock/,
    ],
    [
      'an agent with an address that is not the host’s',
      `unshare --net causeway-agent ${agent.replace('--data-path 10.97.0.1', '--data-path 10.97.0.77')} --data-dir /run/x`,
      1,
      /10\.97\.0\.77/,
    ],
    [
      'an agent without rights',
      `setpriv --bounding-set -net_admin --inh-caps -net_admin causeway-agent ${agent} --data-dir /run/x`,
      2,
      /CAP_NET_ADMIN.*root/,
    ],
    ['an agent without a name', 'causeway-agent --managers 10.97.0.1:7443', 2, /--name/],
    [
      'a manager whose data folder cannot be written',
      `causeway-manager ${manager} --data-dir /proc/x`,
      2,
      /--data-dir/,
    ],
    [
      'a manager at a port that is taken',
      `causeway-manager ${manager.replace('127.0.0.1:7460', '10.97.0.1:7443')} ${labEtcd}`,
      1,
      /7443/,
    ],
    [
      'a manager under a name that another one has',
      `causeway-manager ${manager.replace('--name x', '--name h1').replace('causeway/x', 'causeway/h1')} ${labEtcd}`,
      4,
      /--name h1: the cluster has a manager of that name at 10\.97\.0\.1:7443/,
    ],
    ['a manager with a flag that is none', `causeway-manager ${manager} --nonsense`, 2, /--nonsense/],
    [
      'an agent with a flag that commands a terminal',
      `causeway-agent ${agent} --data-dir /run/x --a\u001b[2J`,
      2,
      /^\P{Cc}*--a\\e\[2J\P{Cc}*$/u,
    ],
    [
      'a manager with a flag that commands a terminal',
      `causeway-manager ${manager} --a\u001b[2J`,
      2,
      /^\P{Cc}*--a\\e\[2J\P{Cc}*$/u,
    ],
  ];
  test('starts that come as far as their mistake need a credential', joinOthers);

  test.each(starts)('%s ends at once and says what would be right', async (_, command, exit, message) => {
    const { code, stderr } = await lab.try('h1', 'timeout', '20', ...command.split(' '));
    expect(code).toBe(exit);
    const plain = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(plain.join('\n')).toMatch(message);
    // One line of ours, and no line of a library.
    expect(plain).toHaveLength(1);
  });

  test('a manager without an etcd program names the package that brings it', async () => {
    const hidden = 'mount -n --bind /dev/null "$(command -v etcd)"';
    const script = `${hidden} && exec timeout 20 causeway-manager ${manager.replace('--name x', '--name x2')} --etcd embedded`;
    const { code, stderr } = await lab.try('h2', 'unshare', '--mount', 'sh', '-c', script);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^causeway-manager: .*etcd-server/m);
  });
});
