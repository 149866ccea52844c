import { formatPeer, type Role } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type CausewayError, type ClusterId, mostManagers, type Name } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Enrolled, type Enrollment, enroll } from './enroll.ts';
import { MemoryHome, MemoryManagers } from './testing/index.ts';

const addresses = ['10.0.0.1:7443', '10.0.0.2:7443', '10.0.0.3:7443'];
const [first = '', second = '', third = ''] = addresses;

let clock: FakeClock;
let random: SeededRandom;
let managers: MemoryManagers;
let home: MemoryHome;
let remarks: string[];

beforeEach(() => {
  clock = new FakeClock();
  random = new SeededRandom(5);
  managers = new MemoryManagers({ clock, random }, addresses);
  home = new MemoryHome();
  remarks = [];
});

function join(asked: Partial<Enrollment> = {}): Promise<Enrolled> {
  const onRemark = (remark: string): void => void remarks.push(remark);
  const parts = { knock: managers.knock, home, createKey, clock, random, onRemark };
  const enrollment = { token: managers.createToken('agent'), addresses: [first], name: 'h1' as Name, ...asked };
  return clock.until(enroll(parts, enrollment, new AbortController().signal), minutes(2));
}

async function refusalOf(asked: Partial<Enrollment> = {}): Promise<CausewayError> {
  return await join(asked).then(
    () => expect.fail('the host was admitted'),
    (error: CausewayError) => error,
  );
}

describe('a host joins', () => {
  test('as what the token says, and knows all managers', async () => {
    const { membership, wasMember } = await join();
    expect(membership).toMatchObject({ name: { cluster: managers.cluster, role: 'agent' }, managers: addresses });
    expect(wasMember).toBe(false);
    expect(home.kept?.sealingKeyFile).toBeUndefined();
  });

  test('as a manager, with the sealing key', async () => {
    await join({ token: managers.createToken('manager'), name: 'm2' as Name, hosts: ['10.0.0.9'] });
    expect(home.kept).toMatchObject({ name: { role: 'manager', id: 'm2' }, sealingKeyFile: 'the sealing key\n' });
  });

  test('twice with the same token: the second time finds that all is done', async () => {
    const token = managers.createToken('agent');
    const { membership } = await join({ token });
    managers.fault(first, 'closed');
    expect(await join({ token })).toEqual({ membership: home.kept, wasMember: true });
    expect(remarks).toEqual([
      `${first} is not used: connect ECONNREFUSED ${first}`,
      expect.stringMatching(/^no manager has said whether agent\/\S+ is still a member$/),
    ]);
    expect(home.kept?.name).toEqual(membership.name);
    expect(managers.used(token)).toBe(1);
  });

  test.each<Role>(['agent', 'manager', 'operator'])('and was removed: the same token says so, as %s', async (role) => {
    const token = managers.createToken(role);
    const { membership } = await join({ token });
    managers.removed.add(formatPeer(membership.name));
    managers.fault(first, 'silent');
    const { code, message } = await refusalOf({ token, addresses: [first, second] });
    expect(code).toBe(role === 'manager' ? 'manager-removed' : 'node-removed');
    expect(message).toMatch(
      /^\S+ was removed from the cluster 0123456789abcdef: .* first, then join with a new token$/,
    );
    expect(message).toContain(role === 'operator' ? 'remove the context' : 'run "causeway leave"');
    expect(managers.used(token)).toBe(1);
  });

  test('again with a new token: it keeps its id', async () => {
    const before = (await join()).membership.name;
    const { membership, wasMember } = await join();
    expect(membership.name).toEqual(before);
    expect(wasMember).toBe(false);
  });

  test('although the answer was lost: the next run uses the token no second time', async () => {
    const token = managers.createToken('agent');
    managers.fault(first, 'lost');
    expect(await refusalOf({ token })).toMatchObject({ code: 'timed-out' });
    expect(home.kept).toBeUndefined();
    managers.fault(first, undefined);
    await join({ token });
    expect(managers.used(token)).toBe(1);
    expect(home.begun).toBeUndefined();
  });

  test('although the answer was lost, by another manager', async () => {
    const token = managers.createToken('agent');
    managers.fault(first, 'lost');
    await join({ token, addresses });
    expect(managers.calls.slice(-2)).toEqual([`join ${first}`, `join ${second}`]);
    expect(managers.used(token)).toBe(1);
  });

  test('with another name than in the attempt that was interrupted', async () => {
    const token = managers.createToken('agent', 2);
    managers.fault(first, 'lost');
    await refusalOf({ token });
    managers.fault(first, undefined);
    await join({ token, name: 'h2' as Name });
    expect(managers.used(token)).toBe(2);
  });

  test('by a manager that answers, and says which do not', async () => {
    managers.fault(first, 'closed');
    managers.fault(second, 'silent');
    const began = clock.now();
    await join({ addresses });
    expect(managers.calls).toEqual([`getTrust ${third}`, `join ${third}`]);
    expect(remarks).toEqual([
      `${first} is not used: connect ECONNREFUSED ${first}`,
      `${second} is not used: no answer in time`,
    ]);
    expect(clock.now() - began).toBeLessThan(seconds(5));
  });

  test('once the managers have elected a leader', async () => {
    managers.fault(first, 'electing');
    const joining = join();
    void clock.sleep(seconds(3), new AbortController().signal).then(() => managers.fault(first, undefined));
    await joining;
    expect(managers.calls.at(-1)).toBe(`join ${first}`);
  });
});

describe('a host is told within five seconds which managers do not answer', () => {
  test.each<[string, Parameters<MemoryManagers['fault']>[1], string, string]>([
    ['no process listens', 'closed', 'manager-unavailable', `${first}: connect ECONNREFUSED ${first}`],
    ['packets are dropped', 'silent', 'timed-out', `${first}: no answer in time`],
  ])('%s', async (_, fault, code, said) => {
    managers.fault(first, fault);
    const began = clock.now();
    const error = await refusalOf();
    expect(error).toMatchObject({ code, data: { at: first } });
    expect(error.message).toBe(`no manager admits this host: ${said}`);
    expect(clock.now() - began).toBeLessThan(seconds(5));
  });

  test('all of several', async () => {
    for (const address of addresses) managers.fault(address, 'closed');
    expect(await refusalOf({ addresses })).toMatchObject({ data: { at: addresses.join(',') } });
  });
});

describe('a host is refused', () => {
  test('by the token of another cluster, before anything is sent', async () => {
    const others = new MemoryManagers({ clock, random }, addresses, 'fedcba9876543210' as ClusterId);
    expect(await refusalOf({ token: others.createToken('agent') })).toMatchObject({ code: 'ca-mismatch' });
    expect(managers.calls).toEqual([]);
  });

  test.each([
    ['ahead', -minutes(60)],
    ['behind', minutes(60)],
  ])('when its clock is an hour %s, before the token is sent', async (how, ahead) => {
    managers.ahead = ahead;
    const error = await refusalOf();
    expect(error.code).toBe('clock-wrong');
    expect(error.message).toContain(how);
    expect(managers.calls).toEqual([`getTrust ${first}`]);
  });

  test.each<[string, () => Promise<Enrollment['token']>, string]>([
    [
      'used',
      async () => {
        const token = managers.createToken('agent');
        await join({ token });
        home = new MemoryHome();
        return token;
      },
      'token-used',
    ],
    [
      'expired',
      async () => {
        const token = managers.createToken('agent');
        await clock.advance(minutes(61));
        return token;
      },
      'token-expired',
    ],
    ['unknown', async () => ({ ...managers.createToken('agent'), secret: new Uint8Array(16) }), 'token-refused'],
  ])('by a token that is %s, and no other manager is asked', async (_, tokenOf, code) => {
    const token = await tokenOf();
    managers.calls.length = 0;
    expect(await refusalOf({ token, addresses })).toMatchObject({ code });
    expect(managers.calls.filter((call) => call.startsWith('join'))).toEqual([`join ${first}`]);
    expect(home.kept).toBeUndefined();
  });

  test('when it is a member of another cluster', async () => {
    await join();
    managers = new MemoryManagers({ clock, random }, addresses, 'fedcba9876543210' as ClusterId);
    const error = await refusalOf();
    expect(error).toMatchObject({ code: 'cluster-mismatch', data: { actual: 'fedcba9876543210' } });
    expect(error.message).toContain('"causeway leave"');
    expect(managers.calls).toEqual([`getTrust ${first}`]);
  });

  test('when it is a manager with another name', async () => {
    await join({ token: managers.createToken('manager'), name: 'm1' as Name });
    const error = await refusalOf({ token: managers.createToken('manager'), name: 'm2' as Name });
    expect(error).toMatchObject({ code: 'name-taken', data: { field: 'name' } });
  });

  test('when the managers elect no leader', async () => {
    managers.fault(first, 'electing');
    expect(await refusalOf()).toMatchObject({ code: 'not-leader', data: { at: first } });
  });

  test('without an address', async () => {
    expect(await refusalOf({ addresses: [] })).toMatchObject({ code: 'invalid-argument' });
  });
});

test('a wrong answer is not kept', async () => {
  const knock: typeof managers.knock = (...of) => {
    const door = managers.knock(...of);
    return { ...door, join: async (...call) => ({ ...(await door.join(...call)), managers: ['h1:1\nCAUSEWAY_X=y'] }) };
  };
  const asked = { token: managers.createToken('agent'), addresses: [first], name: 'h1' as Name };
  const joining = enroll({ knock, home, createKey, clock, random }, asked, new AbortController().signal);
  await expect(joining).rejects.toMatchObject({ code: 'internal' });
  expect(home.kept).toBeUndefined();
  expect(home.begun).toBeDefined();
});

test('what is no address to connect to is left out of the managers that are kept', async () => {
  const told = ['0.0.0.0:7443', 'localhost:7443', second, ...Array.from({ length: 50 }, (_, i) => `10.1.0.${i}:7443`)];
  const knock: typeof managers.knock = (...of) => {
    const door = managers.knock(...of);
    return { ...door, join: async (...call) => ({ ...(await door.join(...call)), managers: told }) };
  };
  const asked = { token: managers.createToken('agent'), addresses: [first], name: 'h1' as Name };
  const { membership } = await enroll({ knock, home, createKey, clock, random }, asked, new AbortController().signal);
  expect(membership.managers).toEqual(told.slice(2, 2 + mostManagers));
});
