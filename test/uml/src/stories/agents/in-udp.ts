import { type Container, pingContainer } from '../../guest/containers.ts';
import { espPort, natCommands } from '../../guest/nat.ts';
import { type Answered, pingWhile } from '../../guest/ping-while.ts';
import { until } from '../../guest/until.ts';
import { isUdp, onWire } from '../../guest/wire.ts';
import { pingAll, reachable, sasOf, type VaultScene } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

/** While agents are killed, and start again. `pings`: by pair of containers. */
interface Ways extends Frames {
  readonly pings: readonly Answered[];
  /** Frames of ESP in UDP. */
  readonly inUdp: number;
}

export interface InUdp {
  /** h2's agent starts again with `--encap always`, while containers ping each other. `ports`: with which h1 sends to h2. */
  readonly always: { readonly pings: readonly Answered[]; readonly ports: readonly string[] };
  /** The agents of both h1 and h2 are killed. */
  readonly alwaysWithoutAgents: Ways;
  /** A NAT that gives h3 another address and port is put before h3, whose agent starts again. `ports`: with which h1 sends to h3. */
  readonly behindNat: Ways & { readonly ports: readonly string[] };
  /** The agents of both h1 and h3 are killed. */
  readonly behindNatWithoutAgents: Ways;
}

/** Each follows from the one before. */
export const inUdp: { readonly [Name in keyof InUdp]: (scene: VaultScene) => Promise<InUdp[Name]> } = {
  always,
  alwaysWithoutAgents,
  behindNat,
  behindNatWithoutAgents,
};

const encap = ['--encap', 'always'];
/** The port that the NAT before h3 gives to what h3 sends from port 4500. */
const outerPort = 61_000;

function outerAddress({ lab }: VaultScene): string {
  return lab.underlay('h3').replace(/\d+$/, '103');
}

/** Ports of the SAs with which a host sends to an address: none for plain ESP. */
async function portsTo(scene: VaultScene, host: string, dst: string): Promise<readonly string[]> {
  const sent = (await sasOf(scene, host)).filter((sa) => sa.dst === dst);
  return [...new Set(sent.map(({ ports = 'none' }) => ports))];
}

/** Pings h1 from the container until that is all with which h1 sends to the address: only packets show the port of a NAT. */
async function untilPorts(
  scene: VaultScene,
  { from, dst, ports }: { readonly from: Container; readonly dst: string; readonly ports: string },
): Promise<readonly string[]> {
  const isSo = async (): Promise<boolean> => {
    await pingContainer(scene.lab, from, scene.vault.containers[0], '-c', '1');
    return (await portsTo(scene, 'h1', dst)).join() === ports;
  };
  await until(`h1 sends to ${dst} with ${ports}`, isSo, 60_000);
  return portsTo(scene, 'h1', dst);
}

async function restart({ lab }: VaultScene, host: string, ...options: readonly string[]): Promise<void> {
  await lab.kill(host, 'agent');
  await lab.startProcess(host, 'agent', ...options);
}

async function always(scene: VaultScene): Promise<InUdp['always']> {
  const { lab, vault } = scene;
  const [a, b, c] = vault.containers;
  const around = [
    [a, b],
    [b, c],
    [c, a],
  ] as const;
  const { result: ports, pings } = await pingWhile(lab, around, async () => {
    await restart(scene, 'h2', ...encap);
    return untilPorts(scene, { from: b, dst: lab.underlay('h2'), ports: `${espPort}>${espPort}` });
  });
  return { pings, ports };
}

function alwaysWithoutAgents(scene: VaultScene): Promise<Ways> {
  return withoutAgents(scene, { h1: [], h2: encap });
}

async function behindNat(scene: VaultScene): Promise<InUdp['behindNat']> {
  const { lab, vault } = scene;
  const [, , c] = vault.containers;
  const [inner, outer] = [lab.underlay('h3'), outerAddress(scene)];
  const nat = { inner, outer, port: outerPort, device: 'h3', behind: 'host' } as const;
  for (const command of natCommands(nat)) await lab.run('switch', 'tc', ...command);
  const mac = (await lab.run('h3', 'cat', '/sys/class/net/eth0/address')).trim();
  for (const host of ['h1', 'h2'])
    await lab.run(host, 'ip', 'neigh', 'replace', outer, 'lladdr', mac, 'nud', 'permanent', 'dev', 'eth0');
  await restart(scene, 'h3', '--advertise', outer);
  const ports = await untilPorts(scene, { from: c, dst: outer, ports: `${espPort}>${outerPort}` });
  await reachable(scene);
  const { result, wire } = await onWire(lab, () => pingAll(lab, vault, '-c', '5', '-i', '0.05'));
  return { ports, pings: result, ...framesOf(wire), inUdp: wire.count((frame) => isUdp(frame, espPort)) };
}

function behindNatWithoutAgents(scene: VaultScene): Promise<Ways> {
  return withoutAgents(scene, { h1: [], h3: ['--advertise', outerAddress(scene)] });
}

/** The agents of these hosts are killed, and start again with these options; both ways between them. */
async function withoutAgents(
  { lab, vault }: VaultScene,
  hosts: Readonly<Record<string, readonly string[]>>,
): Promise<Ways> {
  const [one, other] = vault.containers.filter(({ host }) => host in hosts);
  if (one === undefined || other === undefined) throw new TypeError('two hosts');
  await Promise.all(Object.keys(hosts).map((host) => lab.kill(host, 'agent')));
  const many = ['-c', '100', '-i', '0.02'];
  const { result: pings, wire } = await onWire(
    lab,
    () => Promise.all([pingContainer(lab, one, other, ...many), pingContainer(lab, other, one, ...many)]),
    'esp or udp',
  );
  for (const [host, options] of Object.entries(hosts)) await lab.startProcess(host, 'agent', ...options);
  return { pings, ...framesOf(wire), inUdp: wire.count((frame) => isUdp(frame, espPort)) };
}
