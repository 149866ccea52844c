import { Lab, type Outcome } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach, type Container, createNetwork, expectAllPing, inContainer, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('a second agent', () => {
  let lab: Lab;
  let a: Container;
  let b: Container;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'agent-two', hosts: 2, managers: 1, subnet: '10.94.1.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    a = await attach(lab, 'blue', 'h1', 'a');
    b = await attach(lab, 'blue', 'h2', 'b');
  });
  afterAll(() => lab?.down());

  /** An agent on h2, with the flags of h2's own agent unless others are given. */
  const agentWords = (flags: Readonly<Record<string, string>>): readonly string[] => {
    const own = {
      name: 'h2',
      managers: `${lab.underlay('h1')}:7443`,
      'data-path': lab.underlay('h2'),
      'data-dir': '/var/lib/causeway/agent',
      socket: '/run/causeway/agent.sock',
    };
    return Object.entries({ ...own, ...flags }).flatMap(([flag, value]) => [`--${flag}`, value]);
  };
  const secondAgent = (flags: Readonly<Record<string, string>>): Promise<Outcome> =>
    lab.try('h2', 'causeway-agent', ...agentWords(flags));

  test.each([
    [
      'with flags of its own',
      { name: 'h2b', 'data-dir': '/var/lib/causeway/other', socket: '/run/causeway/other.sock' },
    ],
    ['on the same data directory', { socket: '/run/causeway/other.sock' }],
    ['with the same flags', {}],
  ])('%s ends at once, names the agent that runs, and disturbs nothing', async (_, flags) => {
    const flow = await traffic(lab, a, b);
    const events = await lab.json<{ events: unknown[] }>('h1', 'events');
    const { code, stderr } = await secondAgent(flags);
    const pid = /causeway-agent: another agent \(process (\d+)\) runs on this host/.exec(stderr)?.[1];
    expect(await lab.run('h2', 'cat', `/proc/${pid}/cmdline`)).toContain('--socket\0/run/causeway/agent.sock');
    expect(code).toBe(4);
    await eventually(async () => expect(await flow.sent()).toBeGreaterThan(1_000));
    await flow.end();
    expect(await lab.json('h1', 'events')).toEqual(events);
  });

  test('on a wrong data directory while the first agent is down gets no session, and leaves the containers alone', async () => {
    await lab.join('h2', { kind: 'agent', name: 'h2b', dataDir: '/var/lib/causeway/other' });
    await lab.kill('h2', 'agent');
    const flow = await traffic(lab, a, b);
    const flags = { name: 'h2b', 'data-dir': '/var/lib/causeway/other', socket: '/run/causeway/other.sock' };
    const wrong = await lab.start('h2', ['causeway-agent', ...agentWords(flags)]);
    let said = '';
    wrong.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    // The host with the endpoints keeps its address, also when it has been away for longer than a session lives.
    await eventually(async () => expect(said).toContain('causeway node remove h2'), 40_000);
    expect(said).toContain('address-in-use');
    expect(said).not.toContain('session.started');
    const sent = await flow.sent();
    await eventually(async () => expect(await flow.sent()).toBeGreaterThan(sent + 500));
    await flow.end();
    await lab.run('h2', 'pkill', '-KILL', '-f', flags.socket);
    await wrong.outcome;
  });

  test('starts when the agent before it was killed', async () => {
    await lab.startProcess('h2', 'agent');
    await eventually(async () => expect(await lab.isReady('h2')).toBe(true), 40_000);
    await expectAllPing(lab, [a, b]);
  });

  test('is not what --reset is for: it takes Causeway off a host whose agent does not run, and says what', async () => {
    const reset = ['causeway-agent', '--reset', '--data-dir', '/var/lib/causeway/agent'];
    expect(await lab.try('h2', ...reset)).toMatchObject({ code: 4, stderr: expect.stringContaining('another agent') });
    await lab.kill('h2', 'agent');
    const { code, stdout } = await lab.try('h2', ...reset);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^removed \/run\/netns\/cw-[0-9a-f]{10} with the interface of 1 container\n/),
    });
    expect(await lab.run('h2', 'ip', 'netns', 'list')).not.toContain('cw-');
    expect(await inContainer(lab, b, 'ip', '-br', 'link')).not.toContain('eth0');
    expect(await lab.sh('h2', 'ls -A /var/lib/causeway /run/causeway')).not.toContain('agent');
  });
});
