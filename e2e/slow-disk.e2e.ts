import { Lab, type Run, start } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, StatusJson } from './answers.ts';
import { createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

/**
 * Delay of each fsync, µs: more than the limit for slow (100 ms on average), less than what ends a leader's term (500
 * ms).
 */
const delay = 150_000;
const patience = 60_000;

describeLab('an etcd member whose disk is slow', () => {
  let lab: Lab;
  let claims = 0;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'slow-disk', hosts: 3, managers: 3, subnet: '10.99.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
  });
  afterAll(() => lab?.down());

  const status = (): Promise<StatusJson> => lab.json<StatusJson>('h1', 'status');
  const alarmsOf = async (name: string): Promise<readonly string[]> =>
    (await status()).etcd.members.find((member) => member.name === name)?.alarms ?? [];
  const claim = (): Promise<EndpointJson> => {
    const name = `c${claims++}`;
    return lab
      .run('h1', 'ip', 'netns', 'add', name)
      .then(() => lab.json('h1', 'endpoint', 'attach', 'blue', '--name', name, '--netns', `/run/netns/${name}`));
  };

  /** Delays every fsync of the member until the run is ended. */
  async function slowDown(host: string): Promise<Run> {
    const { hosts } = await lab.status();
    const etcd = hosts.find(({ name }) => name === host)?.processes.find(({ kind }) => kind === 'etcd');
    const inject = `inject=fsync,fdatasync:delay_exit=${delay}`;
    const run = start('strace', [
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=fsync,fdatasync',
      '-e',
      inject,
      '-p',
      `${etcd?.pid}`,
    ]);
    await new Promise<void>((resolve) => {
      run.child.stderr?.on('data', (text: string) => {
        if (text.includes('attached')) resolve();
      });
    });
    return run;
  }

  test.each([
    ['one that follows', false],
    ['the one that leads', true],
  ])('%s: claims go on, and status says which', async (_, leading) => {
    const { members } = (await status()).etcd;
    const slow = members.find(({ leader }) => leader === leading)?.name ?? '';
    await eventually(async () => expect(await alarmsOf(slow)).toEqual([]), patience);
    const strace = await slowDown(slow);
    try {
      // Each round makes fsyncs: the alarm depends on the fsyncs between two checks.
      await eventually(async () => {
        await claim();
        expect(await alarmsOf(slow)).toEqual(['SLOW-DISK']);
      }, patience);
      const others = (await status()).etcd.members.filter(({ name }) => name !== slow);
      expect(others.flatMap(({ alarms }) => alarms)).toEqual([]);
    } finally {
      strace.child.kill('SIGINT');
      await strace.outcome;
    }
    await eventually(async () => {
      await claim();
      expect(await alarmsOf(slow)).toEqual([]);
    }, patience);
  });
}, ['strace']);
