import type { Answer, Stage } from './stage.ts';

const network = 'blue';
const subnets = ['10.66.0.0/16', 'fd66::/64'];

interface Container {
  readonly name: string;
  readonly host: string;
  /** Without prefix lengths; IPv4 first. */
  readonly addresses: readonly string[];
}

/**
 * Makes a network on all hosts and a container on each, pings between all of them, and lists them. Throws if a step
 * fails.
 */
export async function tellStory(stage: Stage, say: (line: string) => void): Promise<void> {
  const [first = 'h1'] = stage.hosts;

  say('\n1. A network with an IPv4 and an IPv6 subnet');
  const create = `causeway network create ${network} ${subnets.map((subnet) => `--subnet ${subnet}`).join(' ')}`;
  say(prompt(first, create));
  const created = await must(stage, first, `${create} -o json`);
  const { id, vni, mtu } = JSON.parse(created.stdout) as { id: string; vni: number; mtu: number };
  say(`  ${network}: VNI ${vni}, MTU ${mtu}`);

  say('\n2. A container (a network namespace) on each host, attached to it');
  const containers: Container[] = [];
  for (const host of stage.hosts) containers.push(await attach(stage, host, say));

  say('\n3. Pings between all of them');
  for (const [i, family] of ['IPv4', 'IPv6'].entries()) {
    say(`  ${family.padEnd(6)}${containers.map(({ name }) => name.padStart(5)).join('')}`);
    for (const from of containers) {
      const others = containers.map((to) => (to === from ? undefined : ping(stage, from, to.addresses[i] ?? '')));
      const echoes = await Promise.all(others);
      say(`  ${from.name.padEnd(6)}${echoes.map(verdict).join('')}`);
      if (echoes.includes(false)) throw new Error(`a ping from ${from.name} on ${from.host} was lost`);
    }
  }

  say('\n4. Who has what: every endpoint is programmed on every host of its network');
  await show(stage, first, 'causeway endpoint list', say);

  say(`\n5. What the kernel of ${first} holds: a tunnel entry and neighbours for each endpoint elsewhere, and no more`);
  const netns = `cw-${id.slice(0, 10)}`;
  await show(stage, first, `bridge -n ${netns} fdb show dev vxlan0`, say);
  await show(stage, first, `ip -n ${netns} neigh show dev vxlan0`, say);

  say("\n6. Every host's kernel, compared with what it should be");
  await show(stage, first, 'causeway verify', say);
}

async function attach(stage: Stage, host: string, say: (line: string) => void): Promise<Container> {
  const name = host.replace('h', 'c');
  await must(stage, host, `ip netns add ${name}`);
  const command = `causeway endpoint attach ${network} --name ${name} --netns /run/netns/${name}`;
  say(prompt(host, command));
  const attached = await must(stage, host, `${command} --wait applied -o json`);
  const { addresses } = JSON.parse(attached.stdout) as { addresses: string[] };
  say(`  ${name}: ${addresses.join(', ')}`);
  return { name, host, addresses: addresses.map((address) => address.slice(0, address.indexOf('/'))) };
}

function verdict(echoed: boolean | undefined): string {
  return (echoed === undefined ? '·' : echoed ? 'ok' : 'LOST').padStart(5);
}

async function ping(stage: Stage, from: Container, to: string): Promise<boolean> {
  return (await stage.exec(from.host, `ip netns exec ${from.name} ping -c 1 -W 2 ${to}`)).code === 0;
}

async function show(stage: Stage, host: string, command: string, say: (line: string) => void): Promise<void> {
  say(prompt(host, command));
  const { stdout, stderr } = await must(stage, host, command);
  say(`${stdout}${stderr}`.trimEnd().replaceAll(/^/gm, '  '));
}

async function must(stage: Stage, host: string, command: string): Promise<Answer> {
  const answer = await stage.exec(host, command);
  if (answer.code !== 0) throw new Error(`on ${host}, "${command}" ended with ${answer.code}: ${answer.stderr}`);
  return answer;
}

function prompt(host: string, command: string): string {
  return `${host} $ ${command}`;
}
