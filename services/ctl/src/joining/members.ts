import { CausewayError, type Ip, parseAdvertised, parseDataPath, parseName, unwrap } from '@causeway/model';
import { parseVariables } from '../host-settings.ts';
import { parseManagers } from '../settings.ts';
import { type Variables, withVariables } from './settings-file.ts';
import type { Service, ThisHost } from './this-host.ts';

export const managerPort = 7443;
export const caProgramExample = '/opt/causeway-ca/issue';

/** What the operator has said about a member. What is not said is as before, and otherwise follows from the host. */
export interface Said {
  readonly name?: string;
  readonly dataDir?: string;
  /** Only for an agent: the address at which this host receives VXLAN. */
  readonly dataPath?: Ip;
  /** Only for an agent behind a NAT: IP or IP:PORT at which other hosts reach it. */
  readonly advertise?: string;
  /** Only for a manager: IP or IP:PORT. */
  readonly listen?: string;
  /** Only for a manager: path of the program that issues certificates. */
  readonly caProgram?: string;
}

/** A member of a cluster on this host, before it has joined. */
export interface Member {
  readonly service: Service;
  readonly name: ReturnType<typeof nameOf>;
  readonly dataDir: string;
  /** The address of this host that the other hosts know. */
  readonly address: Ip;
  /** Only for a manager: IP:PORT. */
  readonly listen: string;
  /** Only for an agent behind a NAT: IP or IP:PORT at which other hosts reach it; absent: as before. */
  readonly advertise?: string;
  /** Only for a manager: path of the program that issues certificates; absent: as before. */
  readonly caProgram?: string;
  /** The settings before. */
  readonly text: string;
}

/** `towards`: HOST:PORT of a manager. */
export async function memberOf(host: ThisHost, service: Service, said: Said, towards?: string): Promise<Member> {
  const text = await host.readSettings(service);
  const before = parseVariables(text);
  const name = nameOf(said.name ?? before['CAUSEWAY_NAME'] ?? host.name);
  const dataDir = said.dataDir ?? before['CAUSEWAY_DATA_DIR'] ?? host.dataDir(service);
  if (service === 'agent') {
    const given = said.dataPath ?? before['CAUSEWAY_DATA_PATH'] ?? (await host.addressTowards(towards));
    const address = unwrap(parseDataPath(given, '--data-path'));
    // Before the token is used: an agent with a wrong setting does not start.
    const advertised = said.advertise ?? before['CAUSEWAY_ADVERTISE'];
    if (advertised !== undefined) unwrap(parseAdvertised(advertised, address, '--advertise'));
    const nat = said.advertise === undefined ? {} : { advertise: said.advertise };
    return { service, name, dataDir, address, listen: '', ...nat, text };
  }
  const given = said.listen ?? before['CAUSEWAY_LISTEN'] ?? String(await host.addressTowards(towards));
  const [listen = ''] = parseManagers(given, '--listen');
  const program = said.caProgram === undefined ? {} : { caProgram: said.caProgram };
  return { service, name, dataDir, address: addressIn(listen), listen, ...program, text };
}

function nameOf(text: string) {
  return unwrap(parseName(text, '--name'));
}

/** The IP address of IP:PORT, which etcd needs, too. */
function addressIn(hostPort: string): Ip {
  const ip = hostPort.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (ip !== '0.0.0.0' && ip !== '::' && /^[0-9a-fA-F:.]+$/.test(ip)) return ip as Ip;
  const message = `--listen: ${hostPort} is not an address at which other hosts reach this manager, such as 10.0.0.1`;
  throw new CausewayError('invalid-argument', message, { field: '--listen', value: hostPort });
}

/** The text of the member's settings once it has joined. `managers`: HOST:PORT of each known manager. */
export function settingsOf(
  { service, name, dataDir, address, listen, advertise, caProgram, text }: Member,
  managers: readonly string[],
): string {
  const own = { CAUSEWAY_NAME: name, CAUSEWAY_DATA_DIR: dataDir };
  if (service === 'agent') {
    const nat = advertise === undefined ? {} : { CAUSEWAY_ADVERTISE: advertise };
    return withVariables(text, { ...own, CAUSEWAY_MANAGERS: managers.join(','), CAUSEWAY_DATA_PATH: address, ...nat });
  }
  const etcd = parseVariables(text)['CAUSEWAY_ETCD'] ?? 'embedded';
  const others = managers.filter((manager) => manager !== listen);
  const embedded: Variables = {
    CAUSEWAY_ETCD_PEER_ADDRESS: address,
    ...(others.length > 0 && { CAUSEWAY_JOIN: [listen, ...others].join(',') }),
  };
  const program = caProgram === undefined ? {} : { CAUSEWAY_CA_PROGRAM: caProgram };
  const values = { ...own, CAUSEWAY_LISTEN: listen, CAUSEWAY_ETCD: etcd, ...(etcd === 'embedded' && embedded) };
  return withVariables(text, { ...values, ...program });
}

/** The command that runs the service by hand, with its settings. */
export function commandOf(host: ThisHost, service: Service): string {
  return `sh -c 'set -a; . ${host.settingsFile(service)}; exec causeway-${service}'`;
}

/** @throws CausewayError permission-denied */
export function checkWritable(host: ThisHost): void {
  if (host.isWritable) return;
  throw new CausewayError('permission-denied', 'this command changes the services of this host: run it as root');
}
