import { family, type Ip } from '@causeway/model';
import { type LabHost, type LabPlan, managersOf, type ProcessKind } from './plan.ts';

/**
 * Where a host finds the product's programs: a folder of the lab that is bound into each host. In the host it is outside
 * the folder of the labs.
 */
const binDir = '/run/causeway-bin';
/** Each host has its own tmpfs here. */
export const dataDir = '/var/lib/causeway';
const managerDataDir = `${dataDir}/manager`;
/** Credential of an etcd beside a manager, and of the manager as its client. */
export const etcdIdentity = `${dataDir}/etcd-identity`;
const identityFile = `${etcdIdentity}/identity.pem`;
const caFile = `${etcdIdentity}/ca.pem`;

/** Where a process keeps its data. */
export function dataOf(kind: ProcessKind): string {
  return kind === 'manager' ? managerDataDir : `${dataDir}/${kind}`;
}

/** Identifies an etcd that a manager has started. */
export const embeddedEtcdFlag = `--data-dir=${managerDataDir}/etcd`;
const agentSocket = '/run/causeway/agent.sock';
/** The credential of the lab's operator, in each host. */
export const operatorDir = '/run/causeway-operator';
const managerPort = 7443;
/** Same settings as for an etcd that a manager starts. */
const txnOps = '1000';
const election = { heartbeat: 50, timeout: 500 };
const etcdPorts = { client: 2379, peer: 2380 };

/** The command line that starts a process in its host, as a person would type it there. */
export function commandOf(plan: LabPlan, host: LabHost, kind: ProcessKind): readonly string[] {
  switch (kind) {
    case 'etcd':
      return etcdCommand(plan, host);
    case 'manager':
      return [
        'causeway-manager',
        ...['--name', host.name],
        ...['--listen', hostPort(host.underlay, managerPort)],
        ...['--data-dir', managerDataDir],
        ...(plan.cooldown === undefined ? [] : ['--cooldown', `${plan.cooldown}ms`]),
        ...etcdOptions(plan, host),
      ];
    case 'agent':
      return [
        'causeway-agent',
        ...['--name', host.name],
        ...['--managers', managerAddresses(plan)],
        ...['--data-path', host.underlay],
        ...['--data-dir', `${dataDir}/agent`],
        ...['--socket', agentSocket],
      ];
  }
}

/** Environment of every command in a host: where the programs are, and how to reach the cluster. */
export function environmentOf(plan: LabPlan): Readonly<Record<string, string>> {
  return {
    PATH: `${binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    CAUSEWAY_MANAGERS: managerAddresses(plan),
    CAUSEWAY_SOCKET: agentSocket,
    CAUSEWAY_CONTEXT: operatorDir,
  };
}

/** /etc/hosts of every host. */
export function hostsFile(plan: LabPlan): string {
  const lines = plan.hosts.map((host) => `${host.underlay} ${host.name}`);
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost', ...lines, ''].join('\n');
}

/** Command that runs once on the host whose manager founds the cluster. */
export function initCommandOf(host: LabHost): readonly string[] {
  return [
    ...['causeway-manager', 'init'],
    ...['--name', host.name],
    ...['--listen', managerAddress(host)],
    ...['--data-dir', managerDataDir],
    ...['--operator-dir', operatorDir],
  ];
}

/** Makes hosts members of the cluster, as its stdin says (`EnrollmentOrder`). */
export const enrollWords = ['lab', 'enroll'] as const;

/** What `causeway lab enroll` does. Paths are those of this machine. */
export interface EnrollmentOrder {
  /** HOST:PORT of managers that may answer. */
  readonly managers: readonly string[];
  /** Directory of the operator's credential. */
  readonly operator: string;
  readonly members: readonly NewMember[];
}

export interface NewMember {
  readonly role: 'manager' | 'agent';
  readonly name: string;
  /** Data directory of the process. */
  readonly dataDir: string;
  /** Addresses in a manager's certificate: those of its etcd. */
  readonly hosts: readonly string[];
}

/** A member that has its data in a directory of a host. `root`: the host's root directory, as seen from this machine. */
export function newMemberOf({ host, kind, name, dataDir }: MemberProcess, root: string): NewMember {
  const hosts = kind === 'manager' ? ['127.0.0.1', host.underlay] : [];
  return { role: kind, name: name ?? host.name, dataDir: `${root}${dataDir ?? dataOf(kind)}`, hosts };
}

/** A process of a host that is a member of the cluster. */
export interface MemberProcess {
  readonly host: LabHost;
  readonly kind: NewMember['role'];
  /** Absent: the name of the host. */
  readonly name?: string;
  /** Absent: where the lab's own process has its data. */
  readonly dataDir?: string;
}

/** All managers get the same options. */
function etcdOptions(plan: LabPlan, host: LabHost): readonly string[] {
  const managers = managersOf(plan);
  if (plan.etcd === 'separate') {
    const urls = each(managers, (at) => url(at.underlay, etcdPorts.client));
    return [
      ...['--etcd', urls],
      ...['--etcd-cacert', caFile],
      ...['--etcd-cert', identityFile],
      ...['--etcd-key', identityFile],
      ...['--etcd-max-txn-ops', txnOps],
      ...['--etcd-election-timeout', `${election.timeout}ms`],
    ];
  }
  return ['--etcd', 'embedded', '--etcd-peer-address', host.underlay, '--join', managerAddresses(plan)];
}

function etcdCommand(plan: LabPlan, host: LabHost): readonly string[] {
  const client = url(host.underlay, etcdPorts.client);
  const peer = url(host.underlay, etcdPorts.peer);
  return [
    'etcd',
    ...['--name', host.name],
    ...['--data-dir', `${dataDir}/etcd`],
    ...['--listen-client-urls', `${client},https://127.0.0.1:${etcdPorts.client}`],
    ...['--advertise-client-urls', client],
    ...['--listen-peer-urls', peer],
    ...['--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', each(managersOf(plan), (at) => `${at.name}=${url(at.underlay, etcdPorts.peer)}`)],
    ...['', 'peer-'].flatMap((of) => [
      ...[`--${of}cert-file`, identityFile],
      ...[`--${of}key-file`, identityFile],
      ...[`--${of}trusted-ca-file`, caFile],
      `--${of}client-cert-auth`,
    ]),
    ...['--initial-cluster-token', `causeway-lab-${plan.name}`],
    ...['--max-txn-ops', txnOps],
    ...['--heartbeat-interval', `${election.heartbeat}`],
    ...['--election-timeout', `${election.timeout}`],
    ...['--log-level', 'warn'],
  ];
}

function managerAddresses(plan: LabPlan): string {
  return each(managersOf(plan), managerAddress);
}

/** HOST:PORT of the manager of that host. */
export function managerAddress({ underlay }: LabHost): string {
  return hostPort(underlay, managerPort);
}

function each(hosts: readonly LabHost[], print: (host: LabHost) => string): string {
  return hosts.map(print).join(',');
}

function url(ip: Ip, port: number): string {
  return `https://${hostPort(ip, port)}`;
}

function hostPort(ip: Ip, port: number): string {
  return family(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}
