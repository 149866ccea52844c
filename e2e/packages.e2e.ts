import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Outcome, start, succeed } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';
import {
  exposed,
  filesBelow,
  modeOf,
  type Place,
  privateKeysIn,
  processPlaces,
  sealingKeysIn,
  tokenSecret,
  unlockSecret,
} from './secrets.ts';
import { SystemdHost } from './systemd-host.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const needed = ['systemctl', 'dpkg-deb', 'openssl', 'setpriv'];

/** A CA of the operators, so that the test knows its private key. */
const makeCa = `umask 077 && mkdir /root/ca && cd /root/ca
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj "/CN=CA of the operators" -days 3650 -out ca.pem \
  -addext keyUsage=critical,keyCertSign,cRLSign`;

describeLab(
  'packages on a host that systemd runs',
  () => {
    let directory: string;
    let host: SystemdHost;
    /** The PEM of the CA's private key, and the tokens that were used. */
    let caKey: string;
    const tokens: string[] = [];

    beforeAll(async () => {
      directory = await mkdtemp('/tmp/causeway-packages-');
      const packages = join(directory, 'packages');
      await mkdir(join(directory, 'host'));
      await succeed('bundle', start(process.execPath, [join(root, 'tools/bundle.mjs')]).outcome);
      await succeed('build', start(join(root, 'deploy/build-deb.sh'), [packages]).outcome);
      host = await SystemdHost.boot(join(directory, 'host'), packages);
    });
    afterAll(async () => {
      await host?.end();
      await rm(directory, { recursive: true, force: true });
    });

    const property = async (unit: string, name: string): Promise<string> =>
      (await host.sh(`systemctl show --value --property ${name} ${unit}`)).trim();

    test('installed: programs, units, settings that only root reads; nothing is started', async () => {
      const said = await host.sh('dpkg --install --force-depends /packages/*.deb 2>&1');
      expect(said).toContain(
        'causeway-agent: "causeway init" founds a cluster, "causeway join ADDRESS --token TOKEN" joins one; both write /etc/causeway/agent.env',
      );
      expect((await host.sh('causeway version')).trim()).toMatch(/^causeway \d/);
      expect(await host.sh('stat -c %a /etc/causeway/*.env')).toBe('600\n600\n');
      expect(await property('causeway-agent', 'ActiveState')).toBe('inactive');
    });

    test('settings that are missing end the service for good, with the name of what is missing', async () => {
      expect((await host.try('systemctl start causeway-agent')).code).not.toBe(0);
      expect(await property('causeway-agent', 'ActiveState')).toBe('failed');
      expect(await property('causeway-agent', 'ExecMainStatus')).toBe('2');
      expect(await property('causeway-agent', 'NRestarts')).toBe('0');
      expect(await host.sh('journalctl --unit causeway-agent')).toContain('--name (or CAUSEWAY_NAME) is missing');
    });

    test('two commands make a cluster, and both may be repeated', async () => {
      await host.sh(makeCa);
      caKey = await host.sh('cat /root/ca/ca.key');
      const said = await host.sh(
        'causeway init --name m1 --listen 192.0.2.1 --ca-cert /root/ca/ca.pem --ca-key /root/ca/ca.key && rm -r /root/ca',
      );
      const [join = '', token = ''] = /causeway join 192\.0\.2\.1:7443 --token (CWAY1-agent-\S+)/.exec(said) ?? [];
      tokens.push(token);
      expect(await host.sh(`${join} --name h1`)).toMatch(/^host h1 \(\w+\) has joined the cluster/);
      expect(await property('causeway-manager', 'ActiveState')).toBe('active');
      expect(await property('causeway-agent', 'ActiveState')).toBe('active');
      await eventually(async () => expect(await host.sh('causeway status')).toContain('1/1 ready'));
      expect(await host.sh(`${join} --name h1`)).toContain('is a member of the cluster already');
      expect(await host.sh('causeway init')).toContain('causeway join 192.0.2.1:7443 --token CWAY1-agent-');
      const used = JSON.parse(await host.sh('causeway node token list -o json')) as { used: number }[];
      expect(used.filter((token) => token.used > 0)).toHaveLength(1);
    });

    test('a user becomes an operator with a token, and is none any more after a revocation', async () => {
      const as =
        'setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp/mary XDG_CONFIG_HOME=/tmp/mary causeway';
      await host.sh('install --directory --owner 65534 --mode 700 /tmp/mary');
      const token = (await host.sh('causeway operator token -q')).trim();
      tokens.push(token);
      await host.sh(`${as} context add prod --managers 192.0.2.1 --operator mary --token ${token}`);
      expect(JSON.parse(await host.sh(`${as} context list -o json`))).toMatchObject([{ name: 'prod', inUse: true }]);
      await host.sh(`${as} network create green --subnet 10.67.0.0/24`);
      expect(await host.sh('causeway events --kind network.created -o json')).toContain('"subject": "operator/mary"');
      const again = await host.try(`${as} context add other --managers 192.0.2.1 --operator eve --token ${token}`);
      expect(again).toMatchObject({ code: 1 });
      await host.sh(`${as} network delete green`);
      await host.sh('causeway operator revoke mary');
      await eventually(async () => expect((await host.try(`${as} network list`)).stderr).toContain('mary was removed'));
    });

    test('the host leaves the cluster, and joins it again', async () => {
      expect(await host.sh('causeway leave --service agent')).toMatch(/^agent\/\w+ has left the cluster/);
      expect(await property('causeway-agent', 'ActiveState')).toBe('inactive');
      expect(await host.sh('causeway node list -o name')).toBe('');
      expect(await host.sh('causeway leave --service agent')).toContain('this host is a member of no cluster');
      const token = (await host.sh('causeway node token create --role agent -q')).trim();
      tokens.push(token);
      await host.sh(`causeway join 192.0.2.1 --name h1 --token ${token}`);
      await eventually(async () => expect(await host.sh('causeway status')).toContain('1/1 ready'));
    });

    test('no secret is in a log, an error, an answer, an argument, an environment, the store, or a file but its own', async () => {
      // A token that is not used, and one that is used up; with each, the mistakes of people.
      const unused = (await host.sh('causeway node token create --role manager -q')).trim();
      const unlockKey = (await host.sh('causeway ca autolock on -q')).trim();
      const mistyped = (text: string): string => `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
      const mistakes = [
        `causeway join 192.0.2.1 --name m2 --token ${mistyped(unused)}`,
        `causeway context add again --managers 192.0.2.1 --token ${tokens[0]}`,
        `causeway context add again --managers 192.0.2.1 --token ${tokens[1]}`,
        `causeway node token revoke ${unused}`,
        `causeway network show ${unused}`,
        `causeway ca unlock --key ${mistyped(unlockKey)}`,
      ];
      const failures: Outcome[] = [];
      for (const words of mistakes) failures.push(await host.try(`${words} --debug`));
      for (const [i, { code }] of failures.entries()) expect(code, mistakes[i]).not.toBe(0);
      await host.sh('causeway ca autolock off');
      const questions = ['status', 'doctor', 'crypto status', 'verify', 'events', 'ca show', 'node list']
        .concat(['node token list', 'operator list', 'manager show m1', 'context list'])
        .map((words) => `causeway ${words} -o json`)
        .concat(['journalctl --all --no-pager -o json']);
      const answers = [...failures, ...(await Promise.all(questions.map((words) => host.try(words))))];
      for (const { stdout, stderr } of answers) expect(stdout + stderr).not.toBe('');

      const directories = ['etc/causeway', 'var/lib/causeway', 'var/log', 'run', 'tmp', 'root/.config'];
      const files = (await Promise.all(directories.map((each) => filesBelow(host.root, each)))).flat();
      const isOwn = ({ where, content }: Place): boolean =>
        content.includes('PRIVATE KEY') || where.endsWith('/sealing-key.json');
      const own = files.filter(isOwn);
      for (const { where } of own) expect(await modeOf(`${host.root}${where}`), where).toBe('600');
      expect(own.map(({ where }) => where.replace(/\b[0-9a-f]{16}\b/, 'CLUSTER')).sort()).toEqual([
        '/root/.config/causeway/CLUSTER/identity.pem',
        '/root/.config/causeway/again/attempt.json',
        '/tmp/mary/causeway/other/attempt.json',
        '/tmp/mary/causeway/prod/identity.pem',
        '/var/lib/causeway/agent/identity/identity.pem',
        '/var/lib/causeway/manager/identity/identity.pem',
        '/var/lib/causeway/manager/sealing-key.json',
      ]);

      const sealing = sealingKeysIn(await readFile(`${host.root}/var/lib/causeway/manager/sealing-key.json`, 'utf8'));
      const certificates = own.flatMap(({ content }) => privateKeysIn(content.toString()));
      const shared = [...privateKeysIn(caKey), ...[...tokens, unused].flatMap(tokenSecret), ...unlockSecret(unlockKey)];
      const places = [
        ...files.filter((file) => !isOwn(file)),
        ...(await processPlaces(host.root)),
        ...answers.map(({ stdout, stderr }, i) => ({ where: `answer ${i}`, content: Buffer.from(stdout + stderr) })),
      ];
      expect([sealing.length, certificates.length, shared.length]).toEqual([1, 6, 11]);
      expect(places.length).toBeGreaterThan(50);
      expect(exposed(places, [...shared, ...sealing, ...certificates])).toEqual([]);
      expect(exposed(own, shared)).toEqual([]);
    });

    test('the agent sees the network namespaces that containers see, and a container gets its interface', async () => {
      await host.sh(`causeway network create blue --subnet 10.66.0.0/24 && ip netns add web`);
      await host.sh(`causeway endpoint attach blue --name web --netns /run/netns/web --wait applied`);
      expect(await host.sh('ip netns exec web ping -c 1 -W 2 10.66.0.1')).toContain(' 0% packet loss');
      const pid = await property('causeway-agent', 'MainPID');
      expect(await host.sh(`readlink /proc/${pid}/ns/mnt`)).toBe(await host.sh('readlink /proc/1/ns/mnt'));
    });

    test.each(['agent', 'manager'])('a %s that hangs is started again by the watchdog', async (service) => {
      const unit = `causeway-${service}`;
      const pid = await property(unit, 'MainPID');
      await host.sh(`mkdir -p /run/systemd/system/${unit}.service.d
      printf '[Service]\\nWatchdogSec=3\\n' > /run/systemd/system/${unit}.service.d/watchdog.conf
      systemctl daemon-reload && systemctl restart ${unit}`);
      const before = await property(unit, 'MainPID');
      expect(before).not.toBe(pid);
      await host.sh(`kill -STOP ${before}`);
      await eventually(async () => {
        expect(await property(unit, 'MainPID')).not.toBe(before);
        const journal = await host.sh(`journalctl --no-pager --lines 30 --unit ${unit}`);
        expect(await property(unit, 'ActiveState'), journal).toBe('active');
      });
      expect(await host.sh(`journalctl --unit ${unit}`)).toContain('Watchdog timeout');
      // Three seconds are too short for the tests that follow on a busy machine.
      await host.sh(
        `rm -r /run/systemd/system/${unit}.service.d && systemctl daemon-reload && systemctl restart ${unit}`,
      );
    });

    test('an agent that was killed is started again, and the container keeps its interface', async () => {
      const before = await property('causeway-agent', 'MainPID');
      await host.sh(`kill -KILL ${before}`);
      await eventually(async () => {
        expect(await property('causeway-agent', 'MainPID')).not.toBe(before);
        expect(await property('causeway-agent', 'ActiveState')).toBe('active');
      });
      expect(await host.sh('ip netns exec web ping -c 1 -W 2 10.66.0.1')).toContain(' 0% packet loss');
    });

    test('a manager that was killed is started again and takes over the etcd that it left', async () => {
      const before = await property('causeway-manager', 'MainPID');
      const etcd = await host.sh('pgrep -x etcd');
      await host.sh(`kill -KILL ${before}`);
      await eventually(async () => {
        expect(await property('causeway-manager', 'MainPID')).not.toBe(before);
        expect(await host.sh('causeway --managers 192.0.2.1:7443 network list -o name')).toBe('blue\n');
      });
      expect(await host.sh('pgrep -x etcd')).toBe(etcd);
    });

    test('the journal knows the level of each line', async () => {
      const lines = (await host.sh('journalctl --unit causeway-manager --priority info -o json')).trim().split('\n');
      const ours = lines.map((line) => JSON.parse(line)).filter(({ MESSAGE }) => MESSAGE.startsWith('{'));
      expect(ours.length).toBeGreaterThan(0);
      const levels: Readonly<Record<string, string>> = { 3: 'error', 4: 'warn', 6: 'info', 7: 'debug' };
      for (const { PRIORITY, MESSAGE } of ours) expect(levels[PRIORITY]).toBe(JSON.parse(MESSAGE).level);
    });

    test('a second agent is refused for good', async () => {
      const again = await host.try('set -a; . /etc/causeway/agent.env; causeway-agent --socket /run/other.sock');
      expect(again.code).toBe(4);
      expect(again.stderr).toMatch(/pid|process/);
    });

    test('a package that is installed again restarts its service and keeps settings', async () => {
      const before = await property('causeway-agent', 'MainPID');
      await host.sh('dpkg --install --force-depends /packages/causeway-agent_*.deb 2>&1');
      expect(await property('causeway-agent', 'MainPID')).not.toBe(before);
      expect(await host.sh('cat /etc/causeway/agent.env')).toContain('CAUSEWAY_NAME=h1');
    });

    test('units are as closed as their work allows', async () => {
      const exposure = async (unit: string): Promise<number> =>
        Number(
          /exposure level for \S+: ([\d.]+)/.exec(await host.sh(`systemd-analyze security --no-pager ${unit}`))?.[1],
        );
      expect(await exposure('causeway-manager')).toBeLessThan(2.5);
      expect(await exposure('causeway-agent')).toBeLessThan(7.5);
      expect((await host.try('systemd-analyze verify causeway-agent.service causeway-manager.service')).stderr).toBe(
        '',
      );
    });

    test('removed: services end; containers, settings and data stay', async () => {
      await host.sh('dpkg --remove causeway-agent causeway-manager causeway 2>&1');
      expect((await host.try('test -e /usr/bin/causeway-agent')).code).toBe(1);
      expect(await host.sh('ip netns exec web ip -br address show dev eth0')).toContain('10.66.0.');
      await host.sh(
        'test -e /etc/causeway/agent.env && test -d /var/lib/causeway/agent && test -d /var/lib/causeway/manager',
      );
    });

    test('purged: settings and the agent’s data go, and the cluster’s data stays and is named', async () => {
      const said = await host.sh('dpkg --purge causeway-agent causeway-manager 2>&1');
      expect(said).toContain('rm -r /var/lib/causeway/manager');
      expect((await host.sh('ls /var/lib/causeway')).trim()).toBe('manager');
      expect((await host.try('test -e /etc/causeway')).code).toBe(1);
    });
  },
  needed,
);

test('a bundle has the licences of what it is made of', async () => {
  expect(await readdir(join(root, 'dist/lib/causeway'))).toContain('THIRD-PARTY-LICENSES');
});
