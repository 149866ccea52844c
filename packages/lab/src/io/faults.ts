import { CausewayError } from '@causeway/model';
import {
  type Cut,
  cutRules,
  type Faults,
  healRules,
  quickRules,
  readFaults,
  type Slowness,
  slowRules,
  waysOf,
} from '../faults.ts';
import { underlayDevice } from '../links.ts';
import { hostOf, type LabHost } from '../plan.ts';
import { checkAlive, enterNetworkArguments } from './namespace.ts';
import type { ProcessId } from './proc.ts';
import { run } from './process.ts';
import { checkCommand } from './requirements.ts';
import { initOf, type LabRecord } from './state.ts';

/** Packets in netem's queue. With the default, 1000, netem would lose packets that it should delay. */
const netemQueue = 100_000;

export async function cut(lab: LabRecord, what: Cut): Promise<void> {
  await checkSwitch(lab);
  await applyRules(lab, cutRules(waysOf(lab.plan, what)));
}

export async function heal(lab: LabRecord, a?: string, b?: string): Promise<void> {
  await checkSwitch(lab);
  if (a !== undefined) {
    const ways = waysOf(lab.plan, { a, ...(b === undefined ? {} : { b }), oneWay: false });
    return applyRules(lab, healRules(ways));
  }
  const { cuts, slow } = await faultsOf(lab);
  if (cuts.length > 0) await applyRules(lab, healRules(cuts));
  for (const { host } of slow) await slowDown(lab, hostOf(lab.plan, host), quick);
}

/** Throws `capability-missing` for a delay on a kernel without netem, and then changes nothing. */
export async function slow(lab: LabRecord, host: string, slowness: Slowness): Promise<void> {
  await checkSwitch(lab);
  await slowDown(lab, hostOf(lab.plan, host), slowness);
}

export async function faultsOf(lab: LabRecord): Promise<Faults> {
  return readFaults(await nft(lab, ['-j', 'list', 'ruleset', 'bridge']));
}

const quick = { delay: 0, loss: 0, dropAbove: 0 } as Slowness;

async function checkSwitch(lab: LabRecord): Promise<void> {
  checkCommand('nft', 'nftables');
  await checkAlive(lab.switch, 'the switch');
}

async function slowDown(lab: LabRecord, host: LabHost, slowness: Slowness): Promise<void> {
  const { slow } = await faultsOf(lab);
  const delayed = slow.some((before) => before.host === host.name && before.delay > 0);
  if (slowness.delay > 0) await delay(lab, host, slowness);
  else if (delayed) await undelay(lab, host);
  const isQuick = slowness.delay === 0 && slowness.loss === 0 && slowness.dropAbove === 0;
  await applyRules(lab, isQuick ? quickRules(host.name) : slowRules({ host: host.name, ...slowness }));
}

/** Each end of the host's link delays the packets that it sends. */
function ends(lab: LabRecord, host: LabHost): readonly (readonly [ProcessId, string])[] {
  return [
    [lab.switch, host.name],
    [initOf(lab, host), underlayDevice],
  ];
}

async function delay(lab: LabRecord, host: LabHost, { delay: span }: Slowness): Promise<void> {
  for (const [init, device] of ends(lab, host)) {
    const netem = ['root', 'netem', 'delay', `${span}ms`, 'limit', `${netemQueue}`];
    await inNamespace(init, ['tc', 'qdisc', 'replace', 'dev', device, ...netem]).catch((cause: unknown) => {
      if (!/qdisc kind is unknown/.test(`${cause}`)) throw cause;
      const message = 'this kernel has no netem (CONFIG_NET_SCH_NETEM), so packets cannot be delayed: use --loss alone';
      throw new CausewayError('capability-missing', message, { field: '--delay' }, { cause });
    });
  }
}

async function undelay(lab: LabRecord, host: LabHost): Promise<void> {
  for (const [init, device] of ends(lab, host)) await inNamespace(init, ['tc', 'qdisc', 'del', 'dev', device, 'root']);
}

async function applyRules(lab: LabRecord, rules: readonly string[]): Promise<void> {
  if (rules.length > 0) await nft(lab, ['-f', '-'], `${rules.join('\n')}\n`);
}

function nft(lab: LabRecord, args: readonly string[], input = ''): Promise<string> {
  return inNamespace(lab.switch, ['nft', ...args], input);
}

function inNamespace(init: ProcessId, command: readonly string[], input = ''): Promise<string> {
  return run('nsenter', [...enterNetworkArguments(init), ...command], { input });
}
