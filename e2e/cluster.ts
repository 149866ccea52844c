import { type Lab, signalChild } from '@causeway/lab/io';
import { expect } from 'vitest';
import type { EndpointJson, EventJson, NetworkJson } from './answers.ts';
import { eventually } from './eventually.ts';

/** An endpoint with the container's namespace it lives in. */
export interface Container {
  readonly host: string;
  readonly netns: string;
  readonly endpoint: EndpointJson;
}

export async function createNetwork(lab: Lab, name: string, ...subnets: readonly string[]): Promise<NetworkJson> {
  const options = subnets.flatMap((subnet) => ['--subnet', subnet]);
  return lab.json<NetworkJson>('h1', 'network', 'create', name, ...options);
}

/** A fresh namespace of the endpoint's name, attached; every ready host of the network has it when this resolves. */
export function attach(lab: Lab, network: string, host: string, name: string): Promise<Container> {
  return attachWith(lab, network, host, name, ['--wait', 'applied']);
}

/** The same with options of one's own, and not waiting for other hosts. */
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

/** Every container reaches every other over every family, each with `count` pings that all come back. */
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

/** A dense flow from one container to another and back: 500 packets a second, the most at which ping(8) keeps its own pace. */
export interface Traffic {
  /** Packets so far. */
  sent(): Promise<number>;
  /** Ends it when every packet has come back; resolves to how many. Fails when one is lost. */
  end(): Promise<number>;
}

/** Resolves when it flows. */
export async function traffic(lab: Lab, from: Container, to: Container): Promise<Traffic> {
  // Until ping has a handler for it, SIGQUIT would end what is to become ping.
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
      // ping(8) then tells its counts and goes on.
      await signalChild(run.child.pid, 'SIGQUIT');
      const told = /(\d+)\/(\d+) packets,/.exec(said.slice(before));
      if (told === null) throw new Error(`ping said: ${said}`);
      return told;
    });
    return { sent: Number(sent), received: Number(received) };
  };
  await eventually(async () => expect((await count()).received).toBeGreaterThan(0));
  return {
    sent: async () => (await count()).sent,
    end: async () => {
      const { sent } = await eventually(async () => {
        const counted = await count();
        // Those that are on their way come; one that is lost is missing each time.
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
  /** So far. */
  told(): readonly EventJson[];
  end(): Promise<void>;
}

/** A watch of all events. */
export async function watchEvents(lab: Lab, host: string): Promise<EventWatch> {
  const run = await lab.start(host, ['causeway', 'events', '--watch', '-o', 'json']);
  let said = '';
  run.child.stdout?.on('data', (text: string) => {
    said += text;
  });
  return {
    told: () => {
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
