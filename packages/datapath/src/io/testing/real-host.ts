import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encapPort, Ip, ipBytes, type Mac, Vni } from '@causeway/model';
import { close, createNetns, deleteNetns, identifyNetns, openEncapSocket } from '@causeway/netlink/io';
import { bindMount, execIn, ip, throwawayAddress } from '@causeway/netlink/io/testing/netns';
import type { NetnsPath } from '../../state.ts';
import type { ContractHost } from '../../testing/contract.ts';
import { saKeySize } from '../../wire/sa-key.ts';
import { algorithm } from '../../wire/xfrm-state.ts';
import { closeSocket, heldSockets } from '../encap-holders.ts';
import { createKernel } from '../kernel.ts';

const underlay = Ip(throwawayAddress);
/** Milliseconds. Kernel workers that all namespaces share destroy namespaces and report carriers, so both may take long. */
const patience = 20_000;
let paths = 0;
let vnis = 5000;

let esp: boolean | undefined;

/** Whether iproute2 gets an SA, tried once. */
function hasEsp(): boolean {
  esp ??= tryEsp();
  return esp;
}

function tryEsp(): boolean {
  const id = ['src', '192.0.2.250', 'dst', '192.0.2.251', 'proto', 'esp', 'spi', '0xffffff01'];
  try {
    ip('xfrm', 'state', 'add', ...id, 'aead', algorithm, `0x${'00'.repeat(saKeySize)}`, '128');
  } catch {
    return false;
  }
  ip('xfrm', 'state', 'delete', ...id);
  return true;
}

/** The real kernel, with iproute2 as the other program that changes it. */
export function realHost(): ContractHost {
  const kernel = createKernel();
  // This instance shares nothing with the first and has no watches: for the first it is another process.
  const other = createKernel();
  const made: NetnsPath[] = [];
  const programs: ChildProcess[] = [];
  const entryOf = (netns: NetnsPath, dev: string, ip: Ip): { dst: string; lladdr?: Mac } | undefined =>
    JSON.parse(execIn(netns, 'ip', '-j', 'neigh', 'show', ip, 'dev', dev) || '[]')[0];
  const until: ContractHost['until'] = async (holds) => {
    const deadline = performance.now() + patience;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error('it never came to hold');
      await sleep(5);
    }
  };
  const links: string[] = [];
  const freshPath = (): NetnsPath => {
    const path = `/run/netns/cw-test-${process.pid}-${paths++}` as NetnsPath;
    made.push(path);
    return path;
  };
  return {
    kernel,
    underlay,
    hasEsp: hasEsp(),
    freshPath,
    freshVni: () => Vni(vnis++),
    containerNetns: async () => {
      const path = freshPath();
      createNetns(path);
      return path;
    },
    alias: async (netns) => {
      const path = freshPath();
      writeFileSync(path, '');
      bindMount(netns, path);
      return path;
    },
    destroy: async (netns) => deleteNetns(netns),
    foreign: async (...ops) => {
      for (const [index, result] of (await other.apply(ops)).entries()) {
        if (!result.ok) throw new Error(`${ops[index]?.op} failed: ${result.errno} ${result.message}`);
      }
    },
    foreignLink: async (name, group = 0) => {
      ip('link', 'add', name, 'group', `${group}`, 'type', 'bridge');
      links.push(name);
    },
    foreignSocket: async (address) => {
      const fd = openEncapSocket(ipBytes(address), encapPort);
      return () => close(fd);
    },
    moveLink: async (netns, name, to) => {
      execIn(netns, 'ip', 'link', 'set', name, 'netns', to.slice(to.lastIndexOf('/') + 1));
    },
    appendFdb: async (netns, dev: string, mac: Mac, vtep: Ip) => {
      execIn(netns, 'bridge', 'fdb', 'append', mac, 'dev', dev, 'self', 'dst', vtep);
    },
    ask: async (netns, dev, ip) => {
      const name = netns.slice(netns.lastIndexOf('/') + 1);
      const ping = ['netns', 'exec', name, 'ping', '-q', '-i', '0.2', '-I', dev, ip];
      programs.push(spawn('ip', ping, { stdio: 'ignore' }));
      await until(() => entryOf(netns, dev, ip) !== undefined);
    },
    resolved: async (netns, dev, ip) => entryOf(netns, dev, ip)?.lladdr,
    until,
    dispose: async () => {
      for (const program of programs) program.kill();
      for (const address of heldSockets(undefined)) await closeSocket(undefined, address);
      for (const name of links) ip('link', 'delete', name);
      kernel.close();
      other.close();
      for (const path of made) if (identifyNetns(path) !== undefined) deleteNetns(path);
    },
  };
}
