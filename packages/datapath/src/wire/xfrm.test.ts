import { type Ip, ipFromBytes, type Prefix } from '@causeway/model';
import type { Encode } from '@causeway/netlink';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ourPriority, ourReqid } from '../owner.ts';
import {
  policyDeletion,
  putBytes,
  received,
  saDeletion,
  saExpiry,
  saMessage,
  withMore,
} from '../testing/kernel-messages.ts';
import { block, demand, ends, saKey, state } from '../testing/xfrm-fixtures.ts';
import * as k from './xfrm-constants.ts';
import { type PolicyAction, readPolicy, setPolicy, type XfrmPolicy } from './xfrm-policy.ts';
import { addState, kindOfState, readState, type SaLimit, type XfrmState } from './xfrm-state.ts';

/* What the decoders of IPsec say of messages. That the kernel sends such messages is what the contract shows. */

const port = fc.integer({ min: 1, max: 0xffff });
const number = fc.integer({ min: 1, max: 0xffff_ffff });
const amount = fc.integer({ min: 1, max: 2 ** 48 });
const ipOf = (length: 4 | 16): fc.Arbitrary<Ip> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ipFromBytes(bytes));
const pair = fc
  .constantFrom(4 as const, 16 as const)
  .chain((length) => fc.record({ src: ipOf(length), dst: ipOf(length) }));
const optional = { requiredKeys: [] };

/** Without a limit, the kernel's message and what is read of it have no object. */
const limit = fc
  .record({ bytes: amount, packets: amount, seconds: amount }, optional)
  .map((each): SaLimit | undefined => (Object.keys(each).length === 0 ? undefined : each));
const limits = fc
  .record({ soft: limit, hard: limit })
  .map(({ soft, hard }) => ({ ...(soft && { soft }), ...(hard && { hard }) }));

const anyState: fc.Arbitrary<XfrmState> = fc
  .record({
    addresses: pair,
    direction: fc.constantFrom('in' as const, 'out' as const),
    spi: number,
    reqid: fc.integer({ min: 0x6377_0000, max: 0x6377_ffff }),
    seed: fc.nat({ max: 255 }),
    limits,
    encap: fc.option(fc.record({ sport: port, dport: port }), { nil: undefined }),
  })
  .map(({ addresses, seed, encap, ...of }) =>
    state({ ...of, ...addresses, key: saKey(seed), ...(encap && { encap }) }),
  );

const action: fc.Arbitrary<PolicyAction> = fc.oneof(
  fc.constant({ kind: 'block' as const }),
  fc
    .record({ addresses: pair, reqid: fc.integer({ min: 0x6377_0000, max: 0x6377_ffff }), spi: fc.option(number) })
    .map(({ addresses, reqid, spi }) => ({ kind: 'esp' as const, ...addresses, reqid, ...(spi !== null && { spi }) })),
);
const anyPolicy: fc.Arbitrary<XfrmPolicy> = fc
  .record({
    addresses: pair,
    lengths: fc.tuple(fc.nat({ max: 32 }), fc.nat({ max: 32 })),
    ports: fc.record({ sport: port, dport: port }, optional),
    direction: fc.constantFrom('in' as const, 'out' as const, 'fwd' as const),
    priority: fc.integer({ min: 0x6300, max: 0x63ff }),
    action,
  })
  .map(({ addresses: { src, dst }, lengths: [a, b], ports, ...of }) => ({
    ...of,
    selector: { src: `${src}/${a}` as Prefix, dst: `${dst}/${b}` as Prefix, ...ports },
  }));

describe('what is read is what was written', () => {
  const shown = (found: XfrmState | undefined): unknown => found && { ...found, key: undefined, counts: undefined };

  it('an SA, in every message that has one', () => {
    const forms: ((add: Encode) => Encode)[] = [
      (add) => add,
      (add) => saMessage(add, k.XFRM_MSG_UPDSA),
      saDeletion,
      saExpiry,
    ];
    fc.assert(
      fc.property(anyState, fc.constantFrom(...forms), (written, form) => {
        const message = form(addState(written, 'directed'));
        const found = readState(received(message));
        expect(shown(found)).toEqual(shown(written));
        expect(found?.key.equals(written.key)).toBe(true);
        expect(kindOfState(received(message))).toBe('ours');
      }),
    );
  });

  it('a policy, when it is set and when it is deleted', () => {
    fc.assert(
      fc.property(anyPolicy, (written) => {
        expect(readPolicy(received(setPolicy(written)))).toEqual(written);
        expect(readPolicy(received(policyDeletion(setPolicy(written))))).toEqual(written);
      }),
    );
  });
});

it('the counts of an SA are those of the kernel', () => {
  const add = addState(state(), 'directed');
  const counted: Encode = (to) => {
    add(to);
    // nlmsghdr, then struct xfrm_usersa_info: curlft at 160, stats at 192.
    const view = new DataView(to.buffer.buffer, to.buffer.byteOffset);
    for (const [n, value] of [5_000n, 7n, 1_795_000_000n].entries()) view.setBigUint64(16 + 160 + 8 * n, value, true);
    for (const [n, value] of [2, 3, 9].entries()) view.setUint32(16 + 192 + 4 * n, value, true);
  };
  expect(readState(received(counted))?.counts).toEqual({
    ...{ bytes: 5_000, packets: 7, addedAt: 1_795_000_000, replays: 5 },
  });
});

it('a policy that lets ICMP errors quote packets in the clear is not as we make it', () => {
  const set = setPolicy(block('out'));
  const unflagged: Encode = (to) => {
    set(to);
    to.buffer[16 + 162] = 0; // nlmsghdr; the flags of struct xfrm_userpolicy_info
  };
  expect(readPolicy(received(set))?.action).toEqual({ kind: 'block' });
  expect(readPolicy(received(unflagged))?.action).toEqual({ kind: 'other' });
});

describe('an SA that was found', () => {
  const [four, six] = [ends[4], ends[6]];
  const outgoing = state({ direction: 'out', src: four.here, dst: four.there });
  const add = addState(state(), 'directed');
  const replay =
    (window: number): Encode =>
    (to) => {
      const at = to.attribute(k.XFRMA_REPLAY_ESN_VAL, 24);
      to.put32(at + 20, window);
    };
  const withKey = (bytes: readonly number[]): Encode => withMore(add, (to) => putBytes(to, k.XFRMA_ALG_AEAD, ...bytes));

  /** struct xfrm_algo_aead: a name, the lengths of the key and of the ICV in bits, and the key. */
  const aead = (name: string, bits = 160): number[] => {
    const bytes = new Uint8Array(92);
    bytes.set(Buffer.from(name));
    const view = new DataView(bytes.buffer);
    view.setUint32(64, bits, true);
    view.setUint32(68, 128, true);
    return [...bytes];
  };

  it.each<[string, Encode, Partial<XfrmState>]>([
    [
      'by a kernel before Linux 6.10: no direction, and a window',
      addState(outgoing, 'undirected'),
      { direction: 'unknown', isStrict: true },
    ],
    ['that sends and has no window', addState(outgoing, 'directed'), { direction: 'out', isStrict: true }],
    ['that sends and has a window', withMore(addState(outgoing, 'directed'), replay(64)), { isStrict: true }],
    ['that receives and has no window: replays pass', withMore(add, replay(0)), { direction: 'in', isStrict: false }],
    ['that receives and has a window that is too large', withMore(add, replay(512)), { isStrict: false }],
    [
      'with a replay state that is cut off: no window is known',
      withMore(addState(outgoing, 'directed'), (to) => putBytes(to, k.XFRMA_REPLAY_ESN_VAL, 1)),
      { isStrict: true },
    ],
    [
      'with a template of an encapsulation that is cut off',
      withMore(add, (to) => putBytes(to, k.XFRMA_ENCAP, 2, 0, 17, 148)),
      { isStrict: true },
    ],
    ['with more that is not read', withMore(add, (to) => to.u32(200, 1)), { isStrict: true }],
    ['of a cipher whose name begins as ours', withKey(aead('rfc4106(gcm(aes))x')), { isStrict: false }],
    ['of our cipher', withKey(aead('rfc4106(gcm(aes))')), { isStrict: true }],
    ['of our cipher with another length of its key', withKey(aead('rfc4106(gcm(aes))', 288)), { isStrict: false }],
    ['of our cipher, its key cut off by a byte', withKey(aead('rfc4106(gcm(aes))').slice(0, -1)), { isStrict: false }],
    ['of another cipher', withKey([...Buffer.from('rfc4309(ccm(aes))'), ...Array(75).fill(0)]), { isStrict: false }],
    [
      'of a key that is cut off',
      withKey([...Buffer.from('rfc4106(gcm(aes))'), ...Array(10).fill(0)]),
      { isStrict: false },
    ],
  ])('%s', (_, message, expected) => {
    expect(readState(received(message))).toMatchObject(expected);
    expect(readState(received(message))?.encap).toBeUndefined();
  });

  it('has a replay state of exactly its fixed part, without a bitmap', () => {
    const unmarked = addState(outgoing, 'undirected');
    expect(readState(received(withMore(unmarked, replay(64))))?.isStrict).toBe(false);
    expect(readState(received(withMore(unmarked, replay(256))))?.isStrict).toBe(true);
  });

  it.each<[string, Encode]>([
    ['a mark', (to) => putBytes(to, k.XFRMA_MARK, 1, 0, 0, 0, 255, 0, 0, 0)],
    ['an xfrm interface', (to) => to.u32(k.XFRMA_IF_ID, 1)],
  ])('is not ours when it is only for packets with %s', (_, attribute) => {
    expect(readState(received(withMore(add, attribute)))).toBeUndefined();
  });

  it.each<[string, number]>([
    ['authentication', k.XFRMA_ALG_AUTH],
    ['authentication with a length', k.XFRMA_ALG_AUTH_TRUNC],
    ['encryption', k.XFRMA_ALG_CRYPT],
    ['both', k.XFRMA_ALG_AEAD],
  ])('of another program: the key of its %s is overwritten too', (_, type) => {
    const secret = Array.from({ length: 76 }, (__, n) => 100 + n);
    for (const read of [readState, kindOfState]) {
      const message = received(
        withMore(addState(state({ reqid: 7 }), 'directed'), (to) => putBytes(to, type, ...secret)),
      );
      read(message);
      expect(Buffer.from(message.bytes).includes(Buffer.from(secret.slice(-4)))).toBe(false);
    }
  });

  it('keeps other attributes as they are', () => {
    const message = received(withMore(add, (to) => putBytes(to, 200, 1, 2, 3, 4)));
    readState(message);
    expect(Buffer.from(message.bytes).includes(Buffer.from([1, 2, 3, 4]))).toBe(true);
  });

  it('is foreign in a notification without the SA, or with half of it', () => {
    const half =
      (length: number): Encode =>
      (to) => {
        to.begin(k.XFRM_MSG_DELSA);
        to.struct(24);
        putBytes(to, 200, 1);
        if (length > 0) putBytes(to, k.XFRMA_SA, ...received(add).slice(0, length));
        to.end();
      };
    for (const length of [0, 223]) {
      expect([readState(received(half(length))), kindOfState(received(half(length)))]).toEqual([undefined, 'foreign']);
    }
  });

  it.each<[string, number, number, boolean]>([
    ['as it was written', 0, 0, true],
    ['another source', 16 + 3, 99, false],
    ['another destination', 3, 99, false],
    ['a part of the sources', 43, 24, false],
    ['a part of the destinations', 42, 24, false],
    ['one protocol', 44, 17, false],
    ['of another family', 40, 10, false],
  ])('whether its selector takes all packets between its ends: %s', (_, at, value, isStrict) => {
    const message = received(add);
    if (at > 0) message.bytes[message.start + at] = value;
    expect(readState(message)?.isStrict).toBe(isStrict);
  });

  it('has ends of one family, and a length of its selector that fits', () => {
    const message = received(addState(state({ src: six.there, dst: six.here }), 'directed'));
    for (const at of [42, 43]) message.bytes[message.start + at] = 32;
    expect(readState(message)?.isStrict).toBe(false);
  });
});

describe('a policy that was found', () => {
  const { here, there } = ends[4];
  const esp = setPolicy(demand('out', here, there));
  const template = (to: Encode): Uint8Array => {
    const message = received(to);
    return message.bytes.slice(message.start + 168 + 4, message.end);
  };
  const second = withMore(setPolicy(block('out')), (to) => {
    const bytes = to.buffer;
    bytes.set([...template(esp), ...template(esp)], to.attribute(k.XFRMA_TMPL, 128));
  });

  it.each<[string, Encode, string | undefined]>([
    ['with more that is not read', withMore(esp, (to) => putBytes(to, 200, ...template(esp))), 'esp'],
    [
      'only for packets with a mark',
      withMore(esp, (to) => putBytes(to, k.XFRMA_MARK, 1, 0, 0, 0, 255, 0, 0, 0)),
      undefined,
    ],
    ['only for packets of an xfrm interface', withMore(esp, (to) => to.u32(k.XFRMA_IF_ID, 1)), undefined],
    [
      'with a template that is cut off',
      withMore(esp, (to) => putBytes(to, k.XFRMA_TMPL, ...template(esp).subarray(0, 63))),
      'other',
    ],
    ['that demands two SAs', withAction(second, k.XFRM_POLICY_ALLOW), 'other'],
    ['whose template has no known family', edited(esp, 168 + 4 + 24, 99), 'other'],
  ])('%s', (_, message, kind) => {
    expect(readPolicy(received(message))?.action.kind).toBe(kind);
  });

  it.each<[string, number, number, boolean]>([
    ['no port of its own, of all sources', 38, 0, true],
    ['a range of source ports', 38, 0xf0, false],
    ['no known family', 40, 99, false],
  ])('whether its selector is one of ours: %s', (_, at, value, isOurs) => {
    expect(readPolicy(received(edited(esp, at, value))) !== undefined).toBe(isOurs);
  });

  it.each<[number]>([[0], [167]])('is not ours in a notification with %i bytes of it', (length) => {
    const message: Encode = (to) => {
      to.begin(k.XFRM_MSG_DELPOLICY);
      to.struct(64);
      putBytes(to, 200, 1);
      if (length > 0) putBytes(to, k.XFRMA_POLICY, ...Array(length).fill(0x63));
      to.end();
    };
    expect(readPolicy(received(message))).toBeUndefined();
  });

  it.each<[string, number, boolean]>([
    ['the first of ours', 0x6300, true],
    ['the last of ours', ourPriority.block, true],
    ['one below', 0x62ff, false],
    ['one above', 0x6400, false],
    ['that of ours, and higher bits', 0x1_6301, false],
  ])('is ours by its priority: %s', (_, priority, isOurs) => {
    expect(readPolicy(received(setPolicy(demand('in', there, here, { priority })))) !== undefined).toBe(isOurs);
  });

  it.each<[string, number, boolean]>([
    ['the one that we set', ourReqid, true],
    ['another with our prefix', 0x6377_ffff, true],
    ['one below', 0x6376_ffff, false],
    ['one above', 0x6378_0000, false],
  ])('is ours by the reqid that it demands: %s', (_, reqid, isOurs) => {
    expect(readPolicy(received(setPolicy(demand('in', there, here, { reqid })))) !== undefined).toBe(isOurs);
    expect(readState(received(addState(state({ reqid }), 'directed'))) !== undefined).toBe(isOurs);
  });
});

/** The message of an encoder with one byte of its body changed. */
function edited(encode: Encode, at: number, value: number): Encode {
  return (to) => {
    const start = to.bytes.length + 16;
    encode(to);
    to.put8(start + at, value);
  };
}

function withAction(encode: Encode, value: number): Encode {
  return edited(encode, 161, value);
}
