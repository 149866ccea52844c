// Plays the agent of a host of the story "nat", whose namespace it runs in: `nat-agent.js NUMBER ADDRESS PORT FILE`. It does what the
// rekey protocol says whenever managers bring something, and whenever its kernel notifies of a change.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  applyPlan,
  type Failure,
  hostNetns,
  type Namespace,
  newNamespace,
  plan,
  printOp,
  readState,
} from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import type { RekeyReason } from '@causeway/encryption';
import type { NodeId } from '@causeway/model';
import { type Ipsec, type IpsecKernel, KeyedHost, type Told } from './keyed-host.ts';
import { fromLine, toLine } from './lines.ts';

/** What managers bring. The host answers with `AgentSaid`. */
export interface AgentHears {
  readonly told?: Told;
  readonly wanted?: RekeyReason;
}

export interface AgentSaid {
  /** What the host tells its peer. */
  readonly told: Told;
  /** What it has done since it said something last, as commands, and what the kernel refused. */
  readonly ops: readonly string[];
  readonly failures: readonly Failure[];
}

const [number = '', address = '', port = '', file = ''] = process.argv.slice(2);
const peer = (number === '1' ? '2' : '1').padStart(16, '0') as NodeId;
const kernel = createKernel();
let ops: string[] = [];
let failures: Failure[] = [];

class HostKernel implements IpsecKernel {
  async found(): Promise<Namespace> {
    const state = await readState(kernel, new Map([[hostNetns, newNamespace()]]));
    return state.get(hostNetns) ?? newNamespace();
  }

  async become(desired: Ipsec): Promise<boolean> {
    writeFileSync(file, host.stored, { mode: 0o600 });
    const planned = plan(
      new Map([[hostNetns, await this.found()]]),
      new Map([[hostNetns, { ...newNamespace(), ...desired }]]),
    );
    ops.push(...planned.map(printOp));
    failures.push(...(await applyPlan(kernel, planned)));
    return true;
  }
}

const host: KeyedHost = new KeyedHost(Number(number), address, new HostKernel(), {
  ...(port !== '0' && { encapPort: Number(port) }),
  ...(existsSync(file) && { stored: readFileSync(file, 'utf8') }),
});

/** One round after the other. */
let turn = Promise.resolve();
function work(): Promise<void> {
  turn = turn.then(() => host.work());
  return turn;
}

let knowsPeer = false;
// Before it knows its peer, it must not take the peer's SAs for what nothing wants.
kernel.watch(hostNetns, () => void (knowsPeer && work()));
for await (const line of createInterface({ input: process.stdin })) {
  const { told, wanted } = fromLine<AgentHears>(line);
  host.wanted = wanted;
  if (told !== undefined) host.hear(told);
  knowsPeer ||= told?.record !== undefined;
  await work();
  process.stdout.write(toLine<AgentSaid>({ told: host.tells(peer), ops, failures }));
  [ops, failures] = [[], []];
}
