import { echoes } from '../../guest/counters.ts';
import { readdress, sendFrom, vxlanPayload } from '../../guest/frames.ts';
import { onWire } from '../../guest/wire.ts';
import { plainFrame, toPlain, toVault } from './forgery.ts';
import { encryptedPort, plainPort, type Scene } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

/**
 * Programs of h1 that send what a tunnel would send to h2: each into the encrypted network, and into the one that is not, where it shows
 * what it can do.
 */
export interface Intrusion {
  /** Frames into the encrypted network. */
  readonly frames: Frames;
  /** Echo requests that reached h2's containers: in the encrypted network, and in the other one. */
  readonly delivered: number;
  readonly control: number;
  /** What the kernel said to each program when it sent into the encrypted network; empty: it took the packet. */
  readonly refusals: readonly string[];
}

export interface HostPrograms {
  /** UDP sockets of root and of another user, with any source port, and such that share the port of the tunnel, if the kernel lets them. */
  readonly sockets: Intrusion;
  /** Raw sockets of root with the source port of the tunnel, without and with a header of IP, and whole frames. */
  readonly rawSockets: Intrusion;
}

/** HOW SOURCE DESTINATION PORT HEX. In a language whose interpreter every user may read. */
const program = `import socket, struct, sys
how, src, dst, port, data = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), bytes.fromhex(sys.argv[5])
udp = struct.pack("!4H", port, port, 8 + len(data), 0) + data
try:
    if how in ("any", "bound"):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if how == "bound":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind((src, port))
        s.sendto(data, (dst, port))
    elif how == "raw":
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).sendto(udp, (dst, 0))
    else:
        ends = socket.inet_aton(src) + socket.inet_aton(dst)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + ends
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(ip + udp, (dst, 0))
except OSError as error:
    print(error.strerror)`;
const withoutRights = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];

/** Sends the frame's packet, or the frame. Resolves to what the kernel said. */
type Send = (scene: Scene, frame: Buffer, port: number) => Promise<string>;

function python(how: 'any' | 'bound' | 'raw' | 'header', user: readonly string[] = []): Send {
  return async ({ lab }, frame, port) => {
    const words = [how, lab.underlay('h1'), lab.underlay('h2'), `${port}`, vxlanPayload(frame).toString('hex')];
    return (await lab.run('h1', ...user, 'python3', '-c', program, ...words)).trim();
  };
}

const wholeFrame: Send = async ({ lab }, frame) => {
  await sendFrom(lab, 'h1', 'eth0', [frame]);
  return '';
};

export const hostPrograms: { readonly [Name in keyof HostPrograms]: (scene: Scene) => Promise<HostPrograms[Name]> } = {
  sockets: (scene) =>
    intrude(scene, [python('any'), python('any', withoutRights), python('bound'), python('bound', withoutRights)]),
  rawSockets: (scene) => intrude(scene, [python('raw'), python('header'), wholeFrame]),
};

async function intrude(scene: Scene, programs: readonly Send[]): Promise<Intrusion> {
  const { lab, vault, plain } = scene;
  const original = await plainFrame(scene);
  const counts = (): Promise<readonly number[]> =>
    Promise.all([vault, plain].map(({ containers }) => echoes(lab, containers[1])));
  const before = await counts();
  const refusals: string[] = [];
  for (const send of programs) await send(scene, readdress(original, toPlain(scene)), plainPort);
  // The capture ends with a frame to h2 that is sent after all others.
  const { wire } = await onWire(lab, async () => {
    for (const send of programs) refusals.push(await send(scene, readdress(original, toVault(scene)), encryptedPort));
  });
  const [delivered = 0, control = 0] = (await counts()).map((count, i) => count - (before[i] ?? 0));
  return { frames: framesOf(wire), delivered, control, refusals };
}
