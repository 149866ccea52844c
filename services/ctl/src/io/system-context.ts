import { hostname, userInfo } from 'node:os';
import process from 'node:process';
import { version } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import type { Context } from '../context.ts';
import { visible } from '../render/visible.ts';
import { grpcConnect, type RenewIdentity } from './grpc-clients.ts';
import { hostVariables } from './host-variables.ts';
import { managersOfContext, operatorCredentials, renewOperator } from './operator-credential.ts';
import { openTerminal } from './terminal.ts';

/** The real context, for main.ts. */
export function systemContext(of: NodeJS.Process): Context {
  const terminal = openTerminal(of);
  const onRemark = (remark: string): void => terminal.stderr.write(`causeway: ${visible(remark)}\n`);
  const credentials = (context: string | undefined) => operatorCredentials(of.env, context);
  const renewIdentity: RenewIdentity = (context, source, signal) => renewOperator(of.env, context, source, signal);
  return {
    ...terminal,
    clock: systemClock,
    random: cryptoRandom,
    connect: grpcConnect({ credentials, renewIdentity, clock: systemClock, actor: actor(), onRemark }),
    hostVariables,
    managersOfContext: (context) => managersOfContext(of.env, context),
    version,
    runtime: `node ${of.version}`,
    exitCode: 0,
  };
}

/** The user who runs the command, for events: "root@h1". A user that the system does not know has only a number. */
function actor(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `${process.getuid?.()}@${hostname()}`;
  }
}
