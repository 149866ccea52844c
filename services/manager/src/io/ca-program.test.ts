import {
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Authority,
  createRequest,
  formatCertificates,
  formatPin,
  formatPrivateKey,
  orderFor,
  parsePeerName,
  pinOf,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type ClusterId, unwrap } from '@causeway/model';
import { milliseconds, minutes } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newAuthority } from '../cluster/ca/founding.ts';
import { externalCaContract } from '../testing/external-ca-contract.ts';
import { CaProgram } from './ca-program.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;
const documented = fileURLToPath(new URL('../../../../docs/ca-program.sh', import.meta.url));
let directory: string;
let path: string;
let log: MemoryLog;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'causeway-ca-program-')));
  path = join(directory, 'ca-program.sh');
  log = new MemoryLog();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

const now = (): number => systemClock.wall();
const authority = (): Authority => newAuthority({ createKey, random: cryptoRandom, now: now() }, cluster);

async function keep(name: string, { certificate, key }: Authority): Promise<void> {
  await writeFile(join(directory, `${name}.pem`), formatCertificates([certificate]));
  await writeFile(join(directory, `${name}.key`), formatPrivateKey(key), { mode: 0o600 });
}

describe('ExternalCa contract: CaProgram, with the program of the documentation', () => {
  test.each(externalCaContract)('$name', async ({ run }) => {
    const [own, next] = [authority(), authority()];
    for (const each of [own, next]) await keep(formatPin(pinOf(each.certificate)), each);
    await keep('next', next);
    await copyFile(documented, path);
    const ca = new CaProgram(path, { log, limit: minutes(1) });
    await run({ ca, cluster, root: own.certificate, strange: authority().certificate, now: now() });
  });
});

/** What a program of these lines prints, when it is asked for the certificate of a manager. */
async function printed(lines: string, limit = minutes(1), signal = new AbortController().signal): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  const name = unwrap(parsePeerName(`spiffe://${cluster}/manager/m1`));
  const root = authority().certificate;
  const ordering = { root, now: 1_800_000_000_000, life: minutes(60) };
  const order = orderFor({ name, hosts: ['10.0.0.1', 'm1'] }, createRequest(createKey()), ordering);
  return await new CaProgram(path, { log, limit }).issue(order, signal);
}

test('a program gets the request on its standard input, all else in its environment, and nothing more', async () => {
  vi.stubEnv('CAUSEWAY_TEST_SECRET', 'secret');
  const all = await printed('env; echo =====; cat; echo "args: $#"; pwd');
  const [environment = '', request = ''] = all.split('=====\n');
  const variables = environment.trim().split('\n').sort();
  const names = variables.map((line) => line.replace(/=.*/, '')).filter((name) => !ofShell.includes(name));
  expect(names).toEqual([
    ...['CAUSEWAY_CA', 'CAUSEWAY_CLUSTER', 'CAUSEWAY_DNS_NAMES', 'CAUSEWAY_ID', 'CAUSEWAY_IP_ADDRESSES'],
    ...['CAUSEWAY_NOT_AFTER', 'CAUSEWAY_NOT_BEFORE', 'CAUSEWAY_ROLE', 'CAUSEWAY_TASK', 'CAUSEWAY_URI'],
    'CAUSEWAY_USAGES',
  ]);
  expect(variables).toEqual(
    expect.arrayContaining([
      `CAUSEWAY_CLUSTER=${cluster}`,
      `CAUSEWAY_DNS_NAMES=manager.${cluster},m1`,
      'CAUSEWAY_ID=m1',
      'CAUSEWAY_IP_ADDRESSES=10.0.0.1',
      'CAUSEWAY_NOT_AFTER=2027-01-15T09:00:00Z',
      'CAUSEWAY_NOT_BEFORE=2027-01-15T07:50:00Z',
      'CAUSEWAY_ROLE=manager',
      'CAUSEWAY_TASK=certificate',
      `CAUSEWAY_URI=spiffe://${cluster}/manager/m1`,
      'CAUSEWAY_USAGES=clientAuth,serverAuth',
    ]),
  );
  expect(request).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[\w+/=\n]+-----END CERTIFICATE REQUEST-----\n/);
  expect(request).toMatch(/-----\nargs: 0\n\/\n$/);
});

/** Beside PATH and HOME, which a program gets, what a shell sets itself. */
const ofShell = ['HOME', 'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'];

describe('a program that fails is named, with what was wrong', () => {
  test.each<[string, string, RegExp]>([
    [
      'with a status',
      'cat > /dev/null; exit 3',
      /^the program \S+ \(--ca-program\) has issued nothing: it ended with status 3$/,
    ],
    ['without reading', 'exit 1', /it ended with status 1$/],
    ['by a signal', 'kill -9 $$', /it was ended by SIGKILL$/],
    ['with too much', 'yes | head -c 1000000', /it has printed more than 65536 characters$/],
  ])('%s', async (_, lines, message) => {
    const refused = { code: 'external-ca-failed', message: expect.stringMatching(message) };
    await expect(printed(lines)).rejects.toMatchObject(refused);
  });

  test('that is late, with all that it has started', async () => {
    const started = join(directory, 'started');
    const late = printed(`sleep 1000 & echo $! > ${started}; wait`, milliseconds(1_500));
    await expect(late).rejects.toMatchObject({ message: expect.stringMatching(/it did not end within 1500ms$/) });
    const pid = (await readFile(started, 'utf8')).trim();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test('whose caller leaves', async () => {
    const leaving = new AbortController();
    const left = printed(`touch ${join(directory, 'begun')}; sleep 1000`, minutes(1), leaving.signal);
    const refused = expect(left).rejects.toMatchObject({ message: expect.stringMatching(/the caller has left$/) });
    await expect.poll(() => readFile(join(directory, 'begun'), 'utf8').catch(() => 'not begun')).toBe('');
    leaving.abort();
    await refused;
  });

  test('that would begin after its caller has left', async () => {
    await expect(printed('exit 0', minutes(1), AbortSignal.abort())).rejects.toMatchObject({
      message: expect.stringMatching(/the caller has left$/),
    });
  });

  test('that is not there', async () => {
    const ca = new CaProgram(path, { log });
    const present = authority().certificate;
    const refused = { code: 'external-ca-failed', message: expect.stringContaining('it cannot be found') };
    await expect(ca.next(present, new AbortController().signal)).rejects.toMatchObject(refused);
  });

  test('that cannot be executed', async () => {
    await writeFile(path, 'text', { mode: 0o644 });
    const ca = new CaProgram(path, { log });
    const refused = { code: 'external-ca-failed', message: expect.stringContaining('it cannot be started') };
    await expect(ca.next(authority().certificate, new AbortController().signal)).rejects.toMatchObject(refused);
  });
});

test('what a program says about its failure is in the log, and not in the error, which a joiner sees', async () => {
  const error: unknown = await printed('echo "vault: token s.1234 expired" >&2; exit 1').catch((each: unknown) => each);
  expect(String(error)).toContain('what it said is in the log of the manager');
  expect(String(error)).not.toContain('s.1234');
  expect(log.lines).toEqual([
    {
      level: 'warn',
      event: 'ca.program-failed',
      fields: { program: path, reason: 'it ended with status 1', said: 'vault: token s.1234 expired' },
    },
  ]);
});

describe('a program that other users may change is not run:', () => {
  const mine = (): string => join(directory, 'mine');

  test.each<[string, () => Promise<unknown>, string]>([
    ['its mode', () => chmod(mine(), 0o777), 'mine'],
    ['the mode of its directory', () => chmod(directory, 0o777), ''],
    ['its owner (skipped unless root)', () => chown(mine(), 1234, 0), 'mine'],
    ['the owner of its directory (skipped unless root)', () => chown(directory, 1234, 0), ''],
    ['the directory of the file to which it is a link', () => move('open', 0o777), 'open'],
  ])('%s', async (what, expose, changeable) => {
    if (what.endsWith('(skipped unless root)') && process.geteuid?.() !== 0) return;
    const touched = join(directory, 'touched');
    await writeFile(mine(), `#!/bin/sh\ntouch ${touched}\n`, { mode: 0o755 });
    await symlink(mine(), path);
    const ca = new CaProgram(path, { log });
    const run = (): Promise<string> => ca.next(authority().certificate, new AbortController().signal);
    await run();
    await rm(touched);
    await expose();
    const may = `users other than root and its own user may change ${join(directory, changeable)}`;
    await expect(run()).rejects.toMatchObject({
      code: 'external-ca-failed',
      message: expect.stringMatching(`${may}$`),
    });
    await expect(readFile(touched)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  /** Moves the program into a new directory of this mode. */
  async function move(name: string, mode: number): Promise<void> {
    const moved = join(directory, name, 'mine');
    await mkdir(dirname(moved));
    await rename(mine(), moved);
    await rm(path);
    await symlink(moved, path);
    await chmod(dirname(moved), mode);
  }
});

test('at most four programs run at a time; the others wait for their turn', async () => {
  const count = 'mkdir -p D; echo > D/$$; ls D | wc -l; sleep 0.1; rm D/$$'.replaceAll('D', join(directory, 'running'));
  await writeFile(path, `#!/bin/sh\n${count}\n`, { mode: 0o755 });
  const ca = new CaProgram(path, { log, limit: minutes(1) });
  const present = authority().certificate;
  const all = await Promise.all(Array.from({ length: 9 }, () => ca.next(present, new AbortController().signal)));
  expect(Math.max(...all.map(Number))).toBeLessThanOrEqual(4);
});

/** A process that has ended and that nothing has asked for its status is a zombie: Z. */
async function isRunning(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}
