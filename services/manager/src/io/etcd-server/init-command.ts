import { access, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkNodeLife, formatPin, nodeLife, pinOf } from '@causeway/identity';
import { identityDirectory, readCredential } from '@causeway/identity/io';
import { CausewayError, type ClusterId, parseIp, parseName, type Result, unwrap } from '@causeway/model';
import { type Duration, formatDuration, parseDuration } from '@causeway/runtime';
import { Command, Option } from 'commander';
import { readAddress, readProgram, refuse } from '../../config/option.ts';
import { readClusterRecord } from '../cluster-record.ts';
import { prepareDataDir } from '../data-dir.ts';
import { type FoundingParts, type FoundingSettings, prepareCluster } from '../found.ts';
import { readFounding } from '../founding-file.ts';
import { allowFounding } from './first-start.ts';
import { etcdDirectory } from './flags.ts';

interface Options {
  readonly dataDir: string;
  readonly name: string;
  readonly listen?: string;
  readonly advertise?: string;
  readonly etcdPeerAddress?: string;
  readonly operator: string;
  readonly operatorDir?: string;
  readonly certificateLife: string;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caProgram?: string;
  readonly output: string;
}

/** `causeway-manager init`: run on the host of a new cluster's first manager. May be repeated. */
export function initCommand(parts: FoundingParts): Command {
  return new Command('causeway-manager init')
    .description(
      'Prepares a data directory: the manager that starts with it founds a new cluster, if there is no cluster to join. ' +
        'Makes the CA of the cluster, the certificate of the manager, and that of the first operator. ' +
        'Use it only for the first manager of a new cluster. A manager that has lost its data joins the others instead: start it, or run "causeway join" if its certificate is lost, too.',
    )
    .addOption(
      new Option('--data-dir <dir>', 'data directory of that manager; it must be empty or absent')
        .env('CAUSEWAY_DATA_DIR')
        .makeOptionMandatory(),
    )
    .addOption(new Option('--name <name>', 'name of that manager').env('CAUSEWAY_NAME').makeOptionMandatory())
    .addOption(addressOption('--listen <ip:port>', 'CAUSEWAY_LISTEN'))
    .addOption(addressOption('--advertise <ip:port>', 'CAUSEWAY_ADVERTISE'))
    .addOption(addressOption('--etcd-peer-address <ip>', 'CAUSEWAY_ETCD_PEER_ADDRESS'))
    .addOption(new Option('--operator <name>', 'name of the first operator').default('admin'))
    .addOption(
      new Option(
        '--operator-dir <dir>',
        'where the operator’s certificate and key go; when absent ~/.config/causeway/CLUSTER',
      ),
    )
    .addOption(
      new Option(
        '--certificate-life <duration>',
        'how long certificates of hosts, managers and operators are valid',
      ).default(formatDuration(nodeLife)),
    )
    .addOption(new Option('--ca-cert <file>', 'root CA certificate of your own, in PEM; when absent, a new CA is made'))
    .addOption(new Option('--ca-key <file>', 'private key of --ca-cert, in PEM, of mode 600'))
    .addOption(
      new Option(
        '--ca-program <path>',
        'program that issues certificates of --ca-cert, in the place of --ca-key; each manager needs the same setting',
      ).env('CAUSEWAY_CA_PROGRAM'),
    )
    .addOption(new Option('--output <form>', 'what to print').choices(['text', 'json']).default('text'))
    .action(async (options: Options) => {
      process.stdout.write(await init(parts, options));
    });
}

function addressOption(flag: string, variable: string): Option {
  return new Option(flag, 'the same as for that manager; the address is in its certificate, for its etcd').env(
    variable,
  );
}

async function init(parts: FoundingParts, options: Options): Promise<string> {
  const { dataDir } = options;
  const name = unwrap(parseName(options.name, '--name'));
  const operator = unwrap(parseName(options.operator, '--operator'));
  const operatorDirectory = (cluster: ClusterId): string => options.operatorDir ?? contextDirectory(cluster);
  const settings = { dataDir, name, operator, operatorDirectory, hosts: hostsOf(options), life: lifeOf(options) };
  const founded = await checkDirectory(dataDir);
  const clusterId = founded ?? (await prepareCluster(parts, { ...settings, ...caOf(options) })).clusterId;
  // Last: only with this mark does the manager found a cluster.
  if (founded === undefined) await allowFounding(dataDir);
  return await answer(options, clusterId, operatorDirectory(clusterId));
}

/** Also when the cluster was founded long ago: what to do next is the same. */
async function answer({ dataDir, output }: Options, clusterId: ClusterId, operatorDirectory: string): Promise<string> {
  const { trust } = await readCredential(identityDirectory(dataDir));
  const caFingerprint = trust.map((root) => formatPin(pinOf(root))).join(',');
  if (output === 'json') return `${JSON.stringify({ clusterId, caFingerprint, operatorDirectory })}\n`;
  return [
    `the manager that starts with --data-dir ${dataDir} founds the cluster ${clusterId}, if there is no cluster to join`,
    `fingerprint of its CA: ${caFingerprint}`,
    `certificate and key of the first operator: ${operatorDirectory}`,
    '',
  ].join('\n');
}

/**
 * Files that do not count as content: those of an interrupted start, the lock's record of its process, and what a new
 * file system has.
 */
const harmless = /^(etcd(\..*)?|holder\.pid|lost\+found)$/;
/** Beside founding.json, the files of an interrupted init. Without it, those of a manager that has joined a cluster. */
const ofInit = /^(founding\.json|sealing-key\.json|identity)(\..*)?$/;
/** Files named in the error; of further files only the number. */
const mostNames = 5;

/**
 * Returns the cluster that was founded on the directory already.
 * @throws CausewayError invalid-argument: the directory holds a member of a cluster or something else, or cannot be
 * written
 */
export async function checkDirectory(dataDir: string): Promise<ClusterId | undefined> {
  await prepareDataDir(dataDir);
  const belongsTo = await readClusterRecord(dataDir);
  const holdsMember = await access(join(etcdDirectory(dataDir), 'member')).then(
    () => true,
    () => false,
  );
  if (holdsMember && belongsTo !== undefined) return belongsTo.clusterId;
  if (holdsMember) {
    const message = `--data-dir ${dataDir}: it holds the data of an etcd member: start the manager to continue with them; for a new cluster name an empty directory`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  if (belongsTo !== undefined) {
    const message =
      `--data-dir ${dataDir}: it belongs to cluster ${belongsTo.clusterId}, whose etcd data were lost: start the manager with --join ` +
      'to join that cluster again; for a new cluster name an empty directory';
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  const names = await readdir(dataDir);
  const isBegun = (await readFounding(dataDir)) !== undefined;
  const others = names.filter((name) => !harmless.test(name) && !(isBegun && ofInit.test(name))).sort();
  if (others.length > 0) throw inUse(dataDir, others);
  return undefined;
}

function inUse(dataDir: string, others: readonly string[]): CausewayError {
  const more = others.length > mostNames ? ` and ${others.length - mostNames} more` : '';
  const message = `--data-dir ${dataDir}: it holds ${others.slice(0, mostNames).join(', ')}${more}, which are not the files of a manager: name an empty directory`;
  return new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
}

/** Where clients and other members reach the manager's etcd: its own manager by loopback. */
function hostsOf({ listen, advertise, etcdPeerAddress }: Options): readonly string[] {
  const listening = listen === undefined ? undefined : readAddress(listen, '--listen');
  const addresses = [
    ...(listening === undefined || listening.isWildcard ? [] : [listening.ip]),
    ...(advertise === undefined ? [] : [readAddress(advertise, '--advertise').ip]),
    ...(etcdPeerAddress === undefined ? [] : [inOption('--etcd-peer-address', parseIp(etcdPeerAddress))]),
  ];
  return [...new Set(['127.0.0.1', 'localhost', ...addresses])];
}

function lifeOf({ certificateLife }: Options): Duration {
  const life = parseDuration(certificateLife);
  if (life === undefined) return refuse('--certificate-life', certificateLife, 'a duration such as 720h');
  return inOption('--certificate-life', checkNodeLife(life));
}

function caOf({ caCert, caKey, caProgram }: Options): Pick<FoundingSettings, 'ca'> {
  if (caCert === undefined && caKey === undefined && caProgram === undefined) return {};
  if (caCert === undefined) return refuse('--ca-cert', '', `the certificate of ${caKey ? '--ca-key' : '--ca-program'}`);
  if (caProgram === undefined) {
    if (caKey === undefined) return refuse('--ca-key', '', 'the private key of --ca-cert, or --ca-program');
    return { ca: { certificate: caCert, key: caKey } };
  }
  if (caKey !== undefined) return refuse('--ca-program', caProgram, 'either --ca-key or --ca-program');
  return { ca: { certificate: caCert, program: readProgram(caProgram) } };
}

function inOption<Value>(field: string, result: Result<Value, CausewayError>): Value {
  if (result.ok) return result.value;
  throw new CausewayError(result.error.code, `${field}: ${result.error.message}`, { ...result.error.data, field });
}

/** Where `causeway` looks for the certificates of its clusters. */
export function contextDirectory(cluster: ClusterId): string {
  return join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'causeway', cluster);
}
