#!/usr/bin/env node
import { createKernel, NetnsLock, PortHolder } from '@causeway/datapath/io';
import { createNodeKey } from '@causeway/encryption/io';
import { type Credential, nameOf } from '@causeway/identity';
import {
  identityDirectory,
  keepCredential,
  LiveCredential,
  RemovedManagers,
  Renewal,
  readCredential,
  type Trust,
  writeCredential,
} from '@causeway/identity/io';
import { CausewayError, encryptedVxlanPort, isCausewayError, messageOf, type NodeId, visible } from '@causeway/model';
import { CertificateCalls, limitConnects, quietGrpc } from '@causeway/proto/io';
import {
  explainMissingOption,
  type Log,
  type LogFormat,
  type LogLevel,
  logFormats,
  logLevels,
  randomUuid,
  version,
} from '@causeway/runtime';
import {
  createLog,
  cryptoRandom,
  DirectoryLock,
  makeDirectory,
  serviceManager,
  systemClock,
} from '@causeway/runtime/io';
import { Command, Option } from 'commander';
import { createAgent } from './agent.ts';
import { type AgentOptions, encaps, parseSettings } from './config.ts';
import { EspProbe } from './host/esp.ts';
import { claimHost, hostLock } from './host/exclusive.ts';
import { AgentServer } from './io/agent-server.ts';
import { checkCapabilities } from './io/capabilities.ts';
import { optimiseLate } from './io/compiler.ts';
import { DirectoryFiles } from './io/directory-files.ts';
import { keepHeapSmall } from './io/heap.ts';
import { measureLoopDelay } from './io/loop-delay.ts';
import { ManagerAddresses } from './io/manager-addresses.ts';
import { GrpcManagerLink, type ManagerGone } from './io/manager-link.ts';
import { resetCommand } from './io/reset-command.ts';
import { keyDirectory, SecretKeyFile } from './io/secret-key-file.ts';
import { TrustedManagers } from './io/trusted-managers.ts';
import { readPlaintextDrops } from './io/xfrm-statistics.ts';

interface Options extends AgentOptions {
  readonly dataDir: string;
  readonly socket: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Exit status when the settings cannot be used or rights are missing: starting the agent again does not help. */
const unusable = 2;
/** Exit status when another process holds what this process needs for itself. It may end; then a restart helps. */
const conflict = 4;

const program = new Command('causeway-agent')
  .description("Programs this host's kernel with the networks its containers are on.")
  .version(version)
  .addOption(required('--name <name>', 'name of this host in the cluster', 'CAUSEWAY_NAME'))
  .addOption(required('--managers <address,...>', 'managers as IP:PORT, such as 10.0.0.1:7443', 'CAUSEWAY_MANAGERS'))
  .addOption(required('--data-path <ip>', 'address of this host at which it receives VXLAN', 'CAUSEWAY_DATA_PATH'))
  .addOption(
    required('--data-dir <directory>', 'data directory of the agent: its identity and ledger', 'CAUSEWAY_DATA_DIR'),
  )
  .addOption(
    new Option('--socket <path>', 'unix socket to serve').env('CAUSEWAY_SOCKET').default('/run/causeway/agent.sock'),
  )
  .addOption(
    new Option(
      '--advertise <ip[:port]>',
      'address at which other hosts reach --data-path, if a NAT is before this host; and the UDP port that the NAT forwards to 4500',
    ).env('CAUSEWAY_ADVERTISE'),
  )
  .addOption(
    new Option(
      '--encap <when>',
      'when encrypted networks use ESP in UDP: auto means with --advertise; never means that this host does not ask for it',
    )
      .env('CAUSEWAY_ENCAP')
      .choices(encaps)
      .default('auto'),
  )
  .addOption(new Option('--vxlan-port <port>', 'UDP port of VXLAN').env('CAUSEWAY_VXLAN_PORT').default('4789'))
  .addOption(
    new Option('--label <key=value,...>', 'labels of this host; repeat for several')
      .env('CAUSEWAY_LABELS')
      .argParser((text, before: readonly string[] = []) => [...before, ...text.split(',')]),
  )
  .addOption(
    new Option('--log-level <level>', 'least level to log')
      .env('CAUSEWAY_LOG_LEVEL')
      .choices(logLevels)
      .default('info'),
  )
  .addOption(
    new Option('--log-format <format>', 'json for programs, text for people')
      .env('CAUSEWAY_LOG_FORMAT')
      .choices(logFormats)
      .default('json'),
  )
  .addOption(
    new Option(
      '--reset',
      'remove Causeway from this host instead: its namespaces, links and files; needs --data-dir, and no agent may run',
    ),
  )
  .configureOutput({
    outputError: (text, write) => write(`${visible(explainMissingOption(text.trimEnd(), program.options))}\n`),
  })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : unusable))
  .action(run);

if (process.argv.includes('--reset')) await reset();
else await program.parseAsync();

function required(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(variable).makeOptionMandatory();
}

async function reset(): Promise<void> {
  const command = resetCommand().exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : unusable));
  try {
    await command.parseAsync();
  } catch (error) {
    process.stderr.write(`causeway-agent: ${visible(messageOf(error))}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

async function run(options: Options): Promise<void> {
  keepHeapSmall();
  optimiseLate();
  limitConnects();
  quietGrpc();
  const log = createLog(
    { level: options.logLevel, format: options.logFormat },
    { process: 'agent', node: options.name },
  );
  try {
    await serve(options, log);
  } catch (error) {
    fail(error, log);
  }
}

async function serve(options: Options, log: Log): Promise<void> {
  const given = parseSettings(options, version);
  await checkCapabilities();
  const kernel = createKernel();
  const files = new DirectoryFiles(options.dataDir);
  // Before anything is touched: a second agent must not reach the files, the socket and the kernel of the first agent.
  await claim(options);
  const esp = new EspProbe({ kernel, random: cryptoRandom });
  await esp.ask();
  const identity = identityDirectory(options.dataDir);
  const credential = new LiveCredential(await readCredential(identity));
  const nodeId = nodeOf(credential.current);
  const addresses = await ManagerAddresses.open({ log }, { directory: identity, configured: given.managers });
  const settings = { ...given, managers: addresses.all, nodeId, cluster: nameOf(credential.current).cluster };
  const managers = new TrustedManagers({
    ...{ credential, clock: systemClock, log },
    removed: await RemovedManagers.open(identity),
  });
  const credentials = managers.credentials();
  const removed = (told: readonly ManagerGone[]): void => managers.tell(told);
  const link = new GrpcManagerLink({ credentials, removed }, options);
  const encryptedPort = new PortHolder(encryptedVxlanPort);
  const agent = createAgent(
    {
      ...{ kernel, link, files, clock: systemClock, random: cryptoRandom, log, loopDelay: measureLoopDelay(), esp },
      encryption: {
        member: credential,
        keyFile: new SecretKeyFile(keyDirectory(options.socket), nodeId),
        createKey: createNodeKey,
        plaintextDrops: readPlaintextDrops,
        portStranger: (family) => encryptedPort.stranger(family),
      },
      keepCredential: () => keepCredential(identity, credential.current),
    },
    settings,
  );
  const asking = { client: (address: string) => link.certificates(address), newId: () => randomUuid(cryptoRandom) };
  const source = new CertificateCalls(asking, settings.managers);
  const learn = async (told: Pick<Trust, 'removed' | 'managers'>): Promise<void> => {
    await managers.learn(told.removed);
    if (!(await addresses.learn(told.managers))) return;
    source.know(addresses.all);
    agent.knowManagers(addresses.all);
  };
  const keep = (next: Credential): Promise<void> => writeCredential(identity, next);
  const renewal = new Renewal({
    credential,
    source,
    keep,
    learn,
    clock: systemClock,
    random: cryptoRandom,
    log,
  });
  const server = new AgentServer({ api: agent.api, log }, { socket: options.socket });
  await server.start();
  await agent.start().catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });

  credential.onReplace(() => {
    link.renew(managers.credentials());
    agent.renewSession();
  });
  await renewal.start();
  const service = serviceManager(log);
  service.ready();

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    service.stopping();
    await renewal.stop();
    await server.stop();
    await agent.stop();
    link.close();
    kernel.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop().catch((error: unknown) => fail(error, log)));
  }
}

function nodeOf(credential: Credential): NodeId {
  const { role, id } = nameOf(credential);
  if (role === 'agent') return id as NodeId;
  const message = `the certificate in --data-dir is of ${role}/${id}, not of an agent: give another directory, or join with an agent's token`;
  throw new CausewayError('role-mismatch', message, { role });
}

async function claim({ dataDir }: Options): Promise<void> {
  // When the directory cannot be made, `DirectoryFiles.open` throws the error that explains why.
  await makeDirectory(dataDir, 0o700).catch(() => new DirectoryFiles(dataDir).open());
  await claimHost({ host: new NetnsLock(hostLock), dataDir: new DirectoryLock(dataDir) }, { dataDir });
}

/** Logs one line for programs and prints one line for people. */
function fail(error: unknown, log: Log): never {
  const code = isCausewayError(error) ? error.code : 'internal';
  const message = messageOf(error);
  log.error('agent.failed', {
    code,
    message,
    ...(!isCausewayError(error) && error instanceof Error && { stack: error.stack }),
  });
  process.stderr.write(`causeway-agent: ${visible(message)}\n`);
  process.exit(exitCodeOf(error));
}

function exitCodeOf(error: unknown): number {
  if (!isCausewayError(error)) return 1;
  if (error.kind === 'invalid' || error.kind === 'denied') return unusable;
  return error.code === 'lock-held' ? conflict : 1;
}
