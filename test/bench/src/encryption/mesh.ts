// Runs in a User-Mode Linux guest whose kernel has ESP: the SAs and policies of one host with 300 peers, and a rekey of it.
import { spawnSync } from 'node:child_process';
import {
  applyPlan,
  hostNetns,
  newNamespace,
  type Op,
  plan,
  printOp,
  stateKey,
  type XfrmState,
} from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { enterThrowawayNetns } from '@causeway/netlink/io/testing/netns';
import { type Ipsec, type IpsecKernel, KeyedHost, report } from '@causeway/uml/guest';
import { numbers, timed } from '../work.ts';

/** Times in ms. */
export interface Mesh {
  readonly peers: number;
  /** SAs and policies of the host. */
  readonly objects: number;
  readonly adds: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
  readonly rekeys: readonly Rekey[];
}

export interface Rekey {
  /** Work of the host in all its rounds: reads of its kernel, plans, and changes. */
  readonly ours: number;
  readonly reading: number;
  readonly changing: number;
  /** `ip -batch` with the same changes. */
  readonly theirs: number;
  readonly rounds: number;
  readonly changes: number;
}

const peerCount = 300;
const addRounds = 5;
const rekeyRounds = 3;

const missing = enterThrowawayNetns();
if (missing !== undefined) throw new Error(missing);
const kernel = createKernel();
const scope = { links: [], of: ['xfrmStates', 'xfrmPolicies'], sysctls: [] } as const;

async function found(): Promise<Ipsec> {
  return (await kernel.read(hostNetns, scope)) ?? newNamespace();
}

function planned(from: Ipsec, to: Ipsec): readonly Op[] {
  const [actual, desired] = [from, to].map((ipsec) => new Map([[hostNetns, { ...newNamespace(), ...ipsec }]]));
  return plan(actual ?? new Map(), desired ?? new Map());
}

/** Makes the kernel so, and returns the ops. */
async function become(wanted: Ipsec, from?: Ipsec): Promise<readonly Op[]> {
  const ops = planned(from ?? (await found()), wanted);
  const failures = await applyPlan(kernel, ops);
  if (failures.length > 0) throw new Error(JSON.stringify(failures.slice(0, 3)));
  return ops;
}

/** What iproute2 is given. Keys are shown: they are of this bench only. */
function batch(ops: readonly Op[]): string {
  return ops
    .map((op) => {
      const key = op.op === 'xfrmState.add' ? `0x${Buffer.from(op.state.key.reveal()).toString('hex')}` : '';
      return printOp(op).replace(/^ip /, '').replace('<secret>', key).replaceAll("'", '');
    })
    .join('\n');
}

function iproute(input: string): void {
  const { status, stderr } = spawnSync('ip', ['-batch', '-'], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.slice(0, 500));
}

/** The ops of the host so far, and what its kernel shall have. */
const made: Op[] = [];
let desired: Ipsec = newNamespace();
/** The SAs of these ops, with the keys that a read does not show. An agent does not keep them: it never makes an SA again. */
const added = new Map<string, XfrmState>();

/** What the host wants, as it can be made from nothing. */
function withKeys({ xfrmStates, ...others }: Ipsec): Ipsec {
  return { ...others, xfrmStates: new Map([...xfrmStates].map(([name, state]) => [name, added.get(name) ?? state])) };
}

/** What the kernel has, as last read and as changed since. An agent reads when it begins, and when another has changed something. */
let last: Ipsec = newNamespace();
let isKnown = false;
const watch = kernel.watch(hostNetns, () => {
  isKnown = false;
});
/** ms, by round. */
const spent = { reading: [] as number[], changing: [] as number[] };
const real: IpsecKernel = {
  async found() {
    const reading = await timed(async () => {
      if (!isKnown) last = await found();
    });
    isKnown = true;
    spent.reading.push(reading);
    return last;
  },
  async become(wanted) {
    const ops: Op[] = [];
    spent.changing.push(await timed(async () => ops.push(...(await become(wanted, last)))));
    for (const op of ops) if (op.op === 'xfrmState.add') added.set(stateKey(op.state), op.state);
    made.push(...ops);
    last = wanted;
    desired = withKeys(wanted);
    return true;
  },
};

/** A peer's kernel, which is always as it shall be. */
function perfectKernel(): IpsecKernel {
  let state: Ipsec = newNamespace();
  return {
    found: async () => state,
    become: async (wanted) => {
      state = wanted;
      return true;
    },
  };
}

const addressOf = (number: number): string => `10.1.${number >> 8}.${number & 255}`;
const host = new KeyedHost(1, addressOf(1), real);
const peers = numbers(peerCount).map((i) => new KeyedHost(i + 2, addressOf(i + 2), perfectKernel()));

/**
 * All hear each other and work, until the host has nothing to do for a while. Returns the host's times, up to the round after its last
 * change: in that round, an agent sees that it is done, and rests.
 */
async function settle(): Promise<Pick<Rekey, 'ours' | 'reading' | 'changing' | 'rounds'>> {
  spent.reading.length = spent.changing.length = 0;
  isKnown = false;
  const times: number[] = [];
  for (let idle = 0; idle < 3; ) {
    const before = made.length;
    times.push(await timed(() => host.work()));
    for (const peer of peers) {
      peer.hears(host);
      await peer.work();
      host.hears(peer);
    }
    idle = made.length === before ? idle + 1 : 0;
  }
  const rounds = times.length - 2;
  const [ours, reading, changing] = [times, spent.reading, spent.changing].map((each) =>
    each.slice(0, rounds).reduce((sum, time) => sum + time, 0),
  );
  return { ours: ours ?? 0, reading: reading ?? 0, changing: changing ?? 0, rounds };
}

await settle();
const objects = desired.xfrmStates.size + desired.xfrmPolicies.size;
const nothing: Ipsec = newNamespace();

const adds = { ours: [] as number[], theirs: [] as number[] };
for (let round = 0; round < addRounds; round++) {
  await become(nothing);
  adds.ours.push(await timed(() => become(desired)));
  const ops = await become(nothing);
  if (ops.length !== objects) throw new Error(`${ops.length} of ${objects} objects were there`);
  const lines = batch(planned(nothing, desired));
  adds.theirs.push(await timed(() => iproute(lines)));
}

const rekeys: Rekey[] = [];
for (let round = 0; round < rekeyRounds; round++) {
  const [before, generation] = [desired, host.generation];
  made.length = 0;
  host.wanted = 'requested';
  const settled = await settle();
  if (host.generation !== generation + 1) throw new Error('the host made no new generation');
  const lines = batch(made);
  const after = desired;
  await become(before);
  const theirs = await timed(() => iproute(lines));
  const left = planned(await found(), after);
  if (left.length > 0) throw new Error(`iproute2 left ${left.length} changes undone`);
  rekeys.push({ ...settled, theirs, changes: made.length });
}
watch?.close();
kernel.close();
report<Mesh>({ peers: peerCount, objects, adds, rekeys });
