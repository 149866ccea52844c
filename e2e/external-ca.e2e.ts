import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Lab, type Outcome, type Run } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusJson } from './answers.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

/** ms. A join that is refused is tried again for 30 s. */
const patience = 60_000;
/** ms. Members ask every minute which roots are trusted, twice in a rotation. */
const rotation = 300_000;

const documented = fileURLToPath(new URL('../docs/ca-program.sh', import.meta.url));
const own = '/var/lib/causeway/external';
const program = `${own}/issue`;
const root = `${own}/host`;
const home = ['env', '-u', 'CAUSEWAY_MANAGERS', '-u', 'CAUSEWAY_CONTEXT', `XDG_CONFIG_HOME=${own}/config`];

interface CaJson {
  readonly generation: number;
  readonly rotating: boolean;
  readonly roots: readonly { readonly fingerprint: string }[];
  readonly external: readonly { readonly manager: string; readonly failure: string | null }[] | null;
}

/** The program of the documentation, which first does what the file for the role of the holder says. */
const wrapper = `#!/bin/sh
case $(cat ${own}/mode-$CAUSEWAY_ROLE 2> /dev/null) in
  hang) sleep 1000 ;;
  fail) echo 'the HSM does not answer' >&2; exit 3 ;;
  other-key) openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj / 2> /dev/null | ${own}/signer; exit ;;
  other-holder) export CAUSEWAY_URI=\${CAUSEWAY_URI%/*}/ffffffffffffffff ;;
esac
exec ${own}/signer
`;

/** Makes a root. `name`: of its files beside the program. Prints its fingerprint. */
const makeRoot = (name: string): string => `
cd ${own}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.pem \\
  -subj '/O=operators/CN=${name}' -days 3650 -not_before "$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)" \\
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
pin=$(openssl x509 -in ${name}.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1)
cp ${name}.pem $pin.pem; cp ${name}.key $pin.key; echo $pin`;

// One story: each test begins with the state that the test before has left.
describeLab('a cluster whose CA is a program of the operators', () => {
  let lab: Lab;
  let address: string;
  /** Fingerprints of the roots. */
  let first: string;
  let next: string;
  const running: Run[] = [];

  beforeAll(async () => {
    lab = await Lab.layOut({ name: 'external-ca', hosts: 1, subnet: '10.97.0.0/24' });
    address = `${lab.underlay('h1')}:7443`;
    await lab.run('h1', 'mkdir', '-p', own);
    await lab.feed('h1', ['tee', `${own}/signer`], await readFile(documented, 'utf8'));
    await lab.feed('h1', ['tee', program], wrapper);
    await lab.run('h1', 'chmod', '755', program, `${own}/signer`);
    first = (await lab.sh('h1', makeRoot('root'))).trim();
    next = (await lab.sh('h1', makeRoot('next'))).trim();
  });
  afterAll(async () => {
    await lab?.down();
    await Promise.all(running.map(({ outcome }) => outcome));
  });

  const causeway = (...words: readonly string[]): Promise<Outcome> => lab.try('h1', ...home, 'causeway', ...words);
  const json = async <Value>(...words: readonly string[]): Promise<Value> =>
    JSON.parse((await causeway(...words, '-o', 'json')).stdout) as Value;
  const serve = async (service: 'manager' | 'agent'): Promise<void> => {
    const script = `set -a; . ${root}/etc/causeway/${service}.env; exec causeway-${service}`;
    running.push(await lab.start('h1', ['sh', '-c', script]));
  };
  const token = async (role: string): Promise<string> => {
    const words = role === 'operator' ? ['operator', 'token'] : ['node', 'token', 'create', '--role', role];
    return (await json<{ token: string }>(...words)).token;
  };
  const join = (given: string, name: string, below = `${own}/${name}`): Promise<Outcome> =>
    causeway('join', address, '--token', given, '--name', name, '--root', below);
  /** What the program does when it is asked for a certificate of this role. */
  const mode = (role: string, what: string): Promise<string> => lab.sh('h1', `echo ${what} > ${own}/mode-${role}`);
  const isReady = async (): Promise<void> => expect((await json<StatusJson>('status')).hosts.ready).toBe(1);

  test('is founded: the program signs, and nothing of the manager has the key', async () => {
    const ca = ['--ca-cert', `${own}/root.pem`, '--ca-program', program];
    const outcome = await causeway('init', '--root', root, '--name', 'm1', '--listen', address, ...ca);
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stdout).toContain(`fingerprint of the CA: ${first}`);
    const identity = `${root}/var/lib/causeway/manager/identity/identity.pem`;
    expect(await lab.run('h1', 'openssl', 'verify', '-CAfile', `${own}/root.pem`, identity)).toContain('OK');
    const key = (await lab.sh('h1', `openssl pkey -in ${own}/root.key | sed -n 2p`)).trim();
    expect(key).toMatch(/^[A-Za-z0-9+/]{64}$/);
    expect(await lab.try('h1', 'grep', '-rlF', key, root)).toMatchObject({ code: 1, stdout: '' });
  });

  test('a host joins, and its agent serves', async () => {
    await serve('manager');
    const given = await eventually(() => token('agent'), patience);
    expect(await join(given, 'h1', root)).toMatchObject({ code: 0 });
    await serve('agent');
    await eventually(isReady, patience);
    expect(await json<CaJson>('ca', 'show')).toMatchObject({ external: [{ manager: 'm1', failure: null }] });
  });

  test(
    'when the program fails or prints something else, those who join are told why, and so is the operator',
    async () => {
      const wrong: readonly (readonly [string, string, string])[] = [
        ['agent', 'fail', 'it ended with status 3; what it said is in the log of the manager'],
        ['manager', 'other-holder', 'lack URI:spiffe://'],
        ['operator', 'other-key', 'it is of another key than the request'],
      ];
      const tokens = await Promise.all(wrong.map(([role]) => token(role)));
      for (const [role, what] of wrong) await mode(role, what);
      const asked = [
        join(tokens[0] ?? '', 'h2'),
        join(tokens[1] ?? '', 'm2'),
        causeway('context', 'add', 'second', '--managers', address, '--token', tokens[2] ?? ''),
      ];
      const outcomes = await Promise.all(asked);
      for (const [i, [, , why]] of wrong.entries()) {
        expect(outcomes[i]?.stderr).toContain(why);
        expect(outcomes[i]?.stderr).not.toContain('HSM');
        expect(outcomes[i]?.code).toBe(5);
      }
      expect((await causeway('doctor')).stdout).toMatch(/the program \/var\/lib\/causeway\/external\/issue/);
    },
    patience * 2,
  );

  test(
    'a host that joins while the program hangs is admitted when the program is mended',
    async () => {
      await mode('agent', 'hang');
      const given = await token('agent');
      const joining = join(given, 'h2');
      await eventually(async () => {
        const { external } = await json<CaJson>('ca', 'show');
        expect(external?.[0]?.failure).toContain('it did not end within 8s');
      }, patience);
      for (const role of ['agent', 'manager', 'operator']) await mode(role, 'ok');
      expect(await joining).toMatchObject({ code: 0 });
      expect(await json<CaJson>('ca', 'show')).toMatchObject({ external: [{ failure: null }] });
      expect((await causeway('doctor')).stdout).not.toContain(program);
      // No agent runs for it, so the rotation would wait for it.
      expect(await causeway('node', 'remove', 'h2')).toMatchObject({ code: 0 });
    },
    patience * 2,
  );

  test(
    'its CA is replaced by the next root that the program has, and the agent stays',
    async () => {
      const before = await json<CaJson>('ca', 'show');
      expect(before.roots.map(({ fingerprint }) => fingerprint)).toEqual([first]);
      const rotated = await causeway('ca', 'rotate', '-o', 'json', '--timeout', '60s');
      expect(rotated).toMatchObject({ code: 0 });
      const after = await json<CaJson>('ca', 'show');
      expect(after).toMatchObject({ generation: before.generation + 1, rotating: false });
      expect(after.roots.map(({ fingerprint }) => fingerprint)).toEqual([next]);
      await eventually(isReady, patience);
      expect(await join(await token('agent'), 'h9')).toMatchObject({ code: 0 });
      const identity = `${own}/h9/var/lib/causeway/agent/identity/identity.pem`;
      expect(await lab.run('h1', 'openssl', 'verify', '-CAfile', `${own}/next.pem`, identity)).toContain('OK');
    },
    rotation,
  );
}, ['openssl']);
