import { readFileSync } from 'node:fs';
import { plaintext } from '@causeway/proto/io';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import type { Context } from '../context.ts';
import { grpcConnect } from './grpc-clients.ts';
import { openTerminal } from './terminal.ts';

/** The real world, for main.ts. */
export function systemContext(of: NodeJS.Process): Context {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    ...openTerminal(of),
    clock: systemClock,
    random: cryptoRandom,
    connect: grpcConnect({ credentials: plaintext, clock: systemClock }),
    version,
    runtime: `node ${of.version}`,
    exitCode: 0,
  };
}
