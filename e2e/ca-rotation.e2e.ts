import { readFile } from 'node:fs/promises';
import { Lab, type Outcome } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusJson } from './answers.ts';
import { attach, type Container, createNetwork, type Traffic, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

/** ms. Members ask every minute which roots are trusted, twice in a rotation; then three etcds are restarted in turn. */
const rotation = 300_000;
const patience = 60_000;

interface CaJson {
  readonly generation: number;
  readonly rotating: boolean;
  readonly roots: readonly { readonly fingerprint: string }[];
}

interface ProgressJson {
  readonly waiting: readonly string[];
  readonly done: boolean;
}

describeLab('the CA of three managers and two more hosts is replaced by one command', () => {
  let lab: Lab;
  let containers: readonly Container[];
  let flow: Traffic;

  beforeAll(async () => {
    lab = await Lab.replace({
      name: 'ca-rotation',
      hosts: 5,
      managers: 3,
      etcd: 'embedded',
      subnet: '10.98.0.0/24',
    });
    await createNetwork(lab, 'blue', '10.67.0.0/16');
    containers = await Promise.all([attach(lab, 'blue', 'h4', 'c4'), attach(lab, 'blue', 'h5', 'c5')]);
    const [from, to] = containers as [Container, Container];
    flow = await traffic(lab, from, to);
  });
  afterAll(() => lab?.down());

  const ca = (): Promise<CaJson> => lab.json<CaJson>('h4', 'ca', 'show');
  const status = (): Promise<StatusJson> => lab.json<StatusJson>('h4', 'status');
  const leader = async (): Promise<string> => {
    const node = (await status()).leader?.node;
    if (node === undefined) throw new Error('no manager leads');
    return node;
  };
  const progressOf = ({ stdout }: Outcome): readonly ProgressJson[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ProgressJson);
  /** The roots that each manager's running etcd has read. */
  const trusted = (): Promise<readonly string[]> =>
    Promise.all(['h1', 'h2', 'h3'].map((host) => lab.run(host, 'cat', '/var/lib/causeway/manager/etcd.trust')));
  const rotate = (): Promise<Outcome> => lab.try('h4', 'causeway', 'ca', 'rotate', '-o', 'json', '--timeout', '60s');

  test(
    'without a hand: no packet is lost, and no etcd trusts the former CA',
    async () => {
      const [before] = (await ca()).roots;
      const { code, stderr, ...outcome } = await rotate();
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const progress = progressOf({ code, stderr, ...outcome });
      expect(progress.at(-1)).toMatchObject({ done: true, waiting: [] });
      const restarted = progress.flatMap(({ waiting }) => waiting).filter((each) => each.startsWith('etcd of '));
      expect(new Set(restarted)).toEqual(new Set(['etcd of h1', 'etcd of h2', 'etcd of h3']));
      const after = await ca();
      expect(after).toMatchObject({ generation: 2, rotating: false });
      expect(after.roots[0]?.fingerprint).not.toBe(before?.fingerprint);
      expect(new Set(await trusted())).toEqual(new Set([after.roots[0]?.fingerprint]));
      for (const host of ['h4', 'h5']) {
        const log = await readFile(lab.logPath(host, 'agent'), 'utf8');
        expect(log).toContain('"session.renewed"');
        expect(log).not.toContain('"session.ended"');
      }
    },
    rotation,
  );

  test(
    'also when the leader is killed in the middle',
    async () => {
      const rotating = rotate();
      await eventually(async () => expect((await ca()).rotating).toBe(true), patience);
      const dead = await leader();
      await lab.kill(dead, 'manager');
      await eventually(async () => expect(await leader()).not.toBe(dead), patience);
      await lab.startProcess(dead, 'manager');
      const outcome = await rotating;
      expect(outcome).toMatchObject({ code: 0 });
      const after = await ca();
      expect(after).toMatchObject({ generation: 3, rotating: false });
      expect(new Set(await trusted())).toEqual(new Set([after.roots[0]?.fingerprint]));
    },
    rotation,
  );

  test(
    'no packet between containers was lost meanwhile',
    async () => {
      expect(await flow.end()).toBeGreaterThan(10_000);
    },
    patience,
  );
});
