import { KernelError, type MessageReader, NETLINK_XFRM } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import * as k from '../wire/xfrm-constants.ts';
import { readMapping } from '../wire/xfrm-mapping.ts';
import {
  addState,
  algorithm,
  changePorts,
  deleteState,
  dumpStates,
  getState,
  icvLength,
  kindOfState,
  readState,
  replaceLarval,
  replayWindow,
  type SaId,
  type SaLimit,
  type XfrmState,
} from '../wire/xfrm-state.ts';
import { ask, sendAll } from './ask.ts';
import { compareMaps } from './compare-maps.ts';
import { isSame, type Same } from './equal.ts';
import type { Kind, Reading, Refused, Requests, Step } from './kind.ts';
import { byKey, describeDifference, tool } from './printing.ts';
import { dumpXfrm } from './xfrm-dump.ts';
import { deleteOurs, oneByOne, stillRefused } from './xfrm-runs.ts';

export type { SaCounts, SaLimits, UdpPorts, XfrmState } from '../wire/xfrm-state.ts';

/**
 * An SA is added and deleted. Only the ports of ESP in UDP change ("setPorts"), which keeps the key and the counter of packets: it
 * must never count twice with one key. The same SA must never be added again after the kernel has lost it, for the same reason:
 * what lost it needs a new key, and so a new SPI. See docs/decisions/0028-xfrm.md.
 */
export type XfrmStateOp = {
  readonly op: 'xfrmState.add' | 'xfrmState.setPorts' | 'xfrmState.delete';
  readonly netns: NetnsPath;
  readonly state: XfrmState;
};

const same: Same<XfrmState> = {
  direction: (a, b) => a.direction === b.direction || a.direction === 'unknown' || b.direction === 'unknown',
  src: (a, b) => a.src === b.src,
  dst: (a, b) => a.dst === b.dst,
  spi: (a, b) => a.spi === b.spi,
  reqid: (a, b) => a.reqid === b.reqid,
  key: (a, b) => a.key.equals(b.key),
  limits: (a, b) => isSameLimit(a.limits.soft, b.limits.soft) && isSameLimit(a.limits.hard, b.limits.hard),
  encap: (a, b) => a.encap?.sport === b.encap?.sport && a.encap?.dport === b.encap?.dport,
  arrivesFrom: undefined, // nothing that can be programmed
  isStrict: (a, b) => a.isStrict === b.isStrict,
  counts: undefined, // what an SA has done is not what it is
};

/** SAs with a reqid of ours. Those that the kernel makes by itself while it waits for an SA are not found. */
export const xfrmState: Kind<'xfrm state', string, XfrmState, XfrmStateOp> = {
  name: 'xfrm state',
  slot: 'xfrmStates',
  ops: ['xfrmState.add', 'xfrmState.setPorts', 'xfrmState.delete'],
  isOfHost: true,
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.xfrmStates, desired?.xfrmStates, sameState),
  isOurs: isOurLink,
  describe(difference) {
    const { actual, desired } = describeDifference(difference, printState);
    // If nothing that is printed differs, the keys do.
    return { key: difference.key, actual: actual === desired ? `${actual} (another key)` : actual, desired };
  },
  list: ({ xfrmStates }) => [...xfrmStates].sort(byKey).map(([, each]) => `xfrm state ${printState(each)}`),

  steps(netns, { actual, desired }) {
    const moved = movedTo(actual, desired);
    if (moved !== undefined) return [['set ports of SA', { op: 'xfrmState.setPorts', netns, state: moved }]];
    const steps: Step<XfrmStateOp>[] = [];
    if (actual !== undefined) {
      const sends = actual.direction === 'out' ? 'delete sending SA' : 'delete receiving SA';
      const place = desired === undefined ? sends : 'delete SA in the way';
      steps.push([place, { op: 'xfrmState.delete', netns, state: actual }]);
    }
    if (desired !== undefined) {
      const place = desired.direction === 'out' ? 'add sending SA' : 'add receiving SA';
      steps.push([place, { op: 'xfrmState.add', netns, state: desired }]);
    }
    return steps;
  },
  print({ op, netns, state }) {
    const ip = tool('ip', netns);
    if (op === 'xfrmState.delete') return `${ip} xfrm state delete ${printId(state)}`;
    return `${ip} xfrm state ${op === 'xfrmState.add' ? 'add' : 'update'} ${printState(state)}`;
  },
  device: () => undefined,
  /** Takes no SA away. An SA that is there may be in use with another key: a delete must wait. */
  additive(op, found) {
    if (op.op === 'xfrmState.setPorts') return op;
    return op.op === 'xfrmState.add' && found?.xfrmStates.has(stateKey(op.state)) !== true ? op : undefined;
  },

  real: {
    protocol: NETLINK_XFRM,
    groups: [k.XFRMNLGRP_SA, k.XFRMNLGRP_EXPIRE, k.XFRMNLGRP_MAPPING],
    events: new Map([
      [k.XFRM_MSG_NEWSA, isFound],
      [k.XFRM_MSG_UPDSA, isFound],
      [k.XFRM_MSG_DELSA, isFound],
      [k.XFRM_MSG_EXPIRE, (message) => kindOfState(message) !== 'foreign'],
      [k.XFRM_MSG_FLUSHSA, () => true],
      [k.XFRM_MSG_MAPPING, (message) => readMapping(message) !== undefined],
    ]),
    read: readStates,
    applyRun(to, ops) {
      const [first] = ops;
      if (first === undefined) return new Map();
      const socket = to.socket(first.netns, NETLINK_XFRM);
      const states = ops.map(({ state }) => state);
      if (first.op === 'xfrmState.add') return addAll(socket, states);
      if (first.op === 'xfrmState.setPorts') return oneByOne(states, (state) => setPorts(socket, state));
      return deleteOurs(socket, {
        asked: states.map(getState),
        isForeign: (message) => kindOfState(message) === 'foreign',
        deletes: states.map(deleteState),
      });
    },
    absent: ['ESRCH'],
  },
};

/** The SA's key in `Namespace.xfrmStates`. */
export function stateKey({ dst, spi }: SaId): string {
  return `${dst} ${printSpi(spi)}`;
}

export function sameState(a: XfrmState, b: XfrmState): boolean {
  return isSame(same, a, b);
}

function isSameLimit(a: SaLimit = {}, b: SaLimit = {}): boolean {
  return a.bytes === b.bytes && a.packets === b.packets && a.seconds === b.seconds;
}

/** The desired SA, if its ports are all that differs. An SA of plain ESP never becomes one of ESP in UDP. */
function movedTo(actual: XfrmState | undefined, desired: XfrmState | undefined): XfrmState | undefined {
  if (actual?.encap === undefined || desired?.encap === undefined) return undefined;
  return sameState({ ...actual, encap: desired.encap }, desired) ? desired : undefined;
}

export function printSpi(spi: number): string {
  return `0x${spi.toString(16).padStart(8, '0')}`;
}

function isFound(message: MessageReader): boolean {
  return readState(message) !== undefined;
}

/** As `ip xfrm state add` takes it, but for the key, which is "<secret>". */
function printState(state: XfrmState): string {
  const { direction, src, dst, reqid, key, encap } = state;
  const [window, dir] = direction === 'out' ? [0, ' dir out'] : [replayWindow, direction === 'in' ? ' dir in' : ''];
  const limits = printLimits(state);
  return [
    `${printId(state)} reqid ${reqid} mode transport replay-window ${window} flag esn`,
    ...(state.isStrict ? [] : ['(weaker than ours)']),
    `aead '${algorithm}' ${key} ${icvLength}`,
    ...(encap === undefined ? [] : [`encap espinudp ${encap.sport} ${encap.dport} ${anyOf(dst)}`]),
    ...(limits === '' ? [] : [limits]),
    `sel src ${src} dst ${dst}${dir}`,
  ].join(' ');
}

function printId({ src, dst, spi }: Pick<XfrmState, 'src' | 'dst' | 'spi'>): string {
  return `src ${src} dst ${dst} proto esp spi ${printSpi(spi)}`;
}

function anyOf(ip: string): string {
  return ip.includes(':') ? '::' : '0.0.0.0';
}

function printLimits({ limits: { soft, hard } }: Pick<XfrmState, 'limits'>): string {
  return [...limitWords('soft', soft), ...limitWords('hard', hard)].join(' ');
}

function limitWords(which: 'soft' | 'hard', { bytes, packets, seconds }: SaLimit = {}): string[] {
  return [
    ...(bytes === undefined ? [] : [`limit byte-${which} ${bytes}`]),
    ...(packets === undefined ? [] : [`limit packet-${which} ${packets}`]),
    ...(seconds === undefined ? [] : [`limit time-${which} ${seconds}`]),
  ];
}

/** Most adds succeed at once. Those that the kernel refuses in this form may succeed in another. */
function addAll(socket: Requests, states: readonly XfrmState[]): ReadonlyMap<number, Refused> {
  const refused = sendAll(
    socket,
    states.map((state) => addState(state, 'directed')),
  );
  return stillRefused(refused, (at, refusal) => {
    const state = states[at];
    if (state !== undefined) addAgain(socket, state, refusal);
  });
}

/**
 * A packet that finds its policy and no SA makes the kernel put a larval SA in the place of the missing one, for half a minute.
 * If the policy names an SPI, the larval SA has this SPI, and the real SA must replace it.
 */
function addAgain(socket: Requests, state: XfrmState, { errno, message }: Refused): void {
  try {
    // A kernel before Linux 6.10 does not know that an SA that only sends needs no window.
    if (errno !== 'EINVAL' || state.direction !== 'out') throw new KernelError(errno, message);
    socket.request(addState(state, 'undirected'));
  } catch (error) {
    if (!hasErrno(error, 'EEXIST') || kindAt(socket, state) !== 'larval') throw error;
    changeInForm(socket, state, replaceLarval);
  }
}

function setPorts(socket: Requests, state: XfrmState): void {
  const kind = kindAt(socket, state);
  if (kind === 'foreign') throw new KernelError('EEXIST', 'another program has an SA with this SPI');
  if (kind !== 'ours') throw new KernelError('ESRCH', 'there is no such SA');
  changeInForm(socket, state, changePorts);
}

function changeInForm(socket: Requests, state: XfrmState, encode: typeof changePorts): void {
  try {
    socket.request(encode(state, 'directed'));
  } catch (error) {
    if (!hasErrno(error, 'EINVAL') || state.direction !== 'out') throw error;
    socket.request(encode(state, 'undirected'));
  }
}

/** undefined: there is no such SA. */
function kindAt(socket: Requests, id: SaId): ReturnType<typeof kindOfState> | undefined {
  return ask(socket, getState(id), kindOfState);
}

function hasErrno(error: unknown, errno: string): boolean {
  return error instanceof KernelError && error.errno === errno;
}

function readStates(from: Reading): Promise<ReadonlyMap<string, XfrmState>> {
  return dumpXfrm(from, dumpStates, (found: Map<string, XfrmState>, message) => {
    const state = readState(message);
    if (state === undefined) return;
    const key = stateKey(state);
    const arrivesFrom = from.arrivals.get(key);
    const isElsewhere = state.encap !== undefined && arrivesFrom !== undefined && arrivesFrom !== state.encap.sport;
    found.set(key, isElsewhere ? { ...state, arrivesFrom } : state);
  });
}
