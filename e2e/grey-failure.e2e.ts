import { Lab, type Outcome } from '@causeway/lab/io';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { StatusJson } from './answers.ts';
import { attach, attachWith, createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

const patience = 60_000;

/**
 * Longest time, ms, of a command that needs only one healthy manager: 2 s, and the time in which a busy machine starts Node.
 * `npm run chaos` measures how long each takes.
 */
const soon = 6_000;

// A peer that is silent, in each possible way. None may delay a command by more than a moment.
describeLab('whatever is silent, commands end soon', () => {
  let lab: Lab;
  const cli = 'h4';

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'grey-e2e', hosts: 4, managers: 3, subnet: '10.107.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    for (const host of lab.hosts) await attach(lab, 'blue', host, `first-${host}`);
  });
  afterAll(() => lab?.down());

  const status = (): Promise<StatusJson> => lab.json<StatusJson>(cli, 'status');

  function whole(): Promise<void> {
    return eventually(async () => {
      const { managers, etcd, hosts } = await status();
      expect(managers.map(({ state }) => state).sort()).toEqual(['leader', 'standby', 'standby']);
      expect(etcd.members.filter(({ healthy }) => healthy)).toHaveLength(3);
      expect(hosts).toMatchObject({ ready: 4, total: 4, notReady: [] });
    }, patience);
  }

  /** Sets nftables rules in a table of their own, in the host's namespace. */
  async function rule(host: string, ...rules: readonly string[]): Promise<void> {
    const chains = ['input', 'output'].map(
      (hook) => `add chain inet grey ${hook} { type filter hook ${hook} priority 0; }`,
    );
    const script = ['add table inet grey', ...chains, ...rules.map((text) => `add rule inet grey ${text}`)].join('\n');
    await lab.run(host, 'nft', script);
    undo.push(() => lab.run(host, 'nft', 'delete table inet grey'));
  }

  async function stop(host: string, kind: 'manager' | 'etcd' | 'agent'): Promise<void> {
    await lab.kill(host, kind, 'STOP');
    undo.push(() => lab.kill(host, kind, 'CONT'));
  }

  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await whole();
  });

  /** How long a command takes, which must succeed. */
  async function took(...words: readonly string[]): Promise<number> {
    const began = performance.now();
    const { code, stderr } = await lab.try(cli, 'causeway', ...words);
    const span = performance.now() - began;
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
    return span;
  }

  const leader = async (): Promise<string> => (await status()).leader?.node ?? '';
  const follower = async (): Promise<string> =>
    (await status()).managers.find(({ state }) => state === 'standby')?.name ?? '';

  /** Matches traffic from the CLI's host to one manager's port. The etcd of that host stays reachable. */
  const manager = (host: string): string => `ip daddr ${lab.underlay(host)} tcp dport 7443`;
  const fromManager = (host: string): string => `ip saddr ${lab.underlay(host)} tcp sport 7443`;

  const faults: readonly [string, () => Promise<void>][] = [
    ['the leader stopped', async () => stop(await leader(), 'manager')],
    ['another manager stopped', async () => stop(await follower(), 'manager')],
    ['an etcd member stopped', async () => stop('h3', 'etcd')],
    ['packets to the leader dropped', async () => rule(cli, `output ${manager(await leader())} drop`)],
    ['packets from the leader dropped', async () => rule(cli, `input ${fromManager(await leader())} drop`)],
    [
      'packets to and from the leader dropped, also for attaches',
      async () => {
        const at = await leader();
        await rule(cli, `output ${manager(at)} drop`, `input ${fromManager(at)} drop`);
      },
    ],
    [
      'a path to the leader that eats large packets',
      async () => {
        const at = await leader();
        await rule(
          cli,
          `output ${manager(at)} meta length > 1400 drop`,
          `input ${fromManager(at)} meta length > 1400 drop`,
        );
      },
    ],
  ];

  test.each(faults)('%s: reads, status and an attach', async (what, happen) => {
    await happen();
    const reads = [
      ['network', 'list'],
      ['endpoint', 'list'],
      ['node', 'list'],
      ['events', '--since', '1m'],
      ['status'],
    ];
    const spans: Record<string, number> = {};
    for (const words of reads) spans[words.join(' ')] = await took(...words);
    const slow = Object.entries(spans).filter(([, span]) => span > soon);
    expect(slow, what).toEqual([]);
    // An election may have to come first. The command waits until it is over.
    const name = what.replaceAll(/[^a-z]+/g, '-').slice(0, 60);
    await attachWith(lab, 'blue', cli, name, ['--timeout', '30s']);
    expect(await lab.try(cli, 'causeway', 'network', 'show', 'blue', '-o', 'name')).toMatchObject({ code: 0 });
  });

  test('a stopped agent: status names it, verify says who was not asked, and an attach there ends in time', async () => {
    await stop('h2', 'agent');
    await eventually(async () => {
      const { hosts, degraded } = await status();
      expect(hosts).toMatchObject({
        ready: 3,
        notReady: [{ name: 'h2', reason: expect.stringContaining('nothing heard') }],
      });
      expect(degraded.endpoints).toBeGreaterThan(0);
    }, patience);
    const verified = await lab.try(cli, 'causeway', 'verify', '-o', 'json');
    expect(verified).toMatchObject({ code: 5, stderr: expect.stringContaining('h2') });
    expect(JSON.parse(verified.stdout)).toMatchObject({ drift: [], checked: ['h1', 'h3', 'h4'] });
    await lab.run('h2', 'ip', 'netns', 'add', 'late');
    const where = ['--name', 'late', '--netns', '/run/netns/late', '--timeout', '2s'];
    const began = performance.now();
    expect((await lab.try('h2', 'causeway', 'endpoint', 'attach', 'blue', ...where)).code).toBe(5);
    expect(performance.now() - began).toBeLessThan(soon);
  });

  test('a path that loses 40 % of all packets: reads go on', async () => {
    const at = await leader();
    await rule(cli, `input ip saddr ${lab.underlay(at)} numgen random mod 100 < 40 drop`);
    for (let i = 0; i < 10; i++) expect(await took('network', 'list', '--timeout', '10s')).toBeLessThan(10_000);
  });

  test('no manager can be reached: a command ends at its timeout, and at a signal at once', async () => {
    await rule(cli, 'output tcp dport 7443 drop');
    const timed = async (run: () => Promise<Outcome>): Promise<number> => {
      const began = performance.now();
      await run();
      return performance.now() - began;
    };
    const list = ['causeway', 'network', 'list', '--timeout'];
    expect(await timed(() => lab.try(cli, ...list, '2s'))).toBeLessThan(2_500 + 3_000);
    for (const signal of ['INT', 'TERM']) {
      const outcome = lab.try(cli, 'timeout', '-s', signal, '-k', '20', '3', ...list, '60s');
      expect(await timed(() => outcome)).toBeLessThan(3_000 + 3_000);
      expect((await outcome).stderr).not.toContain('Killed');
    }
  });

  test('a host that was cut off is back soon after its path is', async () => {
    await rule(cli, 'output tcp dport 7443 drop');
    await eventually(async () => {
      const seen = await lab.json<StatusJson>('h1', 'status');
      expect(seen.hosts.notReady.map(({ name }) => name)).toEqual([cli]);
    }, patience);
    // So long that the kernel's pauses between SYNs are longer than the time that is allowed.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    await undo.pop()?.();
    await eventually(async () => {
      const seen = await lab.json<StatusJson>('h1', 'status');
      expect(seen.hosts.notReady).toEqual([]);
    }, soon);
  });
});
