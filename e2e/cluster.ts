import { type Lab, signalChild } from '@causeway/lab/io';
import { expect } from 'vitest';
import type { EndpointJson, EventJson, NetworkJson } from './answers.ts';
import { eventually } from './eventually.ts';

/** An endpoint and the namespace of its container. */
export interface Container {
  readonly host: string;
  readonly netns: string;
  readonly endpoint: EndpointJson;
}

export async function createNetwork(lab: Lab, name: string, ...subnets: readonly string[]): Promise<NetworkJson> {
  const options = subnets.flatMap((subnet) => ['--subnet', subnet]);
  return lab.json<NetworkJson>('h1', 'network', 'create', name, ...options);
}

/**
 * Makes a namespace with the endpoint's name and attaches it. Resolves when every ready host of the network has the
 * endpoint.
 */
export function attach(lab: Lab, network: string, host: string, name: string): Promise<Container> {
  return attachWith(lab, network, host, name, ['--wait', 'applied']);
}

/** The same with other options, and without waiting for other hosts. */
export async function attachWith(
  lab: Lab,
  network: string,
  host: string,
  name: string,
  options: readonly string[],
): Promise<Container> {
  await lab.run(host, 'ip', 'netns', 'add', name);
  const where = ['--name', name, '--netns', `/run/netns/${name}`];
  const endpoint = await lab.json<EndpointJson>(host, 'endpoint', 'attach', network, ...where, ...options);
  return { host, netns: name, endpoint };
}

/** "10.66.0.9" and "fd66::9" of "10.66.0.9/16" and "fd66::9/64". */
export function ips(container: Container): readonly string[] {
  return container.endpoint.addresses.map((address) => address.replace(/\/.*/, ''));
}

/** Every container must reach every other over every family, with `count` pings that are all answered. */
export async function expectAllPing(lab: Lab, containers: readonly Container[], count = 2): Promise<void> {
  const pings = containers.flatMap((from) =>
    containers.filter((to) => to !== from).flatMap((to) => ips(to).map((ip) => ping(lab, from, ip, count))),
  );
  await Promise.all(pings);
}

export async function ping(lab: Lab, from: Container, ip: string, count: number): Promise<void> {
  await inContainer(lab, from, 'ping', '-n', '-q', '-c', `${count}`, '-i', '0.05', '-W', '2', ip);
}

export async function inContainer(lab: Lab, at: Container, ...command: readonly string[]): Promise<string> {
  return lab.run(at.host, 'ip', 'netns', 'exec', at.netns, ...command);
}

/** A flow from one container to another and back: 500 packets a second, the most at which ping(8) keeps its own pace. */
export interface Traffic {
  /** Number of packets sent so far. */
  sent(): Promise<number>;
  /** Ends the flow when every packet has been answered, and resolves to their number. Fails if a packet is lost. */
  end(): Promise<number>;
}

/** Resolves when packets flow. */
export async function traffic(lab: Lab, from: Container, to: Container): Promise<Traffic> {
  // The shell ignores SIGQUIT until ping has its own handler: otherwise an early SIGQUIT would end the process.
  const script = `trap '' QUIT; echo on; exec ping -n -q -i 0.002 ${ips(to)[0]}`;
  const run = await lab.start(from.host, ['ip', 'netns', 'exec', from.netns, 'sh', '-c', script]);
  await new Promise((resolve) => run.child.stdout?.once('data', resolve));
  let said = '';
  run.child.stderr?.on('data', (text: string) => {
    said += text;
  });
  const count = async (): Promise<{ readonly sent: number; readonly received: number }> => {
    const before = said.length;
    const [, received, sent] = await eventually(async () => {
      // On SIGQUIT ping(8) prints its counts and continues.
      await signalChild(run.child.pid, 'SIGQUIT');
      const match = /(\d+)\/(\d+) packets,/.exec(said.slice(before));
      if (match === null) throw new Error(`ping said: ${said}`);
      return match;
    });
    return { sent: Number(sent), received: Number(received) };
  };
  await eventually(async () => expect((await count()).received).toBeGreaterThan(0));
  return {
    sent: async () => (await count()).sent,
    end: async () => {
      const { sent } = await eventually(async () => {
        const counted = await count();
        // Packets under way will arrive; a lost packet is missing in every count.
        expect(counted).toEqual({ sent: counted.sent, received: counted.sent });
        return counted;
      });
      await signalChild(run.child.pid, 'SIGINT');
      await run.outcome;
      return sent;
    },
  };
}

export interface EventWatch {
  /** The events so far. */
  events(): readonly EventJson[];
  end(): Promise<void>;
}

/** Watches all events. */
export async function watchEvents(lab: Lab, host: string): Promise<EventWatch> {
  const run = await lab.start(host, ['causeway', 'events', '--watch', '-o', 'json']);
  let said = '';
  run.child.stdout?.on('data', (text: string) => {
    said += text;
  });
  return {
    events: () => {
      const lines = said.split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line) as EventJson);
    },
    end: async () => {
      await signalChild(run.child.pid, 'SIGINT');
      await run.outcome;
    },
  };
}

/** All events that are kept, oldest first. */
export async function events(lab: Lab): Promise<readonly EventJson[]> {
  return lab.json<readonly EventJson[]>('h1', 'events');
}
