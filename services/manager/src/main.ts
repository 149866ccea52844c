#!/usr/bin/env node
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { CausewayError, isCausewayError } from '@causeway/model';
import { plaintext } from '@causeway/proto/io';
import type { Log } from '@causeway/runtime';
import { createLog, cryptoRandom, systemClock } from '@causeway/runtime/io';
import { Command, CommanderError, Option } from 'commander';
import { type ManagerConfig, type Options, optionSpecs, readConfig } from './config.ts';
import { EmbeddedEtcd } from './io/etcd/embedded.ts';
import { EtcdStore } from './io/etcd/store.ts';
import { GrpcServer } from './io/grpc/server.ts';
import { createManager } from './manager.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string };

/** Settings that cannot be used, as against a failure that may pass. */
const exitUnusable = 2;
const exitFailed = 1;

process.exitCode = await main();

async function main(): Promise<number> {
  let config: ManagerConfig;
  try {
    config = readConfig(readOptions(process.argv));
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportFailure(createLog('info', { process: 'manager' }), error);
  }
  const log = createLog(config.logLevel, { process: 'manager', manager: config.name });
  process.on('uncaughtException', (error) => {
    log.error('process.failed', { message: error.message, stack: error.stack });
    process.exit(exitFailed);
  });
  try {
    await prepareDataDir(config.dataDir);
    await serve(config, log);
    return 0;
  } catch (error) {
    return reportFailure(log, error);
  }
}

function readOptions(argv: readonly string[]): Options {
  const command = new Command('causeway-manager')
    .description('Keeps what a cluster’s networks should be and brings it to the hosts.')
    .version(version)
    .allowExcessArguments(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const spec of optionSpecs) {
    const option = new Option(spec.flag, spec.help).env(spec.variable);
    if (spec.default !== undefined) option.default(spec.default);
    if (spec.default === undefined && spec.optional === undefined) option.makeOptionMandatory();
    command.addOption(option);
  }
  try {
    return command.parse(argv).opts<Options & Record<string, string>>();
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    throw new CausewayError('invalid-argument', `${error.message.replace(/^error: /, '')}; see --help`);
  }
}

async function prepareDataDir(path: string): Promise<void> {
  try {
    await makeDirectory(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `--data-dir ${path}: cannot be written (${why}); name a directory that this user may write to`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: path }, { cause });
  }
}

/** By hand: with `recursive`, Node 20's mkdir never returns for a path below one that takes no directories, such as /proc. */
async function makeDirectory(path: string): Promise<void> {
  const make = (): Promise<void> => mkdir(path, { mode: 0o700 });
  const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
  try {
    await make();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await make();
  }
}

/** Runs until a signal asks it to end. Listens first: a port that is taken is told before anything is begun. */
async function serve(config: ManagerConfig, log: Log): Promise<void> {
  const asked = stopAsked();
  const parts = { clock: systemClock, random: cryptoRandom, log };
  const etcd =
    config.etcd.kind === 'embedded' ? new EmbeddedEtcd(parts, { dataDir: config.dataDir, ...config.etcd }) : undefined;
  const endpoints = config.etcd.kind === 'embedded' ? [etcd?.endpoint ?? ''] : config.etcd.endpoints;
  const store = new EtcdStore(parts, { endpoints });
  const manager = createManager({ ...parts, store }, config);
  const server = new GrpcServer(
    { manager, credentials: plaintext, clock: systemClock, log },
    { listen: config.listen },
  );
  const start = async (): Promise<void> => {
    await server.start();
    await etcd?.start();
    await manager.start();
    log.info('manager.started', { listen: config.listen, advertise: config.advertise, version });
  };
  try {
    const running = start();
    await Promise.race([running.then(() => asked), asked]);
    log.info('manager.stopping');
  } finally {
    server.drain();
    await manager.stop();
    await server.stop();
    await store.close();
    await etcd?.stop();
  }
}

/** Resolves at the first SIGTERM or SIGINT; the next ends the process at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(exitFailed);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}

/** One line for machines, one for people. */
function reportFailure(log: Log, error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  const known = isCausewayError(error) ? error : undefined;
  log.error('manager.failed', { code: known?.code, message, ...known?.data });
  process.stderr.write(`causeway-manager: ${message}\n`);
  return known?.kind === 'invalid' || known?.kind === 'denied' ? exitUnusable : exitFailed;
}
