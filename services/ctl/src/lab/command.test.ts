import type { HostStatus, LabControl, LabStatus, Labs } from '@causeway/lab';
import { CausewayError } from '@causeway/model';
import { expect, test } from 'vitest';
import { runLine } from '../testing/run-line.ts';
import { labCommand } from './command.ts';
import { statusAnswer } from './render.ts';

const standing: LabStatus = {
  name: 't',
  hosts: [
    {
      name: 'h1',
      underlay: '10.90.0.1',
      ready: true,
      processes: [{ kind: 'agent', pid: 7, running: true, log: '/run/causeway-lab/t/h1/log/agent.log' }],
    },
    {
      name: 'h2',
      underlay: '10.90.0.2',
      ready: false,
      processes: [{ kind: 'agent', pid: null, running: false, log: '/run/causeway-lab/t/h2/log/agent.log' }],
    },
  ],
};

/** Records all calls. The labs are "t" and "u"; "u" is incomplete and cannot be opened. */
class RecordingLabs implements Labs {
  readonly asked: string[] = [];
  up: Labs['up'] = async (plan, progress) => {
    const cooldown = plan.cooldown === undefined ? '' : ` ${plan.cooldown}`;
    this.asked.push(`up ${plan.name} ${plan.hosts.length} ${plan.mtu} ${plan.subnet}${cooldown}`);
    progress('1/2 hosts ready');
    return new RecordingLab(plan.name, this.asked);
  };
  open: Labs['open'] = async (name) => {
    if (name === 'u') throw new CausewayError('lab-unknown', 'it is only half there');
    return new RecordingLab(name, this.asked);
  };
  down: Labs['down'] = async (name) => {
    this.asked.push(`down ${name}`);
    if (name !== 't' && name !== 'u') throw new CausewayError('lab-unknown', `there is no lab "${name}"`);
  };
  names: Labs['names'] = async () => ['t', 'u'];
  enroll: Labs['enroll'] = async () => undefined;
}

class RecordingLab implements LabControl {
  readonly #name: string;
  readonly #asked: string[];

  constructor(name: string, asked: string[]) {
    this.#name = name;
    this.#asked = asked;
  }

  status: LabControl['status'] = async () => standing;
  exec: LabControl['exec'] = async (host, command) => {
    this.#asked.push(`exec ${this.#name} ${host} ${JSON.stringify(command)}`);
    return 42;
  };
  kill: LabControl['kill'] = async (...all) => this.#note('kill', all);
  startProcess: LabControl['startProcess'] = async (...all) => this.#note('start', all);
  wipe: LabControl['wipe'] = async (...all) => this.#note('wipe', all);
  cut: LabControl['cut'] = async ({ a, b, oneWay }) => this.#note('cut', [a, ...(oneWay ? ['to'] : []), b ?? 'all']);
  heal: LabControl['heal'] = async (...hosts) => this.#note('heal', hosts);
  slow: LabControl['slow'] = async (host, { delay, loss, dropAbove }) => {
    this.#note('slow', [host, `${delay}`, `${loss}`, `${dropAbove}`]);
  };

  #note(verb: string, words: readonly (string | undefined)[]): void {
    this.#asked.push([verb, this.#name, ...words.filter((word) => word !== undefined)].join(' '));
  }
}

async function lab(line: string) {
  const labs = new RecordingLabs();
  return { ...(await runLine(`lab ${line}`, { more: [labCommand(labs)] })), asked: labs.asked };
}

const asked: readonly [string, readonly string[]][] = [
  ['up', ['up lab 3 1500 10.90.0.0/16']],
  ['up --name t --hosts 2 --managers 1 --mtu 9000 --subnet fd90::/64', ['up t 2 9000 fd90::/64']],
  ['up --cooldown 5s', ['up lab 3 1500 10.90.0.0/16 5000']],
  ['kill h2 agent', ['kill lab h2 agent KILL']],
  ['kill --name t h1 manager --signal TERM', ['kill t h1 manager TERM']],
  ['start --name t h1 etcd', ['start t h1 etcd']],
  ['cut h1 h2', ['cut lab h1 h2']],
  ['cut h1', ['cut lab h1 all']],
  ['cut h1 h2 --one-way', ['cut lab h1 to h2']],
  ['cut --name t h1 --one-way', ['cut t h1 to all']],
  ['heal --name t h1 h2', ['heal t h1 h2']],
  ['heal h1', ['heal lab h1']],
  ['wipe h3 manager', ['wipe lab h3 manager']],
  ['heal', ['heal lab']],
  ['slow h2 --delay 20ms --loss 5', ['slow lab h2 20 5 0']],
  ['slow h2 --loss 0.25', ['slow lab h2 0 0.25 0']],
  ['slow h2 --drop-above 1400', ['slow lab h2 0 0 1400']],
  ['slow h2', ['slow lab h2 0 0 0']],
  ['down --name t', ['down t']],
  ['down --all', ['down t', 'down u']],
];
test.each(asked)('lab %s', async (line, expected) => {
  const outcome = await lab(line);
  expect(outcome.asked).toEqual(expected);
  expect(outcome.code).toBe(0);
});

const execs: readonly [string, string][] = [
  ['exec h1 -- causeway network list -o json', '["causeway","network","list","-o","json"]'],
  ['exec --name lab h1 -- sh -c exit --name x', '["sh","-c","exit","--name","x"]'],
  ['exec h1 ip -br link', '["ip","-br","link"]'],
];
test.each(execs)('lab %s: options after the host are the command’s, and so is the exit status', async (line, words) => {
  const outcome = await lab(line);
  expect(outcome.asked).toEqual([`exec lab h1 ${words}`]);
  expect(outcome.code).toBe(42);
  expect(outcome.stdout).toBe('');
});

test('lab status -o json is the contract', async () => {
  expect(JSON.parse((await lab('status --name t -o json')).stdout)).toEqual(standing);
});

test('lab status as a table', async () => {
  expect((await lab('status --name t')).stdout).toBe(
    'HOST  UNDERLAY   READY  PROCESSES\nh1    10.90.0.1  yes    agent 7\nh2    10.90.0.2  no     agent down\n',
  );
});

test('lab status shows cuts, delays and losses when there are any', async () => {
  const [first, second] = standing.hosts as [HostStatus, HostStatus];
  const broken = {
    ...standing,
    hosts: [{ ...first, cut: ['h2'], unheardBy: ['h3'], slow: { delayMs: 20, loss: 5, dropAbove: 1400 } }, second],
  };
  expect(statusAnswer(broken).table).toMatchObject({
    columns: [{}, {}, {}, {}, { title: 'FAULTS' }, {}],
    rows: [
      [
        'h1',
        '10.90.0.1',
        {},
        'agent 7',
        'cut from h2; one-way cut to h3; 20 ms delay, 5 % loss, nothing above 1400 bytes',
        expect.any(String),
      ],
      ['h2', '10.90.0.2', {}, 'agent down', '', expect.any(String)],
    ],
  });
});

test('progress of lab up goes to stderr', async () => {
  expect((await lab('up --name t')).stderr).toBe('lab t: 1/2 hosts ready\n');
});

test.each([
  ['down --name gone', 3],
  ['up --hosts 0', 2],
  ['up --subnet 10.90.0.0/30', 2],
  ['up --hosts x', 2],
  ['up --cooldown 5', 2],
  ['down --all --name t', 2],
  ['kill h1 database', 2],
  ['kill h1 agent --signal 9', 2],
  ['exec h1', 2],
  ['cut', 2],
  ['wipe h1', 2],
  ['slow h1 --drop-above 100', 2],
  ['slow h1 --drop-above x', 2],
  ['slow h1 --loss 101', 2],
  ['slow h1 --loss -1', 2],
  ['slow h1 --delay 20', 2],
  ['slow h1 --delay 1m', 2],
])('lab %s exits %i', async (line, code) => {
  expect((await lab(line)).code).toBe(code);
});

test.each([
  ['hello', /--subnet: "hello" is not a prefix/],
  ['10.90.0.1/16', /--subnet: .*did you mean 10\.90\.0\.0\/16/],
])('lab up refuses the subnet %s', async (subnet, message) => {
  const { code, stderr, asked } = await lab(`up --subnet ${subnet}`);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(asked).toEqual([]);
});

test('the labs of this machine, whole or not', async () => {
  const { stdout, code } = await lab('list');
  expect(stdout).toBe('NAME  HOSTS  READY  PROCESSES\nt     2      1/2    1\nu     -      -      -\n');
  expect(code).toBe(0);
  expect(JSON.parse((await lab('ls -o json')).stdout)).toEqual([
    { name: 't', hosts: 2, ready: 1, running: 1 },
    { name: 'u', hosts: null, ready: null, running: null },
  ]);
  expect((await lab('list -q')).stdout).toBe('t\nu\n');
});

test('names of labs and hosts can be completed', async () => {
  const complete = async (...words: string[]): Promise<string> => {
    const { stdout } = await runLine(['__complete', '--', 'lab', ...words], {
      more: [labCommand(new RecordingLabs())],
    });
    return stdout.replaceAll(/\t.*\n/g, ' ').trim();
  };
  expect(await complete('down', '--name', '')).toBe('t u');
  expect(await complete('kill', '--name', 't', '')).toBe('h1 h2');
  expect(await complete('kill', '')).toBe('h1 h2');
  expect(await complete('kill', 'h1', '')).toContain('agent');
  expect(await complete('cut', 'h1', '')).toBe('h1 h2');
  expect(await complete('kill', '--name', 'u', '')).toBe('');
});
