import type { EndpointJson, NetworkJson } from './answers.ts';
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

/** A fresh namespace of the endpoint's name, attached; every host of the network has it when this resolves. */
export async function attach(
  lab: Lab,
  network: string,
  host: string,
  name: string,
  ...options: readonly string[]
): Promise<Container> {
  await lab.run(host, 'ip', 'netns', 'add', name);
  const where = ['--name', name, '--netns', `/run/netns/${name}`];
  const wait = ['--wait', 'applied', '--timeout', '10s'];
  const endpoint = await lab.json<EndpointJson>(host, 'endpoint', 'attach', network, ...where, ...wait, ...options);
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

/** `count` packets from one container to another, as fast as 2,000 a second where the machine keeps up; answers when over. */
export async function traffic(
  lab: Lab,
  from: Container,
  to: Container,
  count: number,
): Promise<() => Promise<Traffic>> {
  const ip = ips(to)[0] ?? '';
  const command = ['ping', '-n', '-q', '-f', '-i', '0.0005', '-c', `${count}`, '-W', '5', ip];
  const run = await lab.start(from.host, ['ip', 'netns', 'exec', from.netns, ...command]);
  return async () => {
    const { stdout, stderr } = await run.outcome;
    const match = /(\d+) packets transmitted, (\d+) received.* time (\d+)ms/.exec(stdout);
    if (match === null) throw new Error(`ping said:\n${stdout}${stderr}`);
    const [sent, received, time] = match.slice(1).map(Number);
    return { sent: sent ?? 0, received: received ?? 0, rate: ((sent ?? 0) / (time ?? 1)) * 1000 };
  };
}
