import type { Kernel, NetnsPath, Op } from '@causeway/datapath';
import { Ip as asIp, type Ip, Mac, macForIp, Vni } from '@causeway/model';

/** The namespace of a network for the bench, without agent or cluster. */
export const netnsName = 'cw-bench';
export const netns = `/run/netns/${netnsName}` as NetnsPath;

export async function withOverlay<Result>(kernel: Kernel, work: () => Promise<Result>): Promise<Result> {
  try {
    await remake(kernel);
    return await work();
  } finally {
    await destroy(kernel);
  }
}

/**
 * Deletes the vxlan device first. If it were deleted with its namespace, it would be removed later and hold its VNI
 * until then.
 */
export function destroy(kernel: Kernel): Promise<void> {
  return applyAll(kernel, [
    { op: 'link.delete', netns, name: 'vxlan0' },
    { op: 'netns.delete', netns },
  ]);
}

export function remake(kernel: Kernel): Promise<void> {
  return applyAll(kernel, [
    { op: 'netns.add', netns },
    {
      op: 'link.add',
      netns,
      link: { kind: 'bridge', name: 'br0', mac: Mac('02:42:0a:00:00:01'), mtu: 1450, up: true },
    },
    {
      op: 'link.add',
      netns,
      link: {
        kind: 'vxlan',
        name: 'vxlan0',
        mac: Mac('02:42:0a:00:00:02'),
        mtu: 1450,
        up: true,
        vni: Vni(77),
        port: 4790,
        local: asIp('127.0.0.1'),
        bridgePort: { master: 'br0', learning: false, flood: true },
      },
    },
  ]);
}

/** Throws if the kernel refuses an op. */
export async function applyAll(kernel: Kernel, ops: readonly Op[]): Promise<void> {
  const results = await kernel.apply(ops);
  for (const [i, result] of results.entries()) {
    if (!result.ok) throw new Error(`${ops[i]?.op}: ${result.errno} ${result.message}`);
  }
}

/** The ops for the entries of the i-th remote endpoint. */
export const entryOps = {
  fdb: (i: number): { set: Op; clear: Op } => {
    const entry = { netns, dev: 'vxlan0', mac: mac(i), target: vtep(i) };
    return { set: { op: 'fdb.set', ...entry }, clear: { op: 'fdb.delete', ...entry } };
  },
  neighbour: (i: number): { set: Op; clear: Op } => {
    const entry = { netns, dev: 'vxlan0', ip: address(i) };
    return { set: { op: 'neighbour.set', ...entry, mac: mac(i) }, clear: { op: 'neighbour.delete', ...entry } };
  },
};

export function address(i: number): Ip {
  return asIp(`10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`);
}

export function mac(i: number): Mac {
  return macForIp(address(i));
}

export function vtep(i: number): Ip {
  return asIp(`172.16.${(i >> 8) & 1}.${1 + (i % 250)}`);
}
