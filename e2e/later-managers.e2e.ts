import { Lab, type Outcome, type Run } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusJson } from './answers.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

/** ms. Members ask every 40 to 60 s which managers there are. */
const patience = 90_000;
/** ms. A test waits for several such answers. */
const story = 240_000;
const own = '/var/lib/causeway/node';
const home = ['env', '-u', 'CAUSEWAY_MANAGERS', '-u', 'CAUSEWAY_CONTEXT', `XDG_CONFIG_HOME=${own}/config`];

type Service = 'manager' | 'agent';

// One story: each test begins with the state that the test before has left.
describeLab('managers that join after the first host and the first operator', () => {
  let lab: Lab;
  let all: readonly string[];
  const running: Run[] = [];

  beforeAll(async () => {
    lab = await Lab.layOut({ name: 'later-managers', hosts: 4, subnet: '10.107.0.0/24' });
    all = ['h1', 'h2', 'h3'].map((host) => `${lab.underlay(host)}:7443`);
  });
  afterAll(async () => {
    await lab?.down();
    await Promise.all(running.map(({ outcome }) => outcome));
  });

  const causeway = (host: string, ...words: readonly string[]): Promise<Outcome> =>
    lab.try(host, ...home, 'causeway', ...words);
  /** A command of the operator, who works on h1 and says no address. */
  const json = async <Value>(...words: readonly string[]): Promise<Value> =>
    JSON.parse((await causeway('h1', ...words, '-o', 'json')).stdout) as Value;
  const status = (): Promise<StatusJson & { readonly hosts: { readonly ready: number } }> => json('status');
  const isReady = async (): Promise<void> => expect((await status()).hosts.ready).toBe(1);
  const healthy = async (): Promise<readonly string[]> =>
    (await status()).etcd.members.flatMap((member) => (member.healthy ? [member.name] : [])).sort();

  /** As systemd does it on a host that was installed. */
  const serve = async (host: string, service: Service): Promise<void> => {
    const script = `echo $$ > ${own}/${service}.pid; set -a; . ${own}/etc/causeway/${service}.env; exec causeway-${service}`;
    running.push(await lab.start(host, ['sh', '-c', `{ ${script}; } > ${own}/${service}.log 2>&1`]));
  };
  const kill = async (host: string, service: Service): Promise<void> => {
    await lab.sh(host, `kill -KILL "$(cat ${own}/${service}.pid)"; pkill -KILL -x etcd || true`);
  };
  const join = async (host: string, role: Service, name: string): Promise<void> => {
    const { token } = await eventually(
      () => json<{ token: string }>('node', 'token', 'create', '--role', role),
      patience,
    );
    const words = ['--token', token, '--name', name, '--root', own];
    expect(await causeway(host, 'join', all[0] ?? '', ...words)).toMatchObject({ code: 0 });
    await serve(host, role);
  };
  /** The managers that a service of the host knows. */
  const known = async (host: string, service: Service): Promise<readonly string[]> => {
    const text = await lab.run(host, 'cat', `${own}/var/lib/causeway/${service}/identity/membership.json`);
    return (JSON.parse(text) as { readonly managers: readonly string[] }).managers;
  };

  test(
    'the host and the operator begin with the first manager, and learn of the others',
    async () => {
      const words = ['--root', own, '--name', 'm1', '--listen', all[0] ?? ''];
      expect(await causeway('h1', 'init', ...words)).toMatchObject({ code: 0 });
      await serve('h1', 'manager');
      await join('h4', 'agent', 'h4');
      expect(await lab.run('h4', 'cat', `${own}/etc/causeway/agent.env`)).toContain(`CAUSEWAY_MANAGERS=${all[0]}\n`);
      await join('h2', 'manager', 'm2');
      await eventually(async () => expect(await healthy()).toEqual(['m1', 'm2']), patience);
      await join('h3', 'manager', 'm3');
      await eventually(async () => expect(await healthy()).toEqual(['m1', 'm2', 'm3']), patience);
      await eventually(async () => {
        expect(await known('h4', 'agent')).toEqual(all);
        expect(await known('h1', 'manager')).toEqual(all);
      }, patience);
      expect((await status()).hosts.ready).toBe(1);
      expect(await lab.run('h1', 'sh', '-c', `cat ${own}/config/causeway/*/membership.json`)).toContain(
        all.join('","'),
      );
    },
    story,
  );

  test(
    'when the first manager is down, the host that restarts finds the others, and so does the operator',
    async () => {
      await kill('h1', 'manager');
      await kill('h4', 'agent');
      await serve('h4', 'agent');
      await eventually(isReady, patience);
      const create = ['network', 'create', 'blue', '--subnet', '10.66.0.0/16'];
      expect(await causeway('h1', ...create)).toMatchObject({ code: 0 });
    },
    story,
  );

  test(
    'the first manager, whose etcd has lost its data, joins the others, though its settings do not name them',
    async () => {
      expect(await lab.run('h1', 'cat', `${own}/etc/causeway/manager.env`)).not.toContain('CAUSEWAY_JOIN');
      const data = `${own}/var/lib/causeway/manager`;
      await lab.sh('h1', `cd ${data} && find . -mindepth 1 ! -path './identity*' ! -name sealing-key.json -delete`);
      await serve('h1', 'manager');
      await eventually(async () => expect(await healthy()).toEqual(['m1', 'm2', 'm3']), patience);
      const networks = await json<readonly { readonly name: string }[]>('network', 'list', '--managers', all[0] ?? '');
      expect(networks.map(({ name }) => name)).toEqual(['blue']);
    },
    story,
  );

  test(
    'the first manager leaves although it does not run, and is asked no more',
    async () => {
      await kill('h1', 'manager');
      await eventually(async () => {
        const left = await causeway('h1', 'leave', '--root', own, '--service', 'manager');
        expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining('manager/m1 has left the cluster') });
      }, patience);
      await eventually(async () => {
        await isReady();
        expect(await lab.run('h1', 'sh', '-c', `cat ${own}/config/causeway/*/membership.json`)).not.toContain(
          `"${all[0]}"`,
        );
      }, patience);
      await eventually(async () => expect(await known('h4', 'agent')).toEqual(all.slice(1)), patience);
    },
    story,
  );
});
