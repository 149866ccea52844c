import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentStatus } from './agent-api.ts';
import type { EndpointJson, NetworkJson } from './answers.ts';
import { attach, attachWith, type Container, createNetwork, expectAllPing, ips, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { OverlayMonitor } from './monitor.ts';
import { expectedPeers, overlayOf, peersOn } from './overlay.ts';
import { describeLab } from './requirements.ts';

describeLab('an agent killed', () => {
  let lab: Lab;
  let blue: NetworkJson;
  let a: Container;
  let c: Container;
  let d: Container;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'agent-death', hosts: 3, managers: 1, subnet: '10.93.0.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    a = await attach(lab, 'blue', 'h1', 'a');
    c = await attach(lab, 'blue', 'h2', 'c');
    d = await attach(lab, 'blue', 'h3', 'd');
    // The kernel reports link-local addresses again when duplicate detection ends, a second after the link is made.
    await eventually(async () => {
      expect(await lab.run('h1', 'ip', '-n', overlayOf(blue), '-o', 'addr', 'show', 'tentative')).toBe('');
    });
  });
  afterAll(() => lab?.down());

  const ready = (host: string): Promise<void> =>
    eventually(async () => expect(await lab.isReady(host), `${host} is ready`).toBe(true));

  test('and started again under 500 packets a second loses none, and writes nothing to the kernel', async () => {
    const flows = [await traffic(lab, a, c), await traffic(lab, d, a)];
    const monitor = await OverlayMonitor.start(lab, 'h1', blue);
    await lab.kill('h1', 'agent');
    const before = await Promise.all(flows.map((flow) => flow.sent()));
    await lab.startProcess('h1', 'agent');
    await ready('h1');
    // Wait until the agent has every network as the manager has it: anything there was to write has been written by then.
    await eventually(async () => {
      const status = await agentStatus(lab, 'h1');
      expect(status.networks.map((network) => [network.network, network.endpoints])).toEqual([['blue', 3]]);
      expect(status.networks[0]?.applied).toBe(status.networks[0]?.revision);
    });
    expect((await agentStatus(lab, 'h1')).kernelWrites).toBe(0n);
    // After the count, because reading the monitor to its end makes foreign entries, which the agent removes.
    expect(await monitor.lines()).toEqual([]);
    await monitor.stop();
    for (const [i, flow] of flows.entries()) {
      // Send enough packets after the kill for a gap to show, however long this takes.
      await eventually(async () => expect(await flow.sent()).toBeGreaterThan((before[i] ?? 0) + 500));
      await flow.end();
    }
  });

  test('and started again makes only the changes it missed', async () => {
    await lab.kill('h1', 'agent');
    const e = await attachWith(lab, 'blue', 'h2', 'e', []);
    await lab.run('h3', 'causeway', 'endpoint', 'detach', 'd');
    const monitor = await OverlayMonitor.start(lab, 'h1', blue);
    await lab.startProcess('h1', 'agent');
    await ready('h1');
    await eventually(async () => expect(await peersOn(lab, blue, 'h1')).toEqual(expectedPeers(lab, [a, c, e], 'h1')));
    const { kernelWrites } = await agentStatus(lab, 'h1');
    const output = await monitor.lines();
    await monitor.stop();
    const added = [e.endpoint.mac, ...ips(e)];
    const removed = [d.endpoint.mac, ...ips(d)];
    for (const line of output) {
      expect(line, 'a change that was not missed').toMatch(new RegExp(`(${[...added, ...removed].join('|')})\\b`));
    }
    expect(output.filter((line) => line.startsWith(added[0] ?? ''))).toHaveLength(1);
    expect(output.filter((line) => line.startsWith(`Deleted ${removed[0]}`))).toHaveLength(1);
    expect(kernelWrites).toBe(BigInt(added.length + removed.length));
    await expectAllPing(lab, [a, c, e], 1);
    const shown = await lab.json<EndpointJson>('h1', 'endpoint', 'show', 'e');
    expect(shown.applied).toMatchObject({ have: 2, want: 2, waiting: [], unreachable: [] });
  });
});
