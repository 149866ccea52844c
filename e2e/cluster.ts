import { signalChild } from '@causeway/ctl/lab';
import type { EndpointJson, EventJson, NetworkJson } from './answers.ts';
import type { Lab } from './topology.ts';

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

export interface Traffic {
  readonly sent: number;
  readonly received: number;
  /** Packets a second. */
  readonly rate: number;
}

/** A dense flow from one container to another and back, at least 2,000 packets a second, until the answer is called. */
export async function traffic(lab: Lab, from: Container, to: Container): Promise<() => Promise<Traffic>> {
  const command = ['ping', '-n', '-q', '-i', '0.0005', '-W', '5', ips(to)[0] ?? ''];
  const run = await lab.start(from.host, ['ip', 'netns', 'exec', from.netns, ...command]);
  return async () => {
    await signalChild(run.child.pid, 'SIGINT');
    const { stdout, stderr } = await run.outcome;
    const match = /(\d+) packets transmitted, (\d+) received.* time (\d+)ms/.exec(stdout);
    if (match === null) throw new Error(`ping said:\n${stdout}${stderr}`);
    const [sent = 0, received = 0, time = 1] = match.slice(1).map(Number);
    return { sent, received, rate: (sent / time) * 1000 };
  };
}

/** A watch of all events, until the answer is called: it gives what was told by then. */
export async function watchEvents(lab: Lab, host: string): Promise<() => Promise<readonly EventJson[]>> {
  const run = await lab.start(host, ['causeway', 'events', '--watch', '-o', 'json']);
  return async () => {
    await signalChild(run.child.pid, 'SIGINT');
    const { stdout } = await run.outcome;
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EventJson);
  };
}

/** All events that are kept, oldest first. */
export async function events(lab: Lab): Promise<readonly EventJson[]> {
  return lab.json<readonly EventJson[]>('h1', 'events');
}
