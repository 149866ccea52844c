// Runs in a User-Mode Linux guest whose kernel has ESP: TCP between containers of an encrypted network, and between containers that
// a person has connected by hand with the same cipher.
import { randomBytes } from 'node:crypto';
import { Lab } from '@causeway/lab/io';
import {
  attachEverywhere,
  type Container,
  type Network,
  pingContainer,
  report,
  transfer,
  until,
} from '@causeway/uml/guest';
import { numbers } from '../work.ts';

/** MiB per second, in each round. */
export interface Throughput {
  readonly ours: readonly number[];
  readonly byHand: readonly number[];
  /** Without encryption. */
  readonly plain: readonly number[];
}

const rounds = 21;
const mebibytes = 24;

const hand = { netns: 'hand', container: 'handc', vni: 4242, port: 4794 };
type End = Pick<Container, 'host' | 'netns' | 'address' | 'mac'>;

const lab = await Lab.replace({ name: 'uml', hosts: 2, etcd: 'embedded', subnet: '10.96.0.0/24' });
const plain = await populate('plain', '10.71.0.0/24');
const vault = await populate('vault', '10.72.0.0/24', '--encrypt');
const made = await connectByHand(vault.network.mtu);

const results = { ours: [] as number[], byHand: [] as number[], plain: [] as number[] };
for (const ends of [vault.containers, made, plain.containers]) await reachEachOther(ends);
for (const _ of numbers(rounds)) {
  results.ours.push(await rate(vault.containers));
  results.byHand.push(await rate(made));
  results.plain.push(await rate(plain.containers));
}
report<Throughput>(results);
await lab.down();

async function populate(
  name: string,
  subnet: string,
  ...options: readonly string[]
): Promise<{ readonly network: Network; readonly containers: readonly Container[] }> {
  const network = await lab.json<Network>('h1', 'network', 'create', name, '--subnet', subnet, ...options);
  return { network, containers: await attachEverywhere(lab, network) };
}

async function reachEachOther([from, to]: readonly End[]): Promise<void> {
  if (from === undefined || to === undefined) throw new TypeError('two ends are needed');
  await until(`${from.netns} reaches ${to.address}`, async () => {
    return (await pingContainer(lab, from, to, '-c', '1')).received === 1;
  });
}

async function rate([from, to]: readonly End[]): Promise<number> {
  if (from === undefined || to === undefined) throw new TypeError('two ends are needed');
  const { bytes, ms } = await transfer(lab, from, to, mebibytes);
  if (bytes !== mebibytes * 2 ** 20) throw new Error(`${bytes} bytes arrived`);
  return mebibytes / (ms / 1000);
}

/** The same devices as in an overlay of ours: a container, a bridge, a tunnel, and SAs with the same cipher. */
async function connectByHand(mtu: number): Promise<readonly End[]> {
  const ends = lab.hosts.map((host, i): End & { readonly underlay: string } => ({
    host,
    underlay: lab.underlay(host),
    netns: hand.container,
    address: `10.73.0.${i + 1}`,
    mac: `02:00:00:00:01:0${i + 1}`,
  }));
  const [a, b] = ends;
  if (a === undefined || b === undefined) throw new TypeError('a lab with two hosts');
  const keys = new Map(ends.map(({ host }) => [host, `0x${randomBytes(20).toString('hex')}`]));
  for (const [here, there] of [
    [a, b],
    [b, a],
  ] as const) {
    const sa = (direction: 'in' | 'out', src: typeof a, dst: typeof a): string =>
      [
        `xfrm state add src ${src.underlay} dst ${dst.underlay} proto esp spi 0x${src === a ? 'aaaa' : 'bbbb'} reqid 77`,
        `mode transport replay-window ${direction === 'in' ? 256 : 0} flag esn`,
        `aead rfc4106(gcm(aes)) ${keys.get(src.host)} 128 sel src ${src.underlay} dst ${dst.underlay} dir ${direction}`,
      ].join(' ');
    const policy = (direction: 'in' | 'out', src: typeof a, dst: typeof a): string =>
      [
        `xfrm policy add src ${src.underlay}/32 dst ${dst.underlay}/32 proto udp dport ${hand.port} dir ${direction}`,
        `tmpl src ${src.underlay} dst ${dst.underlay} proto esp reqid 77 mode transport`,
      ].join(' ');
    const underlay = [
      `netns add ${hand.netns}`,
      `netns add ${hand.container}`,
      `link add vxlan0 netns ${hand.netns} type vxlan id ${hand.vni} dstport ${hand.port} local ${here.underlay} nolearning`,
      ...[sa('in', there, here), sa('out', here, there), policy('in', there, here), policy('out', here, there)],
    ];
    const overlay = [
      `link add v0 mtu ${mtu} type veth peer name eth0 address ${here.mac} mtu ${mtu} netns ${hand.container}`,
      `link add br0 mtu ${mtu} type bridge`,
      `link set vxlan0 mtu ${mtu} master br0 up`,
      'link set v0 master br0 up',
      'link set br0 up',
    ];
    const container = [
      'link set eth0 up',
      `addr add ${here.address}/24 dev eth0`,
      `neigh add ${there.address} lladdr ${there.mac} dev eth0 nud permanent`,
    ];
    await lab.feed(here.host, ['ip', '-batch', '-'], underlay.join('\n'));
    await lab.feed(here.host, ['ip', '-n', hand.netns, '-batch', '-'], overlay.join('\n'));
    await lab.feed(here.host, ['ip', '-n', hand.container, '-batch', '-'], container.join('\n'));
    const entry = [there.mac, 'dev', 'vxlan0', 'dst', there.underlay, 'self', 'permanent'];
    await lab.run(here.host, 'bridge', '-n', hand.netns, 'fdb', 'add', ...entry);
  }
  return ends;
}
