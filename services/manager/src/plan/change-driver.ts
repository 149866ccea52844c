import { type Driver, type Network, type NetworkId, type SteadyDriver, usesEsp } from '@causeway/model';
import { networkChanged } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';

/*
 * A network in use goes from one driver to another step by step. Hosts of two neighbours understand each other, so the next step
 * is taken when all hosts have taken the last one (docs/decisions/0032-encryption-in-use.md).
 */
const steps = ['overlay', 'dual-overlay', 'dual-encrypted-overlay', 'encrypted-overlay'] as const;

/** The network on its way to the driver, or to another one than before. */
export function towards(network: Network, to: SteadyDriver): Network {
  const { driver, change } = network;
  if ((change?.to ?? driver) === to) return network;
  if (change === undefined) return stepped({ ...network, change: { to, hasCrossed: false } });
  // No host sends in the other way yet, so nothing needs to be waited for.
  if (!change.hasCrossed) return arrived(network, to);
  return { ...network, change: { ...change, to } };
}

/** The driver of the next step; undefined: the driver does not change. */
export function nextDriver({ driver, change }: Network): Driver | undefined {
  if (change === undefined) return undefined;
  return steps[steps.indexOf(driver) + (change.to === 'overlay' ? -1 : 1)];
}

/** Whether hosts begin to send in ESP with the next step. */
export function beginsToEncrypt(network: Network): boolean {
  return network.driver === 'dual-overlay' && network.change?.to === 'encrypted-overlay';
}

/** Takes the next step, if the network is still as it was when all hosts were found to have taken the last one. */
export function stepDriver(id: NetworkId, revision: bigint): Intent<void> {
  return { plan: (planning) => planStep(id, revision, planning) };
}

function planStep(id: NetworkId, revision: bigint, { view, keys }: Planning): Proposal<void> {
  const current = view.networks.get(id);
  if (current === undefined || current.revision !== revision || current.value.change === undefined)
    return nothingToDo(undefined);
  const after = stepped(current.value);
  const key = keys.network(id);
  return {
    ...nothingToDo(undefined),
    compares: [{ kind: 'unchanged', key, modRevision: revision }],
    writes: [{ kind: 'put', key, value: records.network.codec.encode(after, current.original) }],
    events: networkChanged(current.value, after),
  };
}

function stepped(network: Network): Network {
  const { change } = network;
  const driver = nextDriver(network);
  if (change === undefined || driver === undefined) return network;
  if (driver === change.to) return arrived(network, change.to);
  return { ...network, driver, change: { ...change, hasCrossed: change.hasCrossed || isDual(network.driver) } };
}

function isDual(driver: Driver): boolean {
  return driver === 'dual-overlay' || driver === 'dual-encrypted-overlay';
}

function arrived({ change: _, ...network }: Network, driver: SteadyDriver): Network {
  return { ...network, driver };
}

/** Whether hosts need ESP for the one, and did not for the other. */
export function needsEspNow(before: Network, after: Network): boolean {
  return usesEsp(after) && !usesEsp(before);
}

/** What hosts of a network have reported, by their names. */
export interface StepFacts {
  /** Hosts that have not applied the network as it is. */
  readonly waiting: readonly string[];
  /** Hosts without a session. */
  readonly unreachable: readonly string[];
  /** Hosts that send nothing in ESP to a host of the network yet: [from, to]. */
  readonly withoutSas: Iterable<readonly [string, string]>;
}

/** Most reasons that are named. */
const mostNamed = 5;

/** What the next step of the network waits for, in words. Empty: nothing. */
export function stepWaitsFor(network: Network, { waiting, unreachable, withoutSas }: StepFacts): readonly string[] {
  const reasons = [
    ...waiting.map((name) => `${name} has not applied it`),
    ...unreachable.map((name) => `${name} has no session`),
  ];
  if (!beginsToEncrypt(network)) return reasons.slice(0, mostNamed);
  for (const [from, to] of withoutSas) {
    if (reasons.length >= mostNamed) break;
    reasons.push(`${from} has no SA with which it may send to ${to}`);
  }
  return reasons.slice(0, mostNamed);
}
